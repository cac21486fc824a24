import { pino } from 'pino'
import { openDatabase } from '#db'
import { afterwards } from '#test/afterwards'
import { eventLines } from '#test/events-auditor'
import { faultProxy } from '#test/fault-proxy'
import { testDatabase } from '#test/harness'
import { seededRandom } from '#test/seeded-random'
import { brokerUrl, testBroker } from '#test/test-broker'
import { available, deposit, testLedger, transfer } from '#test/test-ledger'
import { describe, expect, test, vi } from 'vitest'
import type { EventsDeps } from './create-events.ts'
import { createHandled, fund, handledSeqs, noteHandled, postAtRandom, testEvents } from './test-events.ts'

const url = await brokerUrl()
const NAME = 'seen-once'
const WAIT = { timeout: 30_000, interval: 50 }

/** What the broker does to events, and what its troubles do not. */
describe.skipIf(url === null)('with RabbitMQ', () => {
  const amqpUrl = url ?? ''

  async function begin() {
    const broker = testBroker(amqpUrl, [NAME])
    const database = await testDatabase()
    const { db } = database
    const ledger = await testLedger(database)
    await createHandled(database.ownerDb)
    const start = async (runs: { relay: boolean; consumers: boolean }, options: Partial<EventsDeps> = {}) => {
      const events = testEvents(options.db ?? db, { amqpUrl, brokerPrefix: broker.prefix, ...options })
      events.consume({
        name: NAME,
        handle: (tx, told) => noteHandled(tx, NAME, told),
      })
      await events.start(runs)
      afterwards(() => events.stop(1))
      return events
    }
    const truth = async () => [...new Set((await eventLines(db)).map((line) => line.split(' ')[0] ?? ''))]
    const complete = async () => {
      const expected = await truth()
      await vi.waitFor(async () => expect(await handledSeqs(db, NAME)).toHaveLength(expected.length), WAIT)
      expect(await handledSeqs(db, NAME)).toEqual(expected)
    }
    return { broker, database, db, ledger, start, truth, complete }
  }
  const both = { relay: true, consumers: true }

  test('while the broker is away money moves on and the backlog shows; then it drains, in order, to everybody', async () => {
    const { broker, db, ledger, start, truth, complete } = await begin()
    const proxy = await faultProxy(amqpUrl)
    afterwards(() => proxy.close())
    const events = await start(both, { amqpUrl: proxy.url })
    const watched: string[] = []
    events.watch({ event: ({ seq }) => void watched.push(seq), gap: () => void watched.push('gap') })
    const { seqs } = await broker.observe()
    await fund(ledger)
    await complete()
    proxy.away()
    await postAtRandom(ledger, seededRandom(), 200)
    // Consumers and listeners read the ledger itself meanwhile.
    await complete()
    expect((await events.status(db)).backlog).toBeGreaterThan(0n)
    proxy.back()
    await vi.waitFor(async () => expect((await events.status(db)).backlog).toBe(0n), WAIT)
    await ledger.post(deposit('after', available(1000), 1n))
    await complete()
    const expected = await truth()
    await vi.waitFor(() => expect(new Set(seqs).size).toBe(expected.length), WAIT)
    expect([...new Set(seqs)]).toEqual(expected)
    await vi.waitFor(() => expect(watched).toEqual(expected), WAIT)
  })

  test('what was confirmed before its relay died is published again, and takes effect once', async () => {
    const { broker, database, ledger, start, complete } = await begin()
    const proxy = await faultProxy(database.url)
    const proxied = openDatabase({
      url: proxy.url,
      connectionsMax: 4,
      applicationName: 'relay',
      random: Math.random,
    })
    afterwards(() => proxied.close().then(proxy.close))
    const { seqs } = await broker.observe()
    await start({ relay: false, consumers: true })
    await start({ relay: true, consumers: false }, { db: proxied })
    proxy.arm('events_advance_cursor', 'request-lost', 2)
    await fund(ledger)
    await complete()
    await vi.waitFor(() => expect(seqs.length).toBeGreaterThan(new Set(seqs).size), WAIT)
    await ledger.post(deposit('after', available(1000), 1n))
    await complete()
  })

  test('of two processes one relays, so that nothing is published twice', async () => {
    const { broker, db, ledger, start, truth, complete } = await begin()
    const { seqs } = await broker.observe()
    const [one] = await Promise.all([start(both), start(both)])
    await fund(ledger)
    await postAtRandom(ledger, seededRandom(), 300)
    await complete()
    await vi.waitFor(async () => expect((await one?.status(db))?.backlog).toBe(0n), WAIT)
    const expected = await truth()
    await vi.waitFor(() => expect(seqs.length).toBeGreaterThanOrEqual(expected.length), WAIT)
    expect(seqs).toEqual(expected)
  })

  test('what no queue takes counts as not published, and is published again', async () => {
    const { broker, db, ledger, start, complete } = await begin()
    const lines: string[] = []
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
    const events = await start(both, { log })
    await ledger.post(deposit('first', available(1000), 1n))
    await complete()
    await broker.connection.queueUnbind({
      queue: `${broker.prefix}.${NAME}`,
      exchange: broker.prefix,
      routingKey: 'journal.#',
    })
    await ledger.post(deposit('second', available(1000), 1n))
    await vi.waitFor(() => expect(lines.join()).toContain('could not be routed'), WAIT)
    await vi.waitFor(async () => expect((await events.status(db)).backlog).toBe(0n), WAIT)
    await complete()
  })

  test('a newer version and a message of strangers are put aside, seen, and stop nothing', async () => {
    const { broker, db, ledger, start, truth } = await begin()
    const events = await start(both)
    await ledger.post(deposit('first', available(1000), 1n))
    const [first = ''] = await truth()
    await vi.waitFor(async () => expect(await handledSeqs(db, NAME)).toEqual([first]), WAIT)
    const channel = await broker.connection.acquire()
    const to = { exchange: broker.prefix, routingKey: 'journal.transfer' }
    const seq = String(BigInt(first) + 1n)
    const headers = { seq, after: first, version: 2 }
    await channel.basicPublish({ ...to, headers }, Buffer.from('{"version":2}'))
    await channel.basicPublish(to, 'hello')
    await channel.close()
    await ledger.post(transfer('second', available(1000), available(1001), 1n))
    const last = (await truth()).at(-1)
    await vi.waitFor(async () => expect(await handledSeqs(db, NAME)).toEqual([first, last]), WAIT)
    await vi.waitFor(async () => expect(await events.deadLetters(db)).toHaveLength(2), WAIT)
    const letters = (await events.deadLetters(db)).map(({ seq: at, body, reason }) => ({ at, body, reason }))
    expect(letters).toContainEqual({ at: null, body: 'hello', reason: 'it is no event of ours' })
    expect(letters).toContainEqual({
      at: BigInt(seq),
      body: null,
      reason: 'version 2 of an event is not known to this release',
    })
    const stranger = (await events.deadLetters(db)).find(({ body }) => body !== null)
    expect(await events.replay(db, stranger?.id ?? '')).toBe(false)
    expect(await events.discard(db, stranger?.id ?? '')).toBe(true)
  })

  test('an event of blocks that the ledger does not have, because it was set back, is dropped', async () => {
    const { broker, db, ledger, start, truth } = await begin()
    await start(both)
    await ledger.post(deposit('first', available(1000), 1n))
    const [first = ''] = await truth()
    await vi.waitFor(async () => expect(await handledSeqs(db, NAME)).toEqual([first]), WAIT)
    const channel = await broker.connection.acquire()
    for (const after of [first, String(BigInt(first) + 40_000n)]) {
      const headers = { seq: String(BigInt(after) + 8_192n), after, version: 2 }
      await channel.basicPublish(
        { exchange: broker.prefix, routingKey: 'journal.transfer', headers },
        Buffer.from('{}'),
      )
    }
    await channel.close()
    for (let index = 0; index < 20; index += 1)
      await ledger.post(deposit(`more-${index}`, available(1000), 1n))
    const expected = await truth()
    await vi.waitFor(async () => expect(await handledSeqs(db, NAME)).toEqual(expected), WAIT)
  })

  test('what the broker loses the consumer reads from the ledger', async () => {
    const { broker, db, ledger, start, complete } = await begin()
    const relay = await start({ relay: true, consumers: false })
    await fund(ledger)
    await vi.waitFor(async () => expect((await relay.status(db)).backlog).toBe(0n), WAIT)
    const queue = `${broker.prefix}.${NAME}`
    const { messageCount } = await broker.connection.queuePurge({ queue })
    expect(messageCount).toBeGreaterThan(10)
    await start({ relay: false, consumers: true })
    await complete()
  })

  test('turning the broker on and off loses and doubles nothing', async () => {
    const { ledger, start, complete } = await begin()
    const random = seededRandom()
    // Begins with the first start, which here is before anything is posted.
    await (await start(both, { amqpUrl: null })).stop()
    await fund(ledger)
    for (const choice of [amqpUrl, null, amqpUrl, null]) {
      const posting = postAtRandom(ledger, random, 100)
      const events = await start(both, { amqpUrl: choice })
      await posting
      await events.stop()
    }
    await start(both, { amqpUrl: null })
    await ledger.post(deposit('last', available(1000), 1n))
    await complete()
  })
})
