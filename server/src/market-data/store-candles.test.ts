import { expect, test } from 'vitest'
import { testDatabase } from '#test/harness'
import { ensureSource } from './stock-feeds.ts'
import { storeCandles, type CandleDraft } from './store-candles.ts'

const { db } = await testDatabase()
const provider = { name: 'test', simulated: true, configuredAs: 'test' }
const source = await ensureSource({ db, clock: () => new Date('2026-01-05T22:00:00Z'), provider })
const bar = (day: number, prices: Partial<CandleDraft>): CandleDraft => ({
  instrumentId: 10_000,
  startAt: new Date(Date.UTC(2026, 0, day, 5)),
  open: '28.3',
  high: '28.61',
  low: '26.57',
  close: '27.68',
  volume: '55707009.0',
  vwap: null,
  ...prices,
})

test('a price with all the digits of a double is kept with all of them', async () => {
  const taken = await storeCandles(db, source.id, 'day', [bar(5, { open: '28.445999999999998' })])
  expect(taken).toEqual({ stored: 1, refused: 0, lastRefusal: null })
  const { rows } = await db.query<{ open: string }>('select open from market_data.candles')
  expect(rows).toEqual([{ open: '28.445999999999998' }])
})

test('what is wrong by less than a double can tell is left out alone, and does not cost the others', async () => {
  const wrong = bar(6, { low: '27.680000000000000001' })
  const high = bar(7, { open: '28.610000000000000001' })
  const equal = bar(8, { open: '28.610', high: '28.610000000000000000' })
  const taken = await storeCandles(db, source.id, 'day', [wrong, high, equal, bar(9, {})])
  expect(taken).toMatchObject({ stored: 2, refused: 2 })
})
