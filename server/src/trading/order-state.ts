import { applyBps, convertDown, costUp, invertRate } from '@kantor/contract/money'
import type { Rate } from '@kantor/contract/money'
import { priceConversion } from '#exchange'
import type { Price } from '#exchange'
import type { EndReason, Order } from './order.ts'
import { feeOf, larger, sharesForMoney, sharesToBring, smaller, valueOf } from './order-maths.ts'

/** 1 of the instrument's currency in the settling one at mid, and the house's margin on it. */
export interface SettlementRate {
  readonly mid: Rate
  readonly marginBps: number
}

/** `same`: the order settles in the instrument's currency. `unknown`: no rate that can be dealt at. */
export type Settlement = 'same' | 'unknown' | SettlementRate

export type OrderEvent =
  | {
      readonly kind: 'price'
      readonly seq: bigint
      readonly asOf: Date
      /** What the customer deals at, for this order's side, and what a stop is compared with. */
      readonly price18: bigint
      readonly last18: bigint
      /** Shares that one price fills of one order at most; null: any number. */
      readonly sharesMax: bigint | null
      readonly settlement: Settlement
      readonly at: Date
    }
  | { readonly kind: 'cancel'; readonly reason: EndReason; readonly at: Date }
  /** Its owner's wish, while prices of before may still come until then. */
  | { readonly kind: 'askToCancel'; readonly at: Date; readonly sweepAt: Date }
  | { readonly kind: 'expire'; readonly at: Date }

/** One fill, in whole. All amounts > 0 except fee, value and settled, which a tiny part of an order may round to 0. */
export interface FillDraft {
  readonly number: number
  readonly quantity: bigint
  readonly price18: bigint
  /** In the instrument's currency, without the fee. */
  readonly valueMinor: bigint
  readonly feeMinor: bigint
  /** In the settling currency, fee included: what leaves (buy) or arrives (sell). */
  readonly settledMinor: bigint
  /** How it was converted; null when both currencies are the same. */
  readonly conversion: Price | null
  readonly seq: bigint
  readonly asOf: Date
  readonly at: Date
}

export interface Decision {
  /** The same object when nothing changed. */
  readonly order: Order
  readonly fill: FillDraft | null
  /** What goes back to available, once, when the order ends. */
  readonly releasedMinor: bigint
}

type PriceEvent = Extract<OrderEvent, { kind: 'price' }>

/** The state machine of an order: no clock, no I/O. What it decides is posted in the tx that stores the state. */
export function decide(order: Order, event: OrderEvent): Decision {
  if (order.doneAt !== null) return unchanged(order)
  if (event.kind === 'cancel') return ended(order, 'cancelled', event.reason, event.at)
  if (event.kind === 'askToCancel') return askedToCancel(order, event)
  if (event.kind === 'expire')
    return order.cancelAskedAt === null
      ? ended(order, 'expired', 'sessionEnded', event.at)
      : ended(order, 'cancelled', 'byCustomer', event.at)
  if (!concerns(order, event)) return unchanged(order)
  const considered: Order = {
    ...order,
    lastSeq: event.seq,
    triggered: order.triggered || crosses(order, event),
  }
  if (!isMarketable(considered, event)) return unfilled(considered, order, event, 'notMarketable')
  if (event.settlement === 'unknown') return unfilled(considered, order, event, 'rateUnknown')
  return considered.side === 'buy' ? bought(considered, event) : sold(considered, event)
}

function unchanged(order: Order): Decision {
  return { order, fill: null, releasedMinor: 0n }
}

function askedToCancel(
  order: Order,
  { at, sweepAt }: Extract<OrderEvent, { kind: 'askToCancel' }>,
): Decision {
  if (order.cancelAskedAt !== null) return unchanged(order)
  const isSooner = order.sweepAt === null || sweepAt < order.sweepAt
  return unchanged({ ...order, cancelAskedAt: at, sweepAt: isSooner ? sweepAt : order.sweepAt })
}

function ended(
  order: Order,
  status: 'filled' | 'cancelled' | 'expired',
  reason: EndReason | null,
  at: Date,
): Decision {
  const done: Order = { ...order, status, reason, doneAt: at, reserveLeftMinor: 0n }
  return { order: done, fill: null, releasedMinor: order.reserveLeftMinor }
}

/**
 * Only prices that nobody could have known at acceptance, of the session that the order is for, and of before its owner
 * wanted it back.
 */
function concerns(order: Order, { seq, asOf }: PriceEvent): boolean {
  return (
    seq > order.lastSeq &&
    seq > order.acceptedSeq &&
    asOf > order.acceptedAt &&
    (order.queuedUntil === null || asOf >= order.queuedUntil) &&
    (order.expiresAt === null || asOf <= order.expiresAt) &&
    (order.cancelAskedAt === null || asOf <= order.cancelAskedAt)
  )
}

