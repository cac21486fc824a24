import { z } from 'zod'
import { assetCode, id, money, signedAmountText, amountText, timestamp } from './shared.ts'

export const assetKind = z.enum(['currency', 'crypto', 'instrument'])

export const balance = z.strictObject({
  asset: assetCode,
  kind: assetKind,
  name: z.string(),
  available: amountText,
  reserved: amountText,
  /** In the base currency, rounded down; null when the rate is unknown. */
  worth: signedAmountText.nullable(),
})
export type Balance = z.infer<typeof balance>

export const wallet = z.strictObject({
  baseCurrency: assetCode,
  /** Sum of the known worths, in the base currency. */
  worth: signedAmountText,
  /** Assets held whose worth is not known and which are left out of the total. */
  unknown: z.array(assetCode),
  /** The oldest rate the total rests on; null when no rate was needed. */
  ratesAsOf: timestamp.nullable(),
  /** Assets whose rate is older than its limit but is still used for the worth shown. */
  stale: z.array(assetCode),
  balances: z.array(balance),
})
export type Wallet = z.infer<typeof wallet>

export const depositRequest = z.strictObject({ asset: assetCode, amount: amountText })
export type DepositRequest = z.infer<typeof depositRequest>

export const deposit = z.strictObject({
  id,
  kind: z.literal('deposit'),
  status: z.literal('posted'),
  asset: assetCode,
  amount: amountText,
  at: timestamp,
})
export type Deposit = z.infer<typeof deposit>

export const openBalanceRequest = z.strictObject({ asset: assetCode })

/** What this installation offers, for the pages to draw themselves by. */
export const meta = z.strictObject({
  version: z.string(),
  simulated: z.boolean(),
  paperMoney: z.array(money),
  passwordLengthMin: z.number().int(),
})
export type Meta = z.infer<typeof meta>
