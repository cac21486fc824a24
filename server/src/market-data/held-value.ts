import { parseRate, rateOf, type Rate } from '@kantor/contract/money'
import type { HeldRate } from './queries.ts'

/** The exact value of a stored rate. What is stored was judged, so anything unreadable is a broken invariant. */
export function heldValue({ rate, per }: HeldRate): Rate {
  const [top, bottom] = [parseRate(rate), parseRate(per)]
  if (!top.ok || !bottom.ok) throw new Error('a stored rate cannot be read')
  return rateOf(top.rate.numerator * bottom.rate.denominator, top.rate.denominator * bottom.rate.numerator)
}
