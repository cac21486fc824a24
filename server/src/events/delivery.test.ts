import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventParty } from '@kantor/contract/events'
import { afterwards } from '#test/afterwards'
import { startProcess, type TestProcess } from '#test/child-process'
import { eventLines } from '#test/events-auditor'
import { testDatabase, type TestDatabase } from '#test/harness'
import { seededRandom } from '#test/seeded-random'
import { brokerUrl, testBroker } from '#test/test-broker'
import { available, deposit, testLedger } from '#test/test-ledger'
import { describe, expect, onTestFailed, test, vi } from 'vitest'
import type { Events } from './index.ts'
import { createHandled, fund, handledSeqs, noteHandled, postAtRandom, testEvents } from './test-events.ts'

const amqpUrl = await brokerUrl()
const CONSUMER = 'seen-once'
const WAIT = { timeout: 30_000, interval: 50 }
const START_SECONDS_MAX = 40
const END_SECONDS_MAX = 10
// Every wait has its own limit, and says what it waited for; this one is for their sum.
vi.setConfig({ testTimeout: 240_000 })

const isPoisoned = ({ walletId }: EventParty): boolean => walletId === '1313'

/** The guarantees that hold with and without a broker. */
describe.each([
  ['in process', null],
  ['over the broker', amqpUrl ?? 'none'],
])('%s', (_name, url) => {
  describe.skipIf(url === 'none')('', () => guarantees(url))
})

function guarantees(url: string | null) {
  async function begin() {
    // Of each test's own: messages that one leaves behind would be taken for another ledger's.
    const broker = url === null ? null : testBroker(url, [CONSUMER, 'picky', 'steady'])
    const options = { amqpUrl: url, ...(broker === null ? {} : { brokerPrefix: broker.prefix }) }
    const database = await testDatabase()
    const ledger = await testLedger(database)
    await createHandled(database.ownerDb)
    const running: Events[] = []
    afterwards(() => Promise.all(running.map((events) => events.stop(1))))
    const start = async (names: readonly string[] = [CONSUMER]) => {
      const events = testEvents(database.db, options)
      for (const name of names) {
        events.consume({
          name,
          handle: (tx, events) => noteHandled(tx, name, events),
        })
      }
      await events.start({ relay: true, consumers: true })
      running.push(events)
      return events
    }
    return { database, ledger, options, start, running }
  }
  const truth = async ({ db }: TestDatabase) => [
    ...new Set((await eventLines(db)).map((line) => line.split(' ')[0] ?? '')),
  ]
  const complete = async (database: TestDatabase, consumer = CONSUMER) => {
    const expected = await truth(database)
    await vi.waitFor(
      async () => expect((await handledSeqs(database.db, consumer)).at(-1)).toBe(expected.at(-1)),
      WAIT,
    )
    expect(await handledSeqs(database.db, consumer)).toEqual(expected)
  }

  test('every event takes effect once and in order while processes come and go', async () => {
    const { database, ledger, start } = await begin()
    const random = seededRandom()
    let two = [await start(), await start()]
    await fund(ledger)
    for (let round = 0; round < 4; round += 1) {
      const posting = postAtRandom(ledger, random, 100)
      await two.shift()?.stop()
      two = [...two, await start()]
      await posting
    }
    await complete(database)
    await Promise.all(two.map((events) => events.stop()))
  })

  test('an event that fails is put aside after its last try, stops no other, and can be handled later', async () => {
    const { database, ledger, options, start, running } = await begin()
    const events = testEvents(database.db, options)
    let isFixed = false
    let poison = ''
    events.consume({
      name: 'picky',
      async handle(tx, events) {
        await noteHandled(tx, 'picky', events)
        poison = events.find(({ parties }) => parties.some(isPoisoned))?.seq ?? poison
        if (!isFixed && events.some(({ seq }) => seq === poison)) throw new Error('it is poison')
      },
    })
    await events.start({ relay: true, consumers: true })
    running.push(events)
    await start(['steady'])
    for (const wallet of [1000, 1313, 1001, 1002])
      await ledger.post(deposit(`to-${wallet}`, available(wallet), 5n))
    await complete(database, 'steady')
    await vi.waitFor(() => expect(poison).not.toBe(''), WAIT)
    const others = (await truth(database)).filter((seq) => seq !== poison)
    await vi.waitFor(async () => expect(await handledSeqs(database.db, 'picky')).toEqual([...others]), WAIT)
    const [letter, ...more] = await events.deadLetters(database.db)
    expect(more).toEqual([])
    expect(letter).toMatchObject({ consumer: 'picky', seq: BigInt(poison), reason: 'it is poison', tries: 6 })
    const { consumers } = await events.status(database.db)
    expect(consumers).toMatchObject([{ name: 'picky', deadLettered: 1n, waiting: 0n }])

    const id = letter?.id ?? ''
    expect(await events.replay(database.db, id)).toBe(true)
    const isTriedAgain = async () =>
      expect(await events.deadLetters(database.db)).toMatchObject([{ tries: 7 }])
    await vi.waitFor(isTriedAgain, WAIT)
    isFixed = true
    await vi.waitFor(async () => {
      await events.replay(database.db, id)
      expect(await events.deadLetters(database.db)).toEqual([])
    }, WAIT)
    expect(await handledSeqs(database.db, 'picky')).toEqual([...others, poison])
  })

  test('killed at any moment, processes lose nothing and double nothing', async () => {
    const { database, ledger, options } = await begin()
    const random = seededRandom()
    const settings = { url: database.url, consumer: CONSUMER, brokerPrefix: '', ...options }
    const living: TestProcess[] = []
    const killed: TestProcess[] = []
    afterwards(() => living.forEach(({ child }) => child.kill('SIGKILL')))
    onTestFailed(() =>
      [...killed, ...living].forEach(({ said }, no) => console.error(`process ${no}:\n${said()}`)),
    )
    const spawnOne = async () => {
      const args = [join(import.meta.dirname, '../../test/run-events.ts'), JSON.stringify(settings)]
      const started = startProcess(process.execPath, args, { stdin: 'pipe' })
      living.push(started)
      await started.line((line) => line === 'started', START_SECONDS_MAX)
    }
    await Promise.all([spawnOne(), spawnOne()])
    await fund(ledger)
    for (let kill = 0; kill < 4; kill += 1) {
      const posting = postAtRandom(ledger, random, 150)
      await sleep(random.int(0, 150))
      const victims = living.splice(random.int(0, 1), 1)
      victims.forEach(({ child }) => child.kill('SIGKILL'))
      killed.push(...victims)
      await Promise.all([posting, spawnOne()])
    }
    await complete(database)
    // Nobody else has ended any.
    expect(living.map(({ hasEnded }) => hasEnded())).toEqual([false, false])
    expect(await Promise.all(killed.map(({ end }) => end(END_SECONDS_MAX)))).toEqual(
      killed.map(() => 'SIGKILL'),
    )
  })
}
