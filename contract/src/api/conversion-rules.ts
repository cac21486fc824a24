import { z } from 'zod'
import { amountText, assetCode, givenTimestamp, timestamp } from './shared.ts'
import { repeatingSchedule, ruleState, ruleSwitch } from './rules.ts'

/** Conversions to be made later: when the rate gets somewhere, or again and again. */

/** Which pair, and the one amount that is fixed. */
const conversionWanted = {
  from: assetCode,
  to: assetCode,
  /** All that leaves the wallet, fee included. */
  fromAmount: amountText.optional(),
  /** Exactly what is to be received. */
  toAmount: amountText.optional(),
}
const amountChange = { fromAmount: amountText.optional(), toAmount: amountText.optional() }

const oneAmount = {
  message: 'give either fromAmount or toAmount',
  path: ['fromAmount'],
}
interface Amounts {
  readonly fromAmount?: string | undefined
  readonly toAmount?: string | undefined
}
const hasOneAmount = (given: Amounts) => (given.fromAmount === undefined) !== (given.toAmount === undefined)
const hasAtMostOneAmount = (given: Amounts) => given.fromAmount === undefined || given.toAmount === undefined

/**
 * The worst rate that is good enough, margin included and the fee left out: what a quote calls `rate`. 1 `base` in the
 * other asset; at least so much when `base` is what one pays, at most when it is what one gets.
 */
export const conversionLimit = z.strictObject({
  base: assetCode,
  rate: amountText.refine((rate) => !/^[0.]*$/.test(rate), 'must be above zero'),
})
export type ConversionLimit = z.infer<typeof conversionLimit>

export const conversionOrderRequest = z
  .strictObject({
    ...conversionWanted,
    limit: conversionLimit,
    /** Left out: until it is cancelled. */
    expiresAt: givenTimestamp.optional(),
  })
  .refine(hasOneAmount, oneAmount)
  .refine(({ from, to, limit }) => limit.base === from || limit.base === to, {
    message: 'must be one of the two assets',
    path: ['limit', 'base'],
  })
export type ConversionOrderRequest = z.infer<typeof conversionOrderRequest>
export const conversionOrderChange = z
  .strictObject({
    ...ruleSwitch,
    ...amountChange,
    limit: conversionLimit.optional(),
    expiresAt: givenTimestamp.nullable().optional(),
  })
  .refine(hasAtMostOneAmount, oneAmount)
export type ConversionOrderChange = z.infer<typeof conversionOrderChange>

export const conversionOrder = z.strictObject({
  ...ruleState,
  ...conversionWanted,
  limit: conversionLimit,
  /** `atLeast` when the limit's base is what one pays. */
  direction: z.enum(['atLeast', 'atMost']),
  expiresAt: timestamp.nullable(),
})
export type ConversionOrder = z.infer<typeof conversionOrder>

export const recurringConversionRequest = z
  .strictObject({ ...conversionWanted, schedule: repeatingSchedule })
  .refine(hasOneAmount, oneAmount)
export type RecurringConversionRequest = z.infer<typeof recurringConversionRequest>
export const recurringConversionChange = z
  .strictObject({ ...ruleSwitch, ...amountChange, schedule: repeatingSchedule.optional() })
  .refine(hasAtMostOneAmount, oneAmount)
export type RecurringConversionChange = z.infer<typeof recurringConversionChange>

export const recurringConversion = z.strictObject({
  ...ruleState,
  ...conversionWanted,
  schedule: repeatingSchedule,
})
export type RecurringConversion = z.infer<typeof recurringConversion>
