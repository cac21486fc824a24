import { z } from 'zod'
import {
  amountText,
  assetCode,
  decimalText,
  id,
  money,
  page,
  pageLimit,
  signedAmountText,
  cursor,
  timestamp,
} from './shared.ts'

/** An instrument's id (`10001`), its ticker (`AAPL`) or its asset code (`ALL.XNYS`). */
export const instrumentRef = z
  .string()
  .regex(/^(?:[1-9][0-9]{4,6}|[A-Z][A-Z0-9.]{0,11})$/, 'must be an instrument id or a ticker such as AAPL')

export const instrumentName = z.strictObject({ id: z.string(), ticker: z.string(), name: z.string() })

export const side = z.enum(['buy', 'sell'])
export const orderType = z.enum(['market', 'limit', 'stop'])
export const timeInForce = z.enum(['day', 'gtc', 'ioc'])
export const orderStatus = z.enum(['new', 'partiallyFilled', 'filled', 'cancelled', 'rejected', 'expired'])

export const orderRequest = z
  .strictObject({
    instrument: instrumentRef,
    side,
    type: orderType,
    /** Shares, up to 9 digits after the point. */
    quantity: amountText.optional(),
    /** How much money to spend or to receive, in any held currency. */
    notional: money.optional(),
    limitPrice: amountText.optional(),
    stopPrice: amountText.optional(),
    timeInForce,
    /** The currency to pay from or to receive in, when it is not the instrument's. */
    settleIn: assetCode.optional(),
  })
  .refine((order) => (order.quantity === undefined) !== (order.notional === undefined), {
    message: 'give either quantity or notional',
    path: ['quantity'],
  })
  .refine((order) => (order.type === 'limit') === (order.limitPrice !== undefined), {
    message: 'a limit order needs limitPrice, others must not have it',
    path: ['limitPrice'],
  })
  .refine((order) => (order.type === 'stop') === (order.stopPrice !== undefined), {
    message: 'a stop order needs stopPrice, others must not have it',
    path: ['stopPrice'],
  })
export type OrderRequest = z.infer<typeof orderRequest>

export const order = z.strictObject({
  id,
  instrument: instrumentName,
  side,
  type: orderType,
  quantity: amountText.optional(),
  notional: money.optional(),
  limitPrice: decimalText.optional(),
  stopPrice: decimalText.optional(),
  timeInForce,
  status: orderStatus,
  filledQuantity: amountText,
  averagePrice: decimalText.optional(),
  /** In the instrument's currency, which all prices of the order are in too. */
  fee: money,
  /** What is still set aside for this order. */
  reserved: money,
  settleIn: assetCode.optional(),
  /** When the market opens for it, if it waits for that. */
  queuedUntil: timestamp.nullable(),
  /** Since then its owner wants it back; a price of before may still come, and fill it, on a feed that is behind. */
  cancelAskedAt: timestamp.nullable(),
  /** Why it was cancelled, rejected or expired. */
  reason: z.string().nullable(),
  at: timestamp,
})
export type Order = z.infer<typeof order>
export const ordersQuery = z.strictObject({
  status: z.enum(['open', 'done']).optional(),
  cursor: cursor.optional(),
  limit: pageLimit(100, 30),
})
export const orders = page(order)
export type Orders = z.infer<typeof orders>

/** What an order would cost or bring at the present price; binds nobody. */
export const orderPreview = z.strictObject({
  instrument: instrumentName,
  side,
  quantity: amountText,
  price: decimalText,
  priceAsOf: timestamp,
  priceSource: z.string(),
  timeliness: z.enum(['realTime', 'delayed', 'endOfDay']),
  /** Shares times price, in the instrument's currency. */
  value: money,
  fee: money,
  /** What would be set aside (buy: the worst case with fee; sell: shares). */
  reserve: money,
  /** In the currency of settlement: what leaves (buy) or arrives (sell), fee included. */
  total: money,
  conversion: z.strictObject({ rate: decimalText, rateAsOf: timestamp, source: z.string() }).nullable(),
  marketOpen: z.boolean(),
  queuedUntil: timestamp.nullable(),
  simulated: z.boolean(),
})
export type OrderPreview = z.infer<typeof orderPreview>

const profit = z.strictObject({
  /** In the instrument's currency. */
  amount: signedAmountText,
  /** In the customer's base currency, and what of it came from where; null while a rate is unknown. */
  inBase: z
    .strictObject({
      total: signedAmountText,
      price: signedAmountText,
      currency: signedAmountText,
      fees: signedAmountText,
      dividends: signedAmountText,
      /** The base currency was changed since: older amounts were converted at one later rate. */
      approximate: z.boolean().optional(),
    })
    .nullable(),
})

export const position = z.strictObject({
  instrument: instrumentName,
  quantity: amountText,
  averageCost: decimalText,
  costBasis: money,
  costBasisInBase: money.nullable(),
  marketValue: money.nullable(),
  marketValueInBase: money.nullable(),
  price: decimalText.nullable(),
  priceAsOf: timestamp.nullable(),
  unrealised: profit.nullable(),
  realised: profit,
})
export type Position = z.infer<typeof position>
export const costBasisMethod = z.enum(['fifo', 'average'])
export const positions = z.strictObject({
  method: costBasisMethod,
  baseCurrency: assetCode,
  items: z.array(position),
  nextCursor: z.null(),
})
export type Positions = z.infer<typeof positions>
export const positionsSettings = z.strictObject({ method: costBasisMethod })

export const lot = z.strictObject({
  openedAt: timestamp,
  quantity: amountText,
  costBasis: money,
  from: z.enum(['trade', 'transfer', 'split', 'found']),
})
export const lotsQuery = z.strictObject({ cursor: cursor.optional(), limit: pageLimit(1_000, 100) })
export const lots = page(lot)
export type Lots = z.infer<typeof lots>

export const watchlistRequest = z.strictObject({ instrument: instrumentRef })

export const worthRange = z.enum(['1D', '1W', '1M', '1Y', 'all'])
export const worthHistory = z.strictObject({
  baseCurrency: assetCode,
  range: worthRange,
  items: z.array(
    z.strictObject({
      at: timestamp,
      worth: signedAmountText,
      /** Something was held whose worth was unknown, and is left out. */
      incomplete: z.boolean(),
    }),
  ),
  change: signedAmountText.nullable(),
  changePercent: z.string().nullable(),
  nextCursor: z.null(),
})
export type WorthHistory = z.infer<typeof worthHistory>
