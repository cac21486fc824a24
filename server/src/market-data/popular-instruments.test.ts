import { expect, test } from 'vitest'
import { fakeClock } from '#test/fake-clock'
import { testDatabase } from '#test/harness'
import { planInstruments } from './plan-instruments.ts'
import { createPopularInstruments } from './popular-instruments.ts'
import { ensureSource } from './stock-source.ts'
import { storeCandles } from './store-candles.ts'
import { markDelisted, storeInstruments } from './store-instruments.ts'

const { db } = await testDatabase()
const clock = fakeClock('2026-03-10T22:00:00Z')
const sourceOf = (name: string) =>
  ensureSource({ db, clock: clock.now, provider: { name, simulated: true, configuredAs: name } })
const [source, another] = [await sourceOf('polygon'), await sourceOf('another')]
const popular = createPopularInstruments({ db, clock: clock.now, provider: 'polygon' })

const listed = ['BUSY', 'CALM', 'DEAR', 'GONE', 'NEWS', 'NONE', 'SAME', 'TWIN'].map((ticker) => ({
  ticker,
  name: `${ticker} Corporation`,
  type: 'stock' as const,
  mic: 'XNAS',
  figi: null,
  currency: 'USD',
}))
await db.transaction((tx) => storeInstruments(tx, planInstruments([], listed), clock.now(), '2026-03-01'))
const { rows } = await db.query<{ id: number; ticker: string }>(
  'select id, ticker from market_data.instruments',
)
const idOf = (ticker: string) => rows.find((row) => row.ticker === ticker)?.id ?? Number.NaN

/** Days of March, each with a close and a volume. */
const trade = (
  ticker: string,
  days: readonly (readonly [day: number, close: string, volume: string])[],
  by = source,
) =>
  storeCandles(
    db,
    by.id,
    'day',
    days.map(([day, close, volume]) => ({
      instrumentId: idOf(ticker),
      startAt: new Date(Date.UTC(2026, 2, day, 5)),
      open: close,
      high: close,
      low: close,
      close,
      volume,
      vwap: null,
    })),
  )
const tickers = async (limit: number) => (await popular(limit)).map(({ ticker }) => ticker)

test('the most traded of the last days come first: by money, not by shares, nor by what once was', async () => {
  await trade('CALM', [[9, '10', '1000']])
  await trade('BUSY', [[9, '10', '5000']])
  await trade('DEAR', [[9, '900', '50']])
  await trade('NEWS', [[2, '10', '900000'], ...[4, 5, 6, 9, 10].map((day) => [day, '10', '10'] as const)])
  await trade('GONE', [[9, '10', '90000']])
  await trade('NONE', [[9, '10', '90000']], another)
  await trade('TWIN', [[9, '20', '50']])
  await trade('SAME', [[9, '10.00', '100.0']])
  await db.transaction((tx) => markDelisted(tx, [{ id: idOf('GONE'), on: '2026-03-09' }], clock.now()))
  expect(await tickers(50)).toEqual(['BUSY', 'DEAR', 'CALM', 'SAME', 'TWIN', 'NEWS', 'NONE'])
  expect(await tickers(2)).toEqual(['BUSY', 'DEAR'])
})

test('the ranking is that of a minute ago at most', async () => {
  await trade('CALM', [[10, '10', '8000']])
  expect(await tickers(1)).toEqual(['BUSY'])
  clock.advance(60_000)
  expect(await tickers(1)).toEqual(['CALM'])
})
