import { hash } from 'node:crypto'
import { formatAmount, formatRate, INSTRUMENT_SCALE, invertRate } from '@kantor/contract/money'
import type { PostCommand, Posting } from '#ledger'
import { accountsOf } from './order-accounts.ts'
import { reserveAssetOf } from './order.ts'
import type { Order } from './order.ts'
import type { FillDraft } from './order-state.ts'
import { textOfPrice } from './price18.ts'
import type { SettlementQuote } from './settlement-rate.ts'

/** What a journal says beside its postings. Members may be added, never changed; README.md lists them. */
export interface TradeContext {
  readonly instrumentCode: string
  readonly currencyCode: string
  readonly settleCode: string
  readonly priceSource: string
  readonly timeliness: string
  readonly simulated: boolean
  readonly quote: SettlementQuote | null
}

/** One fill with the order as it is after it. */
export interface Trade {
  readonly after: Order
  readonly fill: FillDraft
  readonly context: TradeContext
  /** What goes back to available when the order ends with this fill; else 0. */
  readonly releasedMinor: bigint
}

const RATE_DIGITS = 10

/** A key of the system's own: clients' keys have no blanks. */
export const fillKey = (orderId: string, number: number): string => `order ${orderId} fill ${number}`
const releaseKey = (orderId: string): string => `order ${orderId} release`

/**
 * The journal of one fill: each leg a posting of its own, so that price, fee and margin can be read off. If the order
 * ends with it, what is left of the reserve comes back in it too: a journal of its own for that was a third of all
 * journals of orders.
 */
export function tradeCommand({ after: order, fill, context, releasedMinor }: Trade): PostCommand {
  const legs = order.side === 'buy' ? purchase(order, fill) : sale(order, fill)
  const postings = [...legs, releasing(order, releasedMinor)].filter(({ amount }) => amount > 0n)
  const key = fillKey(order.id, fill.number)
  return {
    kind: 'trade',
    scope: order.walletId,
    key,
    requestHash: ownHash(key),
    postings,
    opens: openedBy(order, postings),
    // The trade's own time, however late its price came in: it decides who is entitled to what a company does.
    effectiveAt: fill.asOf,
    detail: tradeDetail(order, fill, context),
  }
}

/**
 * Cash out of what was set aside: straight to the brokerage account, or through the house's conversion accounts and
 * the customer's own account in the instrument's currency, which it leaves at once.
 */
function purchase(order: Order, fill: FillDraft): Posting[] {
  const { available, reserved, brokerage, conversion, fees } = accountsOf(order)
  const { instrumentId, currencyId, settleId } = order
  const converts = settleId !== currencyId
  const cashFrom = converts ? available(currencyId) : reserved
  const legs: Posting[] = converts
    ? [
        { from: reserved, to: conversion(settleId), amount: fill.settledMinor },
        { from: conversion(currencyId), to: cashFrom, amount: fill.valueMinor + fill.feeMinor },
      ]
    : []
  return [
    ...legs,
    { from: cashFrom, to: brokerage(currencyId), amount: fill.valueMinor },
    { from: cashFrom, to: fees, amount: fill.feeMinor },
    { from: brokerage(instrumentId), to: available(instrumentId), amount: fill.quantity },
  ]
}

function sale(order: Order, fill: FillDraft): Posting[] {
  const { available, reserved, brokerage, conversion, fees } = accountsOf(order)
  const { instrumentId, currencyId, settleId } = order
  const cash = available(currencyId)
  const legs: Posting[] =
    settleId === currencyId
      ? []
      : [
          { from: cash, to: conversion(currencyId), amount: fill.valueMinor - fill.feeMinor },
          { from: conversion(settleId), to: available(settleId), amount: fill.settledMinor },
        ]
  return [
    { from: reserved, to: brokerage(instrumentId), amount: fill.quantity },
    { from: brokerage(currencyId), to: cash, amount: fill.valueMinor },
    { from: cash, to: fees, amount: fill.feeMinor },
    ...legs,
  ]
}

