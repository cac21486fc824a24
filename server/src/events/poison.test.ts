import { afterwards } from '#test/afterwards'
import { testDatabase } from '#test/harness'
import { available, deposit, testLedger } from '#test/test-ledger'
import { expect, test, vi } from 'vitest'
import { createHandled, handledSeqs, noteHandled, testEvents } from './test-events.ts'

const WAIT = { timeout: 30_000, interval: 50 }

const database = await testDatabase()
const { db, ownerDb } = database
const ledger = await testLedger(database)
await createHandled(ownerDb)

async function start(name: string, before: () => Promise<void> = async () => {}) {
  const events = testEvents(db)
  events.consume({
    name,
    async handle(tx, told) {
      await before()
      await noteHandled(tx, name, told)
    },
  })
  await events.start({ relay: true, consumers: true })
  afterwards(() => events.stop())
  return events
}

let serial = 0
async function post(): Promise<string> {
  const verdict = await ledger.post(deposit(`poison-${(serial += 1)}`, available(1000), 1n))
  return verdict.outcome === 'posted' ? String(verdict.journal.seq) : verdict.reason
}

test('an event that ended the process each time it was tried is put aside, and the next ones are handled', async () => {
  await (await start('mortal')).stop()
  const [fatal, next] = [await post(), await post()]
  // As six processes that died of it left it.
  await ownerDb.query(`update events.cursors set trying_seq = $1, tries = 6 where name = 'mortal'`, [fatal])
  const events = await start('mortal')
  await vi.waitFor(async () => expect(await handledSeqs(db, 'mortal')).toEqual([next]), WAIT)
  expect(await events.deadLetters(db)).toMatchObject([
    { consumer: 'mortal', seq: BigInt(fatal), reason: 'the process ended while it was handled', tries: 6 },
  ])
  await events.stop()
})

test('whoever comes new to a cursor writes each try down before it makes it', async () => {
  await (await start('careful')).stop()
  const seqs = [await post(), await post()]
  const written: unknown[] = []
  const events = await start('careful', async () => {
    const { rows } = await db.query(`select trying_seq, tries from events.cursors where name = 'careful'`)
    written.push(rows[0])
  })
  await vi.waitFor(async () => expect(await handledSeqs(db, 'careful')).toEqual(seqs), WAIT)
  expect(written).toEqual(seqs.map((seq) => ({ trying_seq: BigInt(seq), tries: 1 })))
  await events.stop()
})

test('a consumer that fails at everything waits instead of putting everything aside, and goes on when it is mended', async () => {
  let isBroken = true
  let failures = 0
  const events = await start('broken', async () => {
    if (!isBroken) return
    failures += 1
    throw new Error('it is broken')
  })
  await ownerDb.query(
    `insert into events.dead_letters (id, consumer, seq, reason, tries)
     select gen_random_uuid(), 'broken', seq, 'it is broken', 6 from generate_series(1, 1000) seq`,
  )
  const seqs = [await post(), await post()]
  // Six tries are one event's; then it begins anew.
  await vi.waitFor(() => expect(failures).toBeGreaterThan(7), WAIT)
  isBroken = false
  await vi.waitFor(async () => expect(await handledSeqs(db, 'broken')).toEqual(seqs), WAIT)
  expect((await events.status(db)).consumers).toMatchObject([{ deadLettered: 1000n, waiting: 0n }])
  await events.stop()
})
