import type { JournalEvent } from '@kantor/contract/events'
import { afterwards } from '#test/afterwards'
import { eventLines } from '#test/events-auditor'
import { testDatabase } from '#test/harness'
import { seededRandom } from '#test/seeded-random'
import { available, deposit, EUR, testLedger, transfer } from '#test/test-ledger'
import { expect, test, vi } from 'vitest'
import { eventsAfter } from './index.ts'
import { eventsBySeq, readSlice } from './read-events.ts'
import { fund, linesOf, postAtRandom, testEvents } from './test-events.ts'

const WAIT = { timeout: 30_000, interval: 50 }

const database = await testDatabase()
const { db } = database
const ledger = await testLedger(database)

async function readAll(journals: number): Promise<JournalEvent[]> {
  const events: JournalEvent[] = []
  for (let after = 0n; ;) {
    const slice = await readSlice(db, after, journals)
    if (slice === null) return events
    events.push(...slice.events)
    after = slice.upTo
  }
}

test('events are the ledger’s journals, with every party’s amounts and balances, by independent arithmetic', async () => {
  const random = seededRandom()
  await fund(ledger)
  for (let round = 0; round < 10; round += 1) await postAtRandom(ledger, random, 60)
  const truth = await eventLines(db)
  expect(truth.length).toBeGreaterThan(400)
  // In stretches of any length, since balances are carried within one and looked up at its beginning.
  expect(linesOf(await readAll(1))).toEqual(truth)
  expect(linesOf(await readAll(150))).toEqual(truth)
  const seqs = [...new Set(truth.map((line) => BigInt(line.split(' ')[0] ?? '')))]
  expect(linesOf(await eventsBySeq(db, seqs))).toEqual(truth)
})

test('one wallet’s events can be had from the ledger page by page, from any seq on', async () => {
  const truth = (await eventLines(db)).filter((line) => line.split(' ')[3] === '1003')
  const events: JournalEvent[] = []
  for (let after = 0n; ; after = BigInt(events.at(-1)?.seq ?? 0)) {
    const page = await eventsAfter(db, 1003n, after, 7)
    if (page.length === 0) break
    events.push(...page)
  }
  expect(linesOf(events)).toEqual(truth)
})

test('who watches is told of what is sealed from then on, in order, until it no longer listens', async () => {
  const events = testEvents(db)
  await events.start({ relay: false, consumers: false })
  afterwards(() => events.stop())
  await ledger.post(deposit('before', available(1000), 1n))
  await vi.waitFor(async () => expect((await events.status(db)).head).toBeGreaterThan(0n), WAIT)
  const seen: string[] = []
  const from = await eventLines(db)
  const end = events.watch({ event: ({ seq }) => void seen.push(seq), gap: () => void seen.push('gap') })
  for (let index = 0; index < 20; index += 1)
    await ledger.post(transfer(`watched-${index}`, available(1000), available(1001), 1n))
  const truth = [...new Set((await eventLines(db)).slice(from.length).map((line) => line.split(' ')[0]))]
  await vi.waitFor(() => expect(seen.slice(-20)).toEqual(truth), WAIT)
  end()
  const count = seen.length
  await ledger.post(transfer('unwatched', available(1000), available(1001), 1n))
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(seen).toHaveLength(count)
})

test('a consumer is told of everything from its first start on, once, whichever process runs it', async () => {
  const seen: string[] = []
  const start = async () => {
    const events = testEvents(db)
    events.consume({
      name: 'once',
      handle: async (_tx, told) => void seen.push(...told.map(({ seq }) => seq)),
    })
    await events.start({ relay: true, consumers: true })
    return events
  }
  const before = (await eventLines(db)).length
  const two = [await start(), await start()]
  const random = seededRandom()
  await postAtRandom(ledger, random, 100)
  await two[0]?.stop()
  await postAtRandom(ledger, random, 100)
  await ledger.post(deposit('last', available(1000, EUR), 1n))
  const truth = new Set((await eventLines(db)).slice(before).map((line) => line.split(' ')[0]))
  await vi.waitFor(() => expect(seen.at(-1)).toBe([...truth].at(-1)), WAIT)
  await two[1]?.stop()
  expect(seen).toEqual([...truth])
})

test('a process starts while another one is in the middle of a long transaction with a consumer’s events', async () => {
  const start = async () => {
    const events = testEvents(db)
    events.consume({ name: 'slow', handle: async () => {} })
    await events.start({ relay: true, consumers: true })
    return events
  }
  await (await start()).stop()
  await database.ownerDb.transaction(async (tx) => {
    await tx.query(`update events.cursors set holder = gen_random_uuid() where name = 'slow'`)
    // It would fail: within that transaction the lock is never given back.
    const events = await start()
    await tx.query(`update events.cursors set holder = null where name = 'slow'`)
    afterwards(() => events.stop())
  })
})
