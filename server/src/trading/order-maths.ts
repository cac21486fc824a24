import { divideDown, divideUp, feeUp } from '@kantor/contract/money'

/** Shares have 9 digits, prices 18: their product is in 10⁻²⁷. */
const VALUE_DIGITS = 27
const BPS = 10_000n

export interface FeeTerms {
  readonly feeBps: number
  readonly feeMinimumMinor: bigint
}

/** What was charged so far, of which the next part is the difference: parts cost what the whole would have. */
export interface Charged {
  readonly valueExact: bigint
  readonly valueMinor: bigint
  readonly feeMinor: bigint
}

/** How many 10⁻²⁷ one minor unit is. */
function unitOf(currencyScale: number): bigint {
  return 10n ** BigInt(VALUE_DIGITS - currencyScale)
}

/** What the house charges for a value of shares that is above zero: so many bps, rounded up, or the minimum. */
export function feeOf(terms: FeeTerms, valueMinor: bigint): bigint {
  if (valueMinor === 0n) return 0n
  return larger(feeUp(valueMinor, BigInt(terms.feeBps)), terms.feeMinimumMinor)
}

/** A whole number of minor units for everything bought, rounded up, or sold, rounded down: for the house. */
export function valueOf(side: 'buy' | 'sell', valueExact: bigint, currencyScale: number): bigint {
  const unit = unitOf(currencyScale)
  return side === 'buy' ? divideUp(valueExact, unit) : divideDown(valueExact, unit)
}

/**
 * The most shares that so much money pays for, their fee included: the greatest T with T + fee(T) ≤ budget, where
 * budget counts what was paid before too, and then the greatest quantity whose value is within T.
 */
export function sharesForMoney(
  terms: FeeTerms & { readonly currencyScale: number },
  charged: Charged,
  budgetMinor: bigint,
  price18: bigint,
): bigint {
  const budget = budgetMinor + charged.feeMinor + charged.valueMinor
  const byBps = divideDown(budget * BPS, BPS + BigInt(terms.feeBps))
  const most = smaller(byBps, budget - terms.feeMinimumMinor)
  const room = most * unitOf(terms.currencyScale) - charged.valueExact
  return room <= 0n ? 0n : divideDown(room, price18)
}

/** The fewest shares that bring so much net of their fee: the least T with T − fee(T) ≥ wanted, then the quantity. */
export function sharesToBring(
  terms: FeeTerms & { readonly currencyScale: number },
  charged: Charged,
  netMinor: bigint,
  price18: bigint,
): bigint {
  const wanted = netMinor + charged.valueMinor - charged.feeMinor
  const byBps = divideUp(wanted * BPS, BPS - BigInt(terms.feeBps))
  const least = larger(byBps, wanted + terms.feeMinimumMinor)
  return divideUp(least * unitOf(terms.currencyScale) - charged.valueExact, price18)
}

export function smaller(first: bigint, second: bigint): bigint {
  return first < second ? first : second
}

export function larger(first: bigint, second: bigint): bigint {
  return first > second ? first : second
}
