import { z } from 'zod'
import { amountText, assetCode, decimalText, id, money, timestamp } from './shared.ts'

export const conversionQuoteRequest = z
  .strictObject({
    from: assetCode,
    to: assetCode,
    /** All that leaves the wallet, fee included. */
    fromAmount: amountText.optional(),
    /** Exactly what is to be received. */
    toAmount: amountText.optional(),
  })
  .refine((request) => (request.fromAmount === undefined) !== (request.toAmount === undefined), {
    message: 'give either fromAmount or toAmount',
    path: ['fromAmount'],
  })
export type ConversionQuoteRequest = z.infer<typeof conversionQuoteRequest>

export const conversionQuote = z.strictObject({
  id,
  from: money,
  to: money,
  /** The customer's rate: 1 from = rate to, margin included. */
  rate: decimalText,
  mid: decimalText,
  marginBps: z.number(),
  fee: money,
  rateAsOf: timestamp,
  source: z.string(),
  /** By the server's clock, as `expiresAt` is: their difference is how long it is firm, whatever the reader's says. */
  quotedAt: timestamp,
  expiresAt: timestamp,
})
export type ConversionQuote = z.infer<typeof conversionQuote>

export const conversionRequest = z.strictObject({ quoteId: id })
export type ConversionRequest = z.infer<typeof conversionRequest>

export const conversion = z.strictObject({
  id,
  kind: z.literal('conversion'),
  status: z.literal('posted'),
  from: money,
  to: money,
  fee: money,
  rate: decimalText,
  at: timestamp,
})
export type Conversion = z.infer<typeof conversion>
