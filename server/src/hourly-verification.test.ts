import { runVerify } from '#ledger'
import { createMetrics } from '#telemetry'
import { testDatabase } from '#test/harness'
import { available, deposit, posted, testLedger } from '#test/test-ledger'
import { expect, test } from 'vitest'
import { hourlyVerification, hourlyVerificationSchedule } from './hourly-verification.ts'
import { schedule } from './schedule.ts'

const database = await testDatabase()
const ledger = await testLedger(database)
await database.ownerDb.query('create table public.head_at_first as select * from ledger.chain_head')
const metrics = createMetrics()
const job = hourlyVerification({
  databaseUrl: database.url,
  metrics,
  clock: () => new Date(1_800_000_000_000),
})
const run = (signal = new AbortController().signal) => job.start({}, { signal, attempt: 1 })

async function gauges(): Promise<Record<string, string>> {
  const { text } = await metrics.text()
  return Object.fromEntries(
    [...text.matchAll(/^kantor_ledger_(\w+) (\S+)$/gm)].map(([, name = '', value = '']) => [name, value]),
  )
}

/** Behind the ledger's back: as the owner of the database, with the triggers off. */
const behindItsBack = (statement: string) =>
  database.ownerDb.transaction(async (tx) => {
    await tx.query('set local session_replication_role = replica')
    await tx.query(statement)
  })

test('it runs every hour, and ends before the next', () => {
  expect(schedule).toContain(hourlyVerificationSchedule)
  expect(hourlyVerificationSchedule.cron).toMatch(/^\d+ \* \* \* \*$/)
  expect(job.timeoutSeconds).toBeLessThan(3_600)
})

test('before the first run nothing is claimed', async () => {
  expect((await gauges())['holds']).toBe('Nan')
})

test('a ledger that holds is said to hold, up to which block, and since when', async () => {
  posted(await ledger.post(deposit('one', available(1_000), 100n)))
  await run()
  expect(await gauges()).toEqual({
    holds: '1',
    verified_height: '1',
    verified_timestamp_seconds: '1800000000',
  })
})

test('when the process stops, so does it, and claims nothing', async () => {
  await expect(run(AbortSignal.abort(new Error('stopping')))).rejects.toThrow('stopping')
  expect((await gauges())['holds']).toBe('1')
})

test('a chain that is sound in itself, but not the one seen before, is a break', async () => {
  await behindItsBack(`truncate ledger.journals, ledger.entries, ledger.blocks, ledger.accounts`)
  await behindItsBack(`delete from ledger.chain_head`)
  await behindItsBack(`insert into ledger.chain_head select * from public.head_at_first`)
  expect((await runVerify({ url: database.url, applicationName: 'test' })).firstBreak).toBeNull()
  await expect(run()).rejects.toThrow(/THE LEDGER IS BROKEN/)
  expect((await gauges())['holds']).toBe('0')
})
