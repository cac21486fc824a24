import { compareRates, parseRate, type Rate } from '@kantor/contract/money'
import type { StockSnapshot, Timeliness } from './providers/stock-provider.ts'

/** A price as it was given, not yet believed. Decimal text. */
export interface PriceDraft {
  readonly instrumentId: number
  readonly last: string
  readonly bid: string | null
  readonly ask: string | null
  readonly asOf: Date
  readonly timeliness: Timeliness
}

/** What is compared with: the newest believed price, in terms of today's shares. */
export interface HeldPrice {
  readonly last: Rate
  readonly bid: string | null
  readonly ask: string | null
  readonly lastText: string
  readonly asOf: Date
  readonly fetchedAt: Date
}

export interface Doubt {
  readonly last: Rate
  readonly asOf: Date
}

export type PriceVerdict =
  | { readonly outcome: 'believed'; readonly price: PriceDraft }
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'doubted'; readonly price: PriceDraft }
  | { readonly outcome: 'refused'; readonly why: 'price' | 'time' | 'older' }

const AHEAD_MS_MAX = 5 * 60_000
const PRICE_MAX = 10n ** 12n
/**
 * An unchanged price is written down again after this, so that a quiet stock is not taken for a dead feed, and an order
 * that waits for the next price is not kept waiting by one that did not move.
 */
const SAME_AGAIN_MS = 20_000
/** Between two polls of a session, and between two closes. Past it a second one has to agree. */
const JUMP_PERCENT = { live: 30n, endOfDay: 60n } as const
const AGREE_PERCENT = 10n
/** A bid and an ask further apart than this say nothing of the price. */
const SPREAD_PERCENT_MAX = 10n

/** Decides about one price. Pure: what it is compared with comes in. */
export function judgePrice(
  draft: PriceDraft,
  held: HeldPrice | null,
  doubt: Doubt | null,
  now: Date,
): PriceVerdict {
  const read = parseRate(draft.last)
  if (!read.ok || read.rate.numerator >= read.rate.denominator * PRICE_MAX) {
    return { outcome: 'refused', why: 'price' }
  }
  const asOfMs = draft.asOf.getTime()
  if (Number.isNaN(asOfMs) || asOfMs > now.getTime() + AHEAD_MS_MAX)
    return { outcome: 'refused', why: 'time' }
  const price = { ...draft, ...saneQuote(draft, read.rate) }
  if (held === null) return { outcome: 'believed', price }
  if (asOfMs < held.asOf.getTime()) return { outcome: 'refused', why: 'older' }
  if (isSame(price, held, now)) return { outcome: 'unchanged' }
  const limit = draft.timeliness === 'endOfDay' ? JUMP_PERCENT.endOfDay : JUMP_PERCENT.live
  if (within(read.rate, held.last, limit)) return { outcome: 'believed', price }
  // A second and later word of about the same price: then it is the market that jumped, not the feed.
  const agreed = doubt !== null && doubt.asOf < draft.asOf && within(read.rate, doubt.last, AGREE_PERCENT)
  return agreed ? { outcome: 'believed', price } : { outcome: 'doubted', price }
}

function isSame(price: PriceDraft, held: HeldPrice, now: Date): boolean {
  const same =
    compareText(price.last, held.lastText) &&
    compareText(price.bid, held.bid) &&
    compareText(price.ask, held.ask)
  if (price.asOf.getTime() === held.asOf.getTime()) return same
  return same && now.getTime() - held.fetchedAt.getTime() < SAME_AGAIN_MS
}

/** `170.50` is `170.5`. */
function compareText(left: string | null, right: string | null): boolean {
  if (left === null || right === null) return left === right
  const [first, second] = [parseRate(left), parseRate(right)]
  return first.ok && second.ok && compareRates(first.rate, second.rate) === 0
}

/** |new − old| ≤ percent of the smaller, so that halving and doubling are equally far. */
function within(first: Rate, second: Rate, percent: bigint): boolean {
  const [low, high] = compareRates(first, second) < 0 ? [first, second] : [second, first]
  return high.numerator * low.denominator * 100n <= low.numerator * high.denominator * (100n + percent)
}

type BidAsk = Pick<PriceDraft, 'bid' | 'ask'>
const NO_QUOTE: BidAsk = { bid: null, ask: null }

/** Bid and ask are kept only where they make sense together and with the last price. */
function saneQuote({ bid, ask }: BidAsk, last: Rate): BidAsk {
  if (bid === null || ask === null) return NO_QUOTE
  const [low, high] = [parseRate(bid), parseRate(ask)]
  if (!low.ok || !high.ok || compareRates(low.rate, high.rate) > 0) return NO_QUOTE
  const near = within(low.rate, high.rate, SPREAD_PERCENT_MAX) && within(low.rate, last, SPREAD_PERCENT_MAX)
  return near ? { bid, ask } : NO_QUOTE
}

/** A quote that is this much older than the trade is of another price. */
const QUOTE_AGE_MS_MAX = 5 * 60_000

/** What a snapshot says the price is now: the last trade, else the running minute's close. */
export function priceOfSnapshot(
  snapshot: StockSnapshot,
  instrumentId: number,
  timeliness: Timeliness,
): PriceDraft | null {
  const { trade, quote, minute } = snapshot
  const known =
    trade !== null
      ? { last: trade.price, asOf: trade.asOf }
      : minute !== null
        ? { last: minute.close, asOf: snapshot.asOf ?? minute.startAt }
        : null
  if (known === null) return null
  const fits = quote !== null && Math.abs(known.asOf.getTime() - quote.asOf.getTime()) <= QUOTE_AGE_MS_MAX
  const last = parseRate(known.last)
  const kept = fits && last.ok ? saneQuote(quote, last.rate) : NO_QUOTE
  // A quote of later than the last trade is the newer word, but one that is not kept makes an old price no newer.
  const isNewer = fits && kept.bid !== null && quote.asOf > known.asOf
  return { instrumentId, last: known.last, ...kept, asOf: isNewer ? quote.asOf : known.asOf, timeliness }
}
