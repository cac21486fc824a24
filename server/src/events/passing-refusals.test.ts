import { afterwards } from '#test/afterwards'
import { testDatabase } from '#test/harness'
import { available, deposit, testLedger } from '#test/test-ledger'
import type { Tx } from '#db'
import { expect, test, vi } from 'vitest'
import { createHandled, handledSeqs, noteHandled, testEvents } from './test-events.ts'

const database = await testDatabase()
const { db, ownerDb } = database
const ledger = await testLedger(database)
await createHandled(ownerDb)

/** More than an event has tries. */
const REFUSALS = 8
const WAIT = { timeout: 30_000, interval: 50 }

const raise = (tx: Tx, code: string) =>
  tx.query(`do $$ begin raise exception 'not now' using errcode = '${code}'; end $$`)

test.each([
  ['a lock that was not to be had in time', '55P03'],
  ['a statement that took too long', '57014'],
  ['a full disk', '53100'],
])('%s makes no event a dead letter, however often', async (_reason, code) => {
  const events = testEvents(db)
  const name = `refused-${code}`
  let refusals = 0
  events.consume({
    name,
    async handle(tx, told) {
      if (refusals < REFUSALS) {
        refusals += 1
        await raise(tx, code)
      }
      await noteHandled(tx, name, told)
    },
  })
  await events.start({ relay: false, consumers: true })
  afterwards(() => events.stop())
  const verdict = await ledger.post(deposit(name, available(1000), 1n))
  const seq = verdict.outcome === 'posted' ? String(verdict.journal.seq) : verdict.reason
  await vi.waitFor(async () => expect(await handledSeqs(db, name)).toEqual([seq]), WAIT)
  expect(refusals).toBe(REFUSALS)
  expect(await events.deadLetters(db)).toEqual([])
  await events.stop()
})

test('an event that fails for another reason after such refusals still has all of its tries', async () => {
  const events = testEvents(db)
  let calls = 0
  events.consume({
    name: 'poisoned',
    async handle(tx) {
      calls += 1
      await raise(tx, calls <= 3 ? '55P03' : 'P0001')
    },
  })
  await events.start({ relay: false, consumers: true })
  afterwards(() => events.stop())
  await ledger.post(deposit('poisoned', available(1000), 1n))
  await vi.waitFor(
    async () => expect(await events.deadLetters(db)).toMatchObject([{ consumer: 'poisoned', tries: 6 }]),
    WAIT,
  )
  await events.stop()
})
