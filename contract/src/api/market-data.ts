import { z } from 'zod'
import { assetCode, decimalText, givenTimestamp, pageLimit, personText, timestamp } from './shared.ts'
import { assetKind } from './wallets.ts'

export const asset = z.strictObject({
  code: assetCode,
  kind: assetKind,
  name: z.string(),
  /** Digits after the decimal point. */
  scale: z.number().int().min(0).max(18),
  /** ISO 3166 alpha-2 of the flag to draw, where one is usual. */
  flag: z.string().nullable(),
  frozen: z.boolean(),
  rate: z.enum(['fresh', 'stale', 'unknown']),
})
export type Asset = z.infer<typeof asset>
export const assets = z.strictObject({ items: z.array(asset), nextCursor: z.null() })

export const ratesQuery = z.strictObject({ base: assetCode.default('EUR') })

export const rate = z.strictObject({
  counter: assetCode,
  /** 1 base = mid counter, to 10 significant digits (computed exactly, rounded half-even for show only). */
  mid: decimalText,
  asOf: timestamp,
  fetchedAt: timestamp,
  source: z.string(),
  ageSeconds: z.number().int(),
  stale: z.boolean(),
})
export type Rate = z.infer<typeof rate>
export const rates = z.strictObject({
  base: assetCode,
  simulated: z.boolean(),
  items: z.array(rate),
  /** Offered assets without a rate: unknown, never 1. */
  unknown: z.array(assetCode),
  nextCursor: z.null(),
})
export type Rates = z.infer<typeof rates>

export const rateHistoryParams = z.strictObject({ base: assetCode, counter: assetCode })
export const rateHistoryQuery = z.strictObject({
  from: givenTimestamp.optional(),
  to: givenTimestamp.optional(),
  span: z.enum(['hour', 'day', 'week']).default('day'),
})
export const ratePoint = z.strictObject({
  at: timestamp,
  open: decimalText,
  high: decimalText,
  low: decimalText,
  close: decimalText,
})
export type RatePoint = z.infer<typeof ratePoint>
export const rateHistory = z.strictObject({
  base: assetCode,
  counter: assetCode,
  span: z.enum(['hour', 'day', 'week']),
  source: z.string().nullable(),
  items: z.array(ratePoint),
  nextCursor: z.null(),
})
export type RateHistory = z.infer<typeof rateHistory>

export const timeliness = z.enum(['realTime', 'delayed', 'endOfDay'])

export const stockPrice = z.strictObject({
  last: decimalText,
  bid: decimalText.nullable(),
  ask: decimalText.nullable(),
  /** Against the previous session's close; null when that is not known. */
  change: z.string().nullable(),
  changePercent: z.string().nullable(),
  asOf: timestamp,
  source: z.string(),
  ageSeconds: z.number().int(),
  stale: z.boolean(),
  timeliness,
  /** How far behind the market a delayed feed has been seen to be; null for others. */
  delaySeconds: z.number().int().nullable(),
})
export type StockPrice = z.infer<typeof stockPrice>

export const instrument = z.strictObject({
  id: z.string(),
  /** The asset code in wallets and postings. */
  code: assetCode,
  ticker: z.string(),
  mic: z.string(),
  figi: z.string().nullable(),
  name: z.string(),
  type: z.enum(['stock', 'etf', 'adr']),
  currency: assetCode,
  status: z.enum(['active', 'delisted']),
  delistedOn: z.string().nullable(),
  simulated: z.boolean(),
  /** Null: unknown. */
  price: stockPrice.nullable(),
  /** Closes of about the last 30 sessions, oldest first, adjusted for splits. */
  sparkline: z.array(decimalText),
})
export type Instrument = z.infer<typeof instrument>
export const instrumentsQuery = z.strictObject({
  /** PostgreSQL takes no NUL, and nobody searches for control characters. */
  q: personText(60).min(1).optional(),
  limit: pageLimit(50, 20),
})
export const instruments = z.strictObject({ items: z.array(instrument), nextCursor: z.null() })

/** Our id, or the ticker. */
export const instrumentParams = z.strictObject({ instrument: z.string().min(1).max(20) })

export const corporateAction = z.strictObject({
  kind: z.enum(['split', 'dividend', 'rename', 'delisting']),
  /** Ex-date, or the day it took effect: `2026-03-02`. */
  on: z.string(),
  /** `4:1`, `0.24 USD`, `FB → META`. */
  text: z.string(),
})
export const instrumentInFull = instrument.extend({
  market: z.strictObject({
    open: z.boolean(),
    opensAt: timestamp,
    closesAt: timestamp,
    halfDay: z.boolean(),
  }),
  previousClose: decimalText.nullable(),
  dayRange: z.strictObject({ low: decimalText, high: decimalText }).nullable(),
  yearRange: z.strictObject({ low: decimalText, high: decimalText }).nullable(),
  volume: z.string().nullable(),
  formerTickers: z.array(z.strictObject({ ticker: z.string(), until: z.string() })),
  corporateActions: z.array(corporateAction),
})
export type InstrumentInFull = z.infer<typeof instrumentInFull>

export const candleSpan = z.enum(['minute', 'fiveMinutes', 'hour', 'day', 'week'])
export const candlesQuery = z.strictObject({
  span: candleSpan.default('day'),
  from: givenTimestamp.optional(),
  to: givenTimestamp.optional(),
})
export const candle = z.strictObject({
  at: timestamp,
  open: decimalText,
  high: decimalText,
  low: decimalText,
  close: decimalText,
  volume: z.string(),
})
export type Candle = z.infer<typeof candle>
export const candles = z.strictObject({
  instrument: z.string(),
  span: candleSpan,
  adjusted: z.literal(true),
  source: z.string().nullable(),
  items: z.array(candle),
  nextCursor: z.null(),
})
export type Candles = z.infer<typeof candles>
