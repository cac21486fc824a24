import { expect, test } from 'vitest'
import { testDatabase } from '#test/harness'
import { ensureSource } from './stock-source.ts'
import type { CandleDraft } from './judge-candle.ts'
import { storeCandles } from './store-candles.ts'

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

test('a past that is stored twice at once is there once, whole, and the second time changes nothing', async () => {
  const past = Array.from({ length: 7_000 }, (_, minute) =>
    bar(1, { instrumentId: 10_001, startAt: new Date(Date.UTC(2025, 0, 1, 0, minute)) }),
  )
  const taken = await Promise.all([1, 2, 3].map(() => storeCandles(db, source.id, 'minute', past)))
  expect(taken.reduce((sum, { stored }) => sum + stored, 0)).toBe(past.length)
  expect(await storeCandles(db, source.id, 'minute', past)).toEqual({
    stored: 0,
    refused: 0,
    lastRefusal: null,
  })
  const corrected = past.map((one, index) => (index === 6_500 ? { ...one, close: '27.7' } : one))
  expect(await storeCandles(db, source.id, 'minute', corrected)).toMatchObject({ stored: 1 })
})

test('a failure of the database is the caller’s to hear, and no row after it is written', async () => {
  const rows = Array.from({ length: 9_000 }, (_, minute) =>
    bar(1, {
      instrumentId: minute < 3_000 ? 2 ** 31 : 10_002,
      startAt: new Date(Date.UTC(2025, 0, 1, 0, minute)),
    }),
  )
  await expect(storeCandles(db, source.id, 'minute', rows)).rejects.toThrow('out of range')
  const { rows: found } = await db.query('select from market_data.candles where instrument_id = 10002')
  expect(found).toHaveLength(0)
})

test('a past that the database refuses is not stored in part', async () => {
  const past = (instrumentId: number) =>
    Array.from({ length: 600 }, (_, minute) =>
      bar(1, { instrumentId, startAt: new Date(Date.UTC(2025, 0, 1, 0, minute)) }),
    )
  const rows = [...past(10_003), ...past(2 ** 31)]
  await expect(storeCandles(db, source.id, 'minute', rows)).rejects.toThrow('out of range')
  const { rows: found } = await db.query('select from market_data.candles where instrument_id = 10003')
  expect(found).toHaveLength(0)
})

test('a new past comes in whole but for rows that make no sense, whatever its order', async () => {
  const past = (instrumentId: number) =>
    Array.from({ length: 25_000 }, (_, minute) =>
      bar(1, {
        instrumentId,
        startAt: new Date(Date.UTC(2025, 0, 1, 0, minute)),
        volume: `${minute}.5`,
        ...(minute % 10_000 === 7 ? { high: '1' } : {}),
      }),
    )
  const stored = (instrumentId: number) =>
    db.query(
      `select span, source, at, open, high, low, close, volume from market_data.candles
        where instrument_id = $1 order by at`,
      [instrumentId],
    )
  const taken = { stored: 24_997, refused: 3, lastRefusal: '3 bars, such as of instrument 10004.' }
  expect(await storeCandles(db, source.id, 'minute', past(10_004))).toEqual(taken)
  const backwards = past(10_005).toReversed()
  expect(await storeCandles(db, source.id, 'minute', backwards)).toMatchObject({ stored: 24_997, refused: 3 })
  const { rows } = await stored(10_004)
  expect(rows).toHaveLength(24_997)
  expect(rows[8]).toMatchObject({ open: '28.3', high: '28.61', low: '26.57', close: '27.68', volume: '9.5' })
  expect((await stored(10_005)).rows).toEqual(rows)
})
