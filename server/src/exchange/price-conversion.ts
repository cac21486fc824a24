import {
  applyBps,
  compareRates,
  convertDown,
  costUp,
  divideUp,
  feeUp,
  fitsInt8,
  invertRate,
  rateOf,
} from '@kantor/contract/money'
import type { Rate, Remainder } from '@kantor/contract/money'

const BPS = 10_000n

/** What a price is made of. Rates are in major units, exact; amounts in minor units. */
export interface PriceTerms {
  readonly fromScale: number
  readonly toScale: number
  /** 1 from = mid to. */
  readonly mid: Rate
  /** 1 to 9999: the house always keeps something, so bid < mid < ask. */
  readonly marginBps: bigint
  /** Of all that leaves the wallet, 0 to 9999. */
  readonly feeBps: bigint
  /** In minor units of the asset paid. */
  readonly feeMinimumMinor: bigint
}

/** The one amount that the customer fixed; the other follows. */
export type FixedSide = { readonly side: 'from' | 'to'; readonly minor: bigint }

export interface Price {
  /** All that leaves the wallet: `netMinor + feeMinor`. */
  readonly fromMinor: bigint
  /** What is exchanged. */
  readonly netMinor: bigint
  /** In the asset paid. */
  readonly feeMinor: bigint
  readonly toMinor: bigint
  /** 1 from = rate to, margin included. */
  readonly rate: Rate
  /** net · rate − to ≥ 0, in minor units of the asset received: what rounding left with the house. */
  readonly rounding: Remainder
}

export type PriceResult =
  | { readonly ok: true; readonly price: Price }
  | { readonly ok: false; readonly reason: 'amount_too_small' | 'amount_too_large' }

/**
 * The price of one conversion. With rate = mid · (1 − margin) and everything rounded once, for the house:
 *
 *     from fixed:  fee = max(⌈from · feeBps⌉, minimum)   net = from − fee   to = ⌊net · rate⌋
 *     to fixed:    net = ⌈to ÷ rate⌉   fee = the least that the first line asks of net + fee   from = net + fee
 *
 * The second is the first one's inverse: the `from` it answers, fixed, gives the same fee and at least this `to`.
 * A wallet cannot profit by any cycle of these, since each step takes the rounding, at or below mid.
 * @throws RangeError for a fixed amount ≤ 0 or a margin or fee out of bounds: a broken caller, not a bad amount
 */
export function priceConversion(terms: PriceTerms, fixed: FixedSide): PriceResult {
  if (fixed.minor <= 0n) throw new RangeError('the fixed amount must be positive')
  if (terms.marginBps < 1n) throw new RangeError(`the margin must be at least 1 bps, got ${terms.marginBps}`)
  if (terms.feeBps < 0n || terms.feeBps >= BPS || terms.feeMinimumMinor < 0n) {
    throw new RangeError('the fee must be 0 to 9999 bps with a minimum of 0 or more')
  }
  const rate = applyBps(terms.mid, terms.marginBps, 'down')
  requireSpread(terms, rate)
  const result =
    fixed.side === 'from' ? priceOfPaid(terms, rate, fixed.minor) : priceOfReceived(terms, rate, fixed.minor)
  if (result.ok) requireNoProfit(terms, result.price)
  return result
}

function priceOfPaid(terms: PriceTerms, rate: Rate, fromMinor: bigint): PriceResult {
  const feeMinor = larger(feeUp(fromMinor, terms.feeBps), terms.feeMinimumMinor)
  const netMinor = fromMinor - feeMinor
  if (netMinor <= 0n) return { ok: false, reason: 'amount_too_small' }
  const received = convertDown(netMinor, terms.fromScale, terms.toScale, rate)
  if (!received.ok)
    return { ok: false, reason: received.reason === 'zero' ? 'amount_too_small' : 'amount_too_large' }
  return priced(terms, rate, { netMinor, feeMinor, toMinor: received.minor })
}

function priceOfReceived(terms: PriceTerms, rate: Rate, toMinor: bigint): PriceResult {
  const paid = costUp(toMinor, terms.fromScale, terms.toScale, rate)
  if (!paid.ok) return { ok: false, reason: 'amount_too_large' }
  // fee ≥ (net + fee) · bps / 10000, solved for the least whole fee.
  const share = divideUp(paid.minor * terms.feeBps, BPS - terms.feeBps)
  const feeMinor = larger(share, terms.feeMinimumMinor)
  return priced(terms, rate, { netMinor: paid.minor, feeMinor, toMinor })
}

function priced(
  terms: PriceTerms,
  rate: Rate,
  amounts: { netMinor: bigint; feeMinor: bigint; toMinor: bigint },
): PriceResult {
  const fromMinor = amounts.netMinor + amounts.feeMinor
  if (!fitsInt8(fromMinor)) return { ok: false, reason: 'amount_too_large' }
  const rounding = roundingKept(terms, rate, amounts.netMinor, amounts.toMinor)
  return { ok: true, price: { ...amounts, fromMinor, rate, rounding } }
}

/** The same whichever side was fixed, so that a receipt can explain both alike. Below 1 when `from` was fixed. */
function roundingKept(terms: PriceTerms, rate: Rate, netMinor: bigint, toMinor: bigint): Remainder {
  const denominator = rate.denominator * 10n ** BigInt(terms.fromScale)
  const numerator = netMinor * rate.numerator * 10n ** BigInt(terms.toScale) - toMinor * denominator
  return numerator === 0n ? { numerator, denominator: 1n } : rateOf(numerator, denominator)
}

/** bid < mid < ask, where the ask is what the opposite conversion costs with the same margin. */
function requireSpread(terms: PriceTerms, bid: Rate): void {
  const ask = invertRate(applyBps(invertRate(terms.mid), terms.marginBps, 'down'))
  if (compareRates(bid, terms.mid) !== -1 || compareRates(terms.mid, ask) !== -1) {
    throw new Error('a price without a spread was about to be offered')
  }
}

/** The same promise once more, from the amounts alone: what is received is worth less at mid than what is exchanged. */
function requireNoProfit(terms: PriceTerms, price: Price): void {
  const received = price.toMinor * 10n ** BigInt(terms.fromScale) * terms.mid.denominator
  const exchanged = price.netMinor * 10n ** BigInt(terms.toScale) * terms.mid.numerator
  if (price.toMinor <= 0n || price.netMinor <= 0n || received >= exchanged) {
    throw new Error('a price at or beyond mid was about to be offered')
  }
}

function larger(first: bigint, second: bigint): bigint {
  return first > second ? first : second
}