/** All but the reserve, which exists since the order does. */
function openedBy(order: Order, postings: readonly Posting[]): bigint[] {
  const { reserved } = accountsOf(order)
  return [...new Set(postings.flatMap(({ from, to }) => [from, to]))].filter((id) => id !== reserved)
}

function tradeDetail(
  order: Order,
  fill: FillDraft,
  context: TradeContext,
): NonNullable<PostCommand['detail']> {
  const { quote } = context
  return {
    orderId: order.id,
    fill: fill.number,
    side: order.side,
    instrument: context.instrumentCode,
    quantity: formatAmount(fill.quantity, INSTRUMENT_SCALE),
    price: textOfPrice(fill.price18),
    priceCurrency: context.currencyCode,
    priceSource: context.priceSource,
    priceAsOf: fill.asOf.toISOString(),
    priceSeq: `${fill.seq}`,
    timeliness: context.timeliness,
    simulated: context.simulated,
    value: formatAmount(fill.valueMinor, order.currencyScale),
    fee: formatAmount(fill.feeMinor, order.currencyScale),
    feeAsset: context.currencyCode,
    feeBps: order.feeBps,
    ...(fill.conversion === null || quote === null
      ? {}
      : {
          settle: context.settleCode,
          rate: formatRate(fill.conversion.rate, RATE_DIGITS, 'down'),
          ...midOf(order.side, quote),
          marginBps: quote.marginBps,
          rateSource: quote.source,
          rateAsOf: quote.asOf.toISOString(),
          rateSnapshots: [...quote.snapshotIds],
          rounding: {
            numerator: `${fill.conversion.rounding.numerator}`,
            denominator: `${fill.conversion.rounding.denominator}`,
          },
        }),
    ...(order.doneAt === null ? {} : { status: order.status, reason: order.reason }),
  }
}

/** 1 of what is paid in what is received, like `rate` and as a conversion's detail has it. */
function midOf(side: 'buy' | 'sell', { mid, midText }: SettlementQuote) {
  const isSale = side === 'sell'
  const ratio = isSale ? mid : invertRate(mid)
  return {
    mid: isSale ? midText : formatRate(ratio, RATE_DIGITS, 'halfEven'),
    midRatio: { numerator: `${ratio.numerator}`, denominator: `${ratio.denominator}` },
  }
}

function releasing(order: Order, releasedMinor: bigint): Posting {
  const { reserved, available } = accountsOf(order)
  return { from: reserved, to: available(reserveAssetOf(order)), amount: releasedMinor }
}

/** What is left of the reserve of an order that ends without a fill, back to available; once, as the key says. */
export function releaseCommand(
  order: Order,
  releasedMinor: bigint,
  context: Pick<TradeContext, 'instrumentCode'>,
): PostCommand {
  const posting = releasing(order, releasedMinor)
  const key = releaseKey(order.id)
  return {
    kind: 'release',
    scope: order.walletId,
    key,
    requestHash: ownHash(key),
    postings: [posting],
    opens: [posting.to],
    detail: {
      orderId: order.id,
      side: order.side,
      instrument: context.instrumentCode,
      status: order.status,
      reason: order.reason,
    },
  }
}

/** What is set aside, under the client's own key: the order's acceptance is this journal. */
export function reserveCommand(
  order: Order,
  keyed: { readonly key: string; readonly requestHash: Buffer },
  said: NonNullable<PostCommand['detail']>,
): PostCommand {
  const { reserved, ofEnd } = accountsOf(order)
  const [, available] = ofEnd
  if (available === undefined) throw new Error('an order without accounts')
  return {
    kind: 'reserve',
    scope: order.walletId,
    key: keyed.key,
    requestHash: keyed.requestHash,
    postings: [{ from: available, to: reserved, amount: order.reserveMinor }],
    opens: [reserved],
    detail: {
      orderId: order.id,
      side: order.side,
      type: order.type,
      timeInForce: order.timeInForce,
      ...said,
    },
  }
}

function ownHash(key: string): Buffer {
  return hash('sha256', key, 'buffer').subarray(0, 16)
}