function crosses({ type, side, stop18 }: Order, { last18 }: PriceEvent): boolean {
  if (type !== 'stop' || stop18 === null) return false
  return side === 'buy' ? last18 >= stop18 : last18 <= stop18
}

function isMarketable(order: Order, { price18 }: PriceEvent): boolean {
  if (order.type === 'stop') return order.triggered
  if (order.limit18 === null) return true
  return order.side === 'buy' ? price18 <= order.limit18 : price18 >= order.limit18
}

/** An order that waits stays as it was, so that a price that is of no use to it costs no write. */
function unfilled(considered: Order, before: Order, event: PriceEvent, reason: EndReason): Decision {
  if (before.timeInForce === 'ioc') return ended(considered, 'cancelled', reason, event.at)
  return considered.triggered === before.triggered ? unchanged(before) : unchanged(considered)
}

function bought(order: Order, event: PriceEvent): Decision {
  const affordable = sharesForMoney(order, order, budgetOf(order, event.settlement), event.price18)
  const wanted = order.quantity === null ? affordable : order.quantity - order.filledQuantity
  const quantity = smaller(smaller(wanted, affordable), event.sharesMax ?? wanted)
  if (quantity <= 0n) return exhausted(order, event.at)
  const value = valueAfter(order, quantity, event.price18)
  const feeMinor = feeOf(order, value.totalMinor) - order.feeMinor
  const { minor, conversion } = paid(order, event.settlement, value.minor + feeMinor)
  const fill = fillOf(order, event, {
    quantity,
    valueMinor: value.minor,
    feeMinor,
    settledMinor: minor,
    conversion,
  })
  const next = filled(order, fill, order.reserveLeftMinor - minor)
  const isComplete = next.quantity === null ? quantity === affordable : next.filledQuantity === next.quantity
  if (isComplete) return { ...ended(next, 'filled', null, event.at), fill }
  // The reserve was for the worst case; beyond it the customer was never asked.
  if (quantity === affordable) return { ...ended(next, 'cancelled', 'reserveUsed', event.at), fill }
  return partly(next, fill, event.at)
}

function sold(order: Order, event: PriceEvent): Decision {
  const wanted = sharesWanted(order, event)
  const offered = smaller(wanted, order.reserveLeftMinor)
  const quantity = smaller(offered, event.sharesMax ?? offered)
  if (quantity <= 0n) return exhausted(order, event.at)
  const value = valueAfter(order, quantity, event.price18)
  const feeMinor = smaller(feeOf(order, value.totalMinor) - order.feeMinor, value.minor)
  const { minor, conversion } = received(order, event.settlement, value.minor - feeMinor)
  // Shares are never given away for nothing.
  if (minor <= 0n) return ended(order, 'cancelled', 'tooSmall', event.at)
  const fill = fillOf(order, event, {
    quantity,
    valueMinor: value.minor,
    feeMinor,
    settledMinor: minor,
    conversion,
  })
  const next = filled(order, fill, order.reserveLeftMinor - quantity)
  const isComplete =
    next.notionalMinor === null
      ? next.filledQuantity === next.quantity
      : next.settledMinor >= next.notionalMinor
  if (isComplete) return { ...ended(next, 'filled', null, event.at), fill }
  if (next.reserveLeftMinor === 0n) return { ...ended(next, 'cancelled', 'reserveUsed', event.at), fill }
  return partly(next, fill, event.at)
}

/** Nothing that can be dealt is left of it. What is too little for a share's billionth is no failure of the order. */
function exhausted(order: Order, at: Date): Decision {
  if (order.fills > 0 && order.notionalMinor !== null) return ended(order, 'filled', null, at)
  return ended(
    order,
    'cancelled',
    order.fills > 0 || order.quantity !== null ? 'reserveUsed' : 'tooSmall',
    at,
  )
}

function partly(order: Order, fill: FillDraft, at: Date): Decision {
  if (order.timeInForce === 'ioc') return { ...ended(order, 'cancelled', 'notMarketable', at), fill }
  return { order, fill, releasedMinor: 0n }
}

/** What is left of a purchase's reserve, in the instrument's currency. */
function budgetOf(order: Order, settlement: Settlement): bigint {
  if (typeof settlement === 'string') return order.reserveLeftMinor
  const given = convertDown(
    order.reserveLeftMinor,
    order.settleScale,
    order.currencyScale,
    applyBps(midOfPurchase(settlement), BigInt(settlement.marginBps), 'down'),
  )
  return given.ok ? given.minor : 0n
}

