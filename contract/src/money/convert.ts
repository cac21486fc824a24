import { requireScale } from './amount.ts'
import { INT8_MAX } from './int8.ts'
import type { Rate } from './rate.ts'
import { rateOf } from './rate.ts'
import { divideDown, divideUp } from './rounding.ts'

/** What rounding moved, in minor units of the rounded side: 0 ≤ numerator/denominator < 1, reduced. */
export interface Remainder {
  readonly numerator: bigint
  readonly denominator: bigint
}

/**
 * The rounded amount and the exact part that rounding kept for the house, or why there is none.
 * `zero`: nothing would be received or paid, which the caller refuses. `too_large`: more than an account can
 * hold.
 */
export type ConvertResult =
  | { readonly ok: true; readonly minor: bigint; readonly remainder: Remainder }
  | { readonly ok: false; readonly reason: 'zero' | 'too_large' }

/**
 * What the customer receives for an amount, rounded down; the house keeps the remainder.
 *
 *     received = ⌊ amount · rate · 10^(toScale − fromScale) ⌋,   exact = received + remainder
 *
 * Rounded once, here: with that no round trip and no cycle over other currencies can profit, even at mid.
 * @param amountMinor paid, in minor units of the asset paid, ≥ 0
 * @param rate 1 major unit paid = rate major units received
 * @throws RangeError for a negative amount or a scale outside 0 to 18
 */
export function convertDown(
  amountMinor: bigint,
  fromScale: number,
  toScale: number,
  rate: Rate,
): ConvertResult {
  requireNotNegative(amountMinor)
  const [numerator, denominator] = minorRatio(fromScale, toScale, rate)
  const exact = amountMinor * numerator
  const minor = divideDown(exact, denominator)
  return judged(minor, exact - minor * denominator, denominator)
}

/**
 * What the customer pays for a fixed receipt, rounded up; the house keeps the remainder. The arguments are in
 * `convertDown`'s order: from is the asset paid, to the one received, and the rate is the same from→to.
 *
 *     paid = ⌈ received ÷ (rate · 10^(toScale − fromScale)) ⌉,   exact = paid − remainder
 *
 * It is the least amount for which `convertDown` gives at least that receipt.
 * @param receivedMinor in minor units of the asset received, ≥ 0
 * @throws RangeError for a negative amount or a scale outside 0 to 18
 */
export function costUp(receivedMinor: bigint, fromScale: number, toScale: number, rate: Rate): ConvertResult {
  requireNotNegative(receivedMinor)
  const [numerator, denominator] = minorRatio(fromScale, toScale, rate)
  const exact = receivedMinor * denominator
  const minor = divideUp(exact, numerator)
  return judged(minor, minor * numerator - exact, numerator)
}

/**
 * What a holding is worth in another asset, rounded down (towards −∞, so a debt is never understated). For
 * showing and adding up only, so zero is an answer, negative amounts are allowed and the size is not bounded;
 * what a customer receives is `convertDown`'s.
 * @throws RangeError for a scale outside 0 to 18
 */
export function worthDown(amountMinor: bigint, fromScale: number, toScale: number, rate: Rate): bigint {
  const [numerator, denominator] = minorRatio(fromScale, toScale, rate)
  return divideDown(amountMinor * numerator, denominator)
}

/** Minor units received for one minor unit paid, as a ratio. */
function minorRatio(fromScale: number, toScale: number, rate: Rate): [bigint, bigint] {
  requireScale(fromScale)
  requireScale(toScale)
  return [rate.numerator * 10n ** BigInt(toScale), rate.denominator * 10n ** BigInt(fromScale)]
}

function judged(minor: bigint, rest: bigint, denominator: bigint): ConvertResult {
  if (minor === 0n) return { ok: false, reason: 'zero' }
  if (minor > INT8_MAX) return { ok: false, reason: 'too_large' }
  return {
    ok: true,
    minor,
    remainder: rest === 0n ? { numerator: 0n, denominator: 1n } : rateOf(rest, denominator),
  }
}

function requireNotNegative(minor: bigint): void {
  if (minor < 0n) throw new RangeError('a conversion takes an amount of zero or more')
}
