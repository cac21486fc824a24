import { expect, test } from 'vitest'
import { testDatabase } from '#test/harness'
import { ensureSource } from './stock-source.ts'
import { thinOutStocks } from './thin-out-stocks.ts'

const { db, ownerDb } = await testDatabase()
const clock = () => new Date('2026-03-10T03:37:00Z')
const provider = { name: 'polygon', simulated: false, configuredAs: 'test' }
const source = await ensureSource({ db, clock, provider })
const { signal } = new AbortController()

/** A price a second until that moment. */
const observe = (instrumentId: number, seconds: number, until: string) =>
  ownerDb.query(
    `insert into market_data.price_observations (as_of, fetched_at, instrument_id, source, timeliness, last)
     select at, at, $1, $2, 1, 10 from generate_series($3::timestamptz - $4 * interval '1 second',
                                                       $3::timestamptz, interval '1 second') as at`,
    [instrumentId, source.id, until, seconds - 1],
  )
const kept = async () => {
  const { rows } = await db.query<{ instrument_id: number; count: bigint }>(
    'select instrument_id, count(*) from market_data.price_observations group by 1 order by 1',
  )
  return rows.map((row) => [row.instrument_id, Number(row.count)])
}

test('a stream’s days of prices are dropped in one run, however many, and the last of each stock stays', async () => {
  await observe(10_001, 120_000, '2026-03-06T12:00:00Z')
  await observe(10_001, 100, '2026-03-10T03:00:00Z')
  await observe(10_002, 50, '2025-01-01T00:00:00Z')
  expect(await thinOutStocks({ db, clock }, signal)).toBe(120_049)
  expect(await kept()).toEqual([
    [10_001, 100],
    [10_002, 1],
  ])
  expect(await thinOutStocks({ db, clock }, signal)).toBe(0)
})

test('it ends when its job is to', async () => {
  await observe(10_003, 10, '2025-01-01T00:00:00Z')
  expect(await thinOutStocks({ db, clock }, AbortSignal.abort())).toBe(0)
})
