import { setTimeout as sleep } from 'node:timers/promises'
import { afterwards } from '#test/afterwards'
import { eventLines } from '#test/events-auditor'
import { testDatabase } from '#test/harness'
import { isRabbitInstalled, privateBroker } from '#test/private-broker'
import { seededRandom } from '#test/seeded-random'
import { testLedger } from '#test/test-ledger'
import { Connection } from 'rabbitmq-client'
import { expect, test, vi } from 'vitest'
import { createHandled, fund, handledSeqs, noteHandled, postAtRandom, testEvents } from './test-events.ts'
import { withinTime } from './within-time.ts'

const NAME = 'seen-once'
const PREFIX = 'kantor.killed'
const KILLS = 2
const WAIT = { timeout: 60_000, interval: 100 }
const ANSWER_MS_MAX = 30_000
// Three starts of RabbitMQ, and as many waits: each has its own limit.
vi.setConfig({ testTimeout: 900_000 })

/** A durable queue of another program, which looks into it at the end only: what the broker has kept. */
async function otherProgram(url: string) {
  const connection = new Connection({ url, retryHigh: 1_000 })
  // It goes away as often as it is killed.
  connection.on('error', () => {})
  // Not a clean close: that would wait for the channel that is still listening.
  afterwards(() => connection.unsafeDestroy())
  const inTime = <T>(work: Promise<T>) => withinTime(work, ANSWER_MS_MAX, 'RabbitMQ did not answer')
  const queue = `${PREFIX}.other`
  const declare = async () => {
    await connection.exchangeDeclare({ exchange: PREFIX, type: 'topic', durable: true })
    await connection.queueDeclare({ queue, durable: true, arguments: { 'x-queue-type': 'quorum' } })
    await connection.queueBind({ queue, exchange: PREFIX, routingKey: 'journal.#' })
  }
  await inTime(declare())
  const seqs: string[] = []
  const listen = async () => {
    const channel = await connection.acquire()
    await channel.basicConsume(
      { queue, noAck: true },
      ({ headers }) => void seqs.push(String(headers?.['seq'])),
    )
  }
  return { seqs, listen: () => inTime(listen()) }
}

test.skipIf(!isRabbitInstalled)(
  'RabbitMQ may be killed while money moves: that goes on, and then everything arrives, in order, and takes effect once',
  async () => {
    const broker = await privateBroker()
    const database = await testDatabase()
    const { db } = database
    const ledger = await testLedger(database)
    await createHandled(database.ownerDb)
    const start = async () => {
      const events = testEvents(db, { amqpUrl: broker.url, brokerPrefix: PREFIX })
      events.consume({ name: NAME, handle: (tx, told) => noteHandled(tx, NAME, told) })
      await events.start({ relay: true, consumers: true })
      afterwards(() => events.stop(1))
      return events
    }
    const truth = async () => [...new Set((await eventLines(db)).map((line) => line.split(' ')[0] ?? ''))]
    const complete = async () => {
      const expected = await truth()
      await vi.waitFor(async () => expect((await handledSeqs(db, NAME)).at(-1)).toBe(expected.at(-1)), WAIT)
      expect(await handledSeqs(db, NAME)).toEqual(expected)
    }
    await broker.start()
    const other = await otherProgram(broker.url)
    const [one] = await Promise.all([start(), start()])
    const backlog = async () => (await one.status(db)).backlog
    const random = seededRandom()
    await fund(ledger)
    await complete()
    for (let kill = 0; kill < KILLS; kill += 1) {
      const posting = postAtRandom(ledger, random, 200)
      await sleep(random.int(0, 150))
      await broker.kill()
      await posting
      await postAtRandom(ledger, random, 100)
      // From the ledger itself.
      await complete()
      expect(await backlog()).toBeGreaterThan(0n)
      const posted = postAtRandom(ledger, random, 100)
      await broker.start()
      await posted
      await vi.waitFor(async () => expect(await backlog()).toBe(0n), WAIT)
      await postAtRandom(ledger, random, 50)
      await complete()
    }
    const expected = await truth()
    await other.listen()
    await vi.waitFor(() => expect(other.seqs.at(-1)).toBe(expected.at(-1)), WAIT)
    expect([...new Set(other.seqs)]).toEqual(expected)
    expect(await one.deadLetters(db)).toEqual([])
  },
)
