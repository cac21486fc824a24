import { rateOf, type Rate } from '@kantor/contract/money'
import type { CorporateAction } from './corporate-actions.ts'
import { storedRate } from './stock-prices.ts'

/** A stretch of days on which one factor brings prices to today's shares. */
export interface SplitSegment {
  /** Included. */
  readonly fromDate: string
  /** Not included. */
  readonly toDate: string
  /** Prices times this, volumes through it. */
  readonly factor: Rate
}

const FIRST_DAY = '0001-01-01'
const LAST_DAY = '9999-12-31'
const ONE = rateOf(1n, 1n)

/**
 * The factors of an instrument, oldest stretch first; always at least one, and they cover all days. On a 4-for-1
 * split, what traded before the ex-date counts a quarter. Splits that are announced count from their day on: the
 * last stretch's factor is 1 only after all of them, so the future ones are left out by `until`.
 * @param until splits with an ex-date after this day are not in force
 */
export function splitSegments(actions: readonly CorporateAction[], until = LAST_DAY): SplitSegment[] {
  const splits = actions
    .flatMap((action) => (action.kind === 'split' && action.exDate <= until ? [action] : []))
    .toSorted((left, right) => (left.exDate < right.exDate ? 1 : -1))
  const segments: SplitSegment[] = []
  let factor = ONE
  let toDate = LAST_DAY
  for (const split of splits) {
    segments.push({ fromDate: split.exDate, toDate, factor })
    const [from, to] = [storedRate(split.from), storedRate(split.to)]
    factor = rateOf(
      factor.numerator * from.numerator * to.denominator,
      factor.denominator * from.denominator * to.numerator,
    )
    toDate = split.exDate
  }
  segments.push({ fromDate: FIRST_DAY, toDate, factor })
  return segments.toReversed()
}
