import { z } from 'zod'
import { assetCode, decimalText, givenTimestamp, timestamp } from './shared.ts'
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
