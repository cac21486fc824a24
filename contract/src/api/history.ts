import { z } from 'zod'
import {
  amountText,
  assetCode,
  cursor,
  decimalText,
  givenTimestamp,
  id,
  money,
  page,
  pageLimit,
  personText,
  signedAmountText,
  signedMoney,
  timestamp,
} from './shared.ts'

/** Journal kinds as their owner sees them. */
export const OPERATION_KINDS = [
  'deposit',
  'withdrawal',
  'transfer',
  'conversion',
  'reserve',
  'release',
  'trade',
  'dividend',
  'split',
  'fee',
  'adjustment',
  'reversal',
  'rename',
  'delisting',
] as const
export const operationKind = z.enum(OPERATION_KINDS)
export type OperationKind = z.infer<typeof operationKind>

export const operationsQuery = z.strictObject({
  kind: operationKind.optional(),
  asset: assetCode.optional(),
  /** Handle of the other side, with or without @. */
  counterparty: z
    .string()
    .regex(/^@?[a-z][a-z0-9_]{2,23}$/, 'must be a handle such as @edek')
    .optional(),
  from: givenTimestamp.optional(),
  to: givenTimestamp.optional(),
  /** Size of what moved in `asset` (required with it), regardless of direction. */
  amountMin: amountText.optional(),
  amountMax: amountText.optional(),
  /** Words in notes; each must occur, as a whole word or the beginning of one. */
  q: personText(100).min(1).optional(),
  cursor: cursor.optional(),
  limit: pageLimit(100, 30),
})
export type OperationsQuery = z.infer<typeof operationsQuery>

export const counterparty = z.strictObject({ handle: z.string(), name: z.string() })

/** What a company did to its shares, by how many of them at the start of its day. */
export const operationCorporateAction = z.strictObject({
  instrument: assetCode,
  /** Of a rename and a delisting: the day itself. */
  exDate: z.string(),
  payDate: z.string().optional(),
  /** Shares held when that day began; of a rename and a delisting, when it was posted. */
  quantity: amountText,
  /** A dividend. */
  perShare: decimalText.optional(),
  currency: assetCode.optional(),
  /** Of it, what was kept back as tax by this operation. */
  withholdingBps: z.number().optional(),
  withheld: signedAmountText.optional(),
  /** A split: so many new shares (`to`) for so many old ones (`from`). */
  from: decimalText.optional(),
  to: decimalText.optional(),
  /** What it left below a billionth of a share, exact or with `…` after 12 digits, and what was paid for it. */
  fraction: z.string().optional(),
  fractionPaid: amountText.optional(),
  fractionCurrency: assetCode.optional(),
  /** A rename. */
  tickerFrom: z.string().optional(),
  tickerTo: z.string().optional(),
  /** A delisting, in `currency`. */
  lastPrice: decimalText.optional(),
  source: z.string(),
  /** The difference to what was posted before: the provider corrected itself, or a trade came in late. */
  correction: z.boolean(),
})

/** The rule that made an operation: a standing order, a limit or a recurring conversion. Only its owner sees it. */
export const operationRule = z.strictObject({
  id,
  kind: z.string(),
  run: z.number(),
  /** By the clock: the date that the run was for. */
  plannedFor: timestamp.optional(),
  /** The limit that was met: 1 `limitBase` in the other asset. */
  limit: decimalText.optional(),
  limitBase: assetCode.optional(),
})

/** The order that a reserve, a trade or a release belongs to. */
export const operationOrder = z.strictObject({ id, instrument: assetCode, side: z.enum(['buy', 'sell']) })

export const operation = z.strictObject({
  id,
  kind: operationKind,
  status: z.enum(['posted', 'reversed']),
  at: timestamp,
  amounts: z.array(signedMoney),
  fee: money.optional(),
  counterparty: counterparty.optional(),
  note: z.string().optional(),
  rate: decimalText.optional(),
  corporateAction: operationCorporateAction.optional(),
  rule: operationRule.optional(),
  order: operationOrder.optional(),
})
export type Operation = z.infer<typeof operation>
export const operations = page(operation)
export type Operations = z.infer<typeof operations>

export const operationPosting = z.strictObject({
  /** `available`, `reserved`, `@handle`, `house:conversion`, … as the owner may see it. */
  from: z.string(),
  to: z.string(),
  asset: assetCode,
  amount: amountText,
})

export const operationInFull = operation.extend({
  postings: z.array(operationPosting),
  mid: decimalText.optional(),
  marginBps: z.number().optional(),
  /** What the margin cost, in the asset received. */
  margin: money.optional(),
  rateSource: z.string().optional(),
  rateAsOf: timestamp.optional(),
  /** What rounding kept, in the asset received, as an exact decimal or with `…` after 12 digits. */
  rounding: z.strictObject({ asset: assetCode, amount: z.string() }).optional(),
  /** With what it was dealt or judged at. */
  order: operationOrder
    .extend({
      type: z.string().optional(),
      timeInForce: z.string().optional(),
      quantity: amountText.optional(),
      /** Of the currency that is settled in. */
      notional: amountText.optional(),
      limitPrice: decimalText.optional(),
      stopPrice: decimalText.optional(),
      /** What the shares were dealt at. */
      price: decimalText.optional(),
      /** What could be seen when the order was accepted. */
      priceSeen: decimalText.optional(),
      priceCurrency: assetCode.optional(),
      priceSource: z.string().optional(),
      priceAsOf: timestamp.optional(),
      timeliness: z.string().optional(),
      simulated: z.boolean().optional(),
      /** Shares times price, in the price's currency. */
      value: amountText.optional(),
      /** What became of the order, and why. */
      status: z.string().optional(),
      reason: z.string().optional(),
    })
    .optional(),
  block: z.strictObject({ height: z.string(), hash: z.string() }),
})
export type OperationInFull = z.infer<typeof operationInFull>

export const operationParams = z.strictObject({ id })