/** How many shares a sale still needs to sell. */
function sharesWanted(order: Order, { settlement, price18 }: PriceEvent): bigint {
  if (order.quantity !== null) return order.quantity - order.filledQuantity
  const toBring = (order.notionalMinor ?? 0n) - order.settledMinor
  if (typeof settlement === 'string') return sharesToBring(order, order, toBring, price18)
  const rate = applyBps(settlement.mid, BigInt(settlement.marginBps), 'down')
  const net = costUp(toBring, order.currencyScale, order.settleScale, rate)
  return net.ok ? sharesToBring(order, order, net.minor, price18) : order.reserveLeftMinor
}

function valueAfter(order: Order, quantity: bigint, price18: bigint): { minor: bigint; totalMinor: bigint } {
  const totalMinor = valueOf(order.side, order.valueExact + quantity * price18, order.currencyScale)
  return { minor: totalMinor - order.valueMinor, totalMinor }
}

/** A purchase sells the settling currency for the instrument's. */
function midOfPurchase({ mid }: SettlementRate): Rate {
  return invertRate(mid)
}

function paid(
  order: Order,
  settlement: Settlement,
  totalMinor: bigint,
): { minor: bigint; conversion: Price | null } {
  if (typeof settlement === 'string' || totalMinor === 0n) return { minor: totalMinor, conversion: null }
  const { settleScale: fromScale, currencyScale: toScale } = order
  const terms = { fromScale, toScale, mid: midOfPurchase(settlement), ...marginOnly(settlement) }
  const result = priceConversion(terms, { side: 'to', minor: totalMinor })
  if (!result.ok) throw new RangeError('more was about to be converted than an account can hold')
  return { minor: result.price.fromMinor, conversion: result.price }
}

function received(
  order: Order,
  settlement: Settlement,
  netMinor: bigint,
): { minor: bigint; conversion: Price | null } {
  if (typeof settlement === 'string' || netMinor <= 0n) return { minor: netMinor, conversion: null }
  const { currencyScale: fromScale, settleScale: toScale } = order
  const result = priceConversion(
    { fromScale, toScale, mid: settlement.mid, ...marginOnly(settlement) },
    { side: 'from', minor: netMinor },
  )
  return result.ok
    ? { minor: result.price.toMinor, conversion: result.price }
    : { minor: 0n, conversion: null }
}

/** An order has a fee of its own, so its conversion has none beside the margin. */
function marginOnly({ marginBps }: SettlementRate) {
  return { marginBps: BigInt(marginBps), feeBps: 0n, feeMinimumMinor: 0n }
}

function fillOf(
  order: Order,
  { price18, seq, asOf, at }: PriceEvent,
  amounts: Pick<FillDraft, 'quantity' | 'valueMinor' | 'feeMinor' | 'settledMinor' | 'conversion'>,
): FillDraft {
  return { number: order.fills + 1, price18, seq, asOf, at, ...amounts }
}

function filled(order: Order, fill: FillDraft, reserveLeftMinor: bigint): Order {
  if (reserveLeftMinor < 0n) throw new Error(`order ${order.id} was about to be filled beyond its reserve`)
  return {
    ...order,
    status: 'partiallyFilled',
    filledQuantity: order.filledQuantity + fill.quantity,
    valueExact: order.valueExact + fill.quantity * fill.price18,
    valueMinor: order.valueMinor + fill.valueMinor,
    feeMinor: order.feeMinor + fill.feeMinor,
    settledMinor: order.settledMinor + fill.settledMinor,
    reserveLeftMinor,
    fills: fill.number,
  }
}

/** What would be filled of the order at this price if it had set aside so much: for previews and first judgements. */
export function fillAt(
  order: Order,
  reserveMinor: bigint,
  price18: bigint,
  settlement: Exclude<Settlement, 'unknown'>,
): FillDraft | null {
  const { acceptedAt, acceptedSeq } = order
  const event: PriceEvent = {
    kind: 'price',
    seq: acceptedSeq + 1n,
    asOf: acceptedAt,
    price18,
    last18: price18,
    sharesMax: null,
    settlement,
    at: acceptedAt,
  }
  const reserved = { ...order, reserveMinor, reserveLeftMinor: reserveMinor }
  return (order.side === 'buy' ? bought(reserved, event) : sold(reserved, event)).fill
}

/**
 * The least that must be set aside so that the order can be filled at this price: a purchase's cost with its fee in
 * the settling currency, rounded up; a sale's shares.
 */
export function reserveNeeded(
  order: Order,
  price18: bigint,
  settlement: Exclude<Settlement, 'unknown'>,
): bigint {
  if (order.side === 'sell') {
    const event = { settlement, price18 } as PriceEvent
    return larger(sharesWanted(order, event), 1n)
  }
  if (order.notionalMinor !== null) return order.notionalMinor
  const value = valueOf('buy', (order.quantity ?? 0n) * price18, order.currencyScale)
  return paid(order, settlement, value + feeOf(order, value)).minor
}
