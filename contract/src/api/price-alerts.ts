import { z } from 'zod'
import { amountText, assetCode, timestamp } from './shared.ts'
import { ruleState, ruleSwitch } from './rules.ts'
import { instrumentName, instrumentRef } from './trading.ts'

/** Told when a rate or the price of a share gets somewhere. */

const value = amountText.refine((text) => !/^[0.]*$/.test(text), 'must be above zero')
const pair = z.strictObject({ base: assetCode, counter: assetCode })
const direction = z.enum(['above', 'below'])

export const priceAlertRequest = z
  .strictObject({
    /** A share, by its last price. */
    instrument: instrumentRef.optional(),
    /** A pair, by its mid rate: 1 base in counter. */
    pair: pair.optional(),
    /** `above`: at the value or above it. */
    direction,
    value,
    /** False: once. True: each time that it gets there again, an hour apart at least. */
    repeat: z.boolean().default(false),
  })
  .refine((alert) => (alert.instrument === undefined) !== (alert.pair === undefined), {
    message: 'give either instrument or pair',
    path: ['instrument'],
  })
export type PriceAlertRequest = z.infer<typeof priceAlertRequest>
export const priceAlertChange = z.strictObject({
  ...ruleSwitch,
  direction: direction.optional(),
  value: value.optional(),
  repeat: z.boolean().optional(),
})
export type PriceAlertChange = z.infer<typeof priceAlertChange>

export const priceAlert = z.strictObject({
  ...ruleState,
  instrument: instrumentName.nullable(),
  pair: pair.nullable(),
  direction,
  value: amountText,
  /** What the value is in: the counter currency, or the instrument's. */
  currency: assetCode,
  repeat: z.boolean(),
  /** It has told, and rests until then. */
  restsUntil: timestamp.nullable(),
})
export type PriceAlert = z.infer<typeof priceAlert>
