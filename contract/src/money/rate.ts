import { decimalText } from './amount.ts'
import { divideDown, divideHalfEven, divideUp } from './rounding.ts'

/**
 * An exact rate: 1 base = numerator/denominator counter, both sides in **major** units (1 EUR = 87/20 PLN).
 * Both parts are positive and share no factor, so equal rates have equal parts. Make one with the functions
 * here only; nothing rounds it on the way.
 */
export interface Rate {
  readonly numerator: bigint
  readonly denominator: bigint
}

/**
 * `shape`: not a JSON number. `not_positive`: zero or less, which is no price. `out_of_bounds`: too long, or
 * beyond 10^±18, which no asset we know comes near and which is rather a broken feed.
 */
export type RateRefusal = 'shape' | 'not_positive' | 'out_of_bounds'

export type RateResult =
  { readonly ok: true; readonly rate: Rate } | { readonly ok: false; readonly reason: RateRefusal }

/** A double prints as 24 characters at most, PostgreSQL's numerics of ours as fewer than these. */
const RATE_CHARS_MAX = 64

/** Bounds the power of ten that a text can make us compute; past it the value is out of bounds anyhow. */
const EXPONENT_MAX = 99

const RATE_MAX = 10n ** 18n

/** The number grammar of RFC 8259 (JSON), section 6. */
const JSON_NUMBER = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/

/**
 * Reads a rate from a provider's or the database's decimal text, exactly: `4.249966`, `1.78e-4`. The grammar
 * is JSON's, so `NaN`, `Infinity`, `+1`, `.5`, `007`, blanks and grouping are refused as `shape`.
 */
export function parseRate(decimalText: string): RateResult {
  if (decimalText.length > RATE_CHARS_MAX) return { ok: false, reason: 'out_of_bounds' }
  const parts = JSON_NUMBER.exec(decimalText)
  if (parts === null) return { ok: false, reason: 'shape' }
  const [, minus = '', whole = '', decimals = '', exponentText = '0'] = parts
  const digits = BigInt(whole + decimals)
  if (minus === '-' || digits === 0n) return { ok: false, reason: 'not_positive' }
  const exponent = Number(exponentText)
  if (Math.abs(exponent) > EXPONENT_MAX) return { ok: false, reason: 'out_of_bounds' }
  const shift = exponent - decimals.length
  const rate = shift >= 0 ? rateOf(digits * 10n ** BigInt(shift), 1n) : rateOf(digits, 10n ** BigInt(-shift))
  const inBounds =
    rate.numerator <= rate.denominator * RATE_MAX && rate.denominator <= rate.numerator * RATE_MAX
  return inBounds ? { ok: true, rate } : { ok: false, reason: 'out_of_bounds' }
}

/**
 * The rate numerator/denominator, reduced.
 * @throws RangeError unless both are positive
 */
export function rateOf(numerator: bigint, denominator: bigint): Rate {
  if (numerator <= 0n || denominator <= 0n) throw new RangeError('a rate is a ratio of two positive integers')
  const divisor = greatestCommonDivisor(numerator, denominator)
  return { numerator: numerator / divisor, denominator: denominator / divisor }
}

/** 1 A in B, from what 1 base is in A and in B: exactly (base→B) ÷ (base→A). */
export function crossRate(baseToA: Rate, baseToB: Rate): Rate {
  return rateOf(baseToB.numerator * baseToA.denominator, baseToB.denominator * baseToA.numerator)
}

/** 1 counter in base: exactly the other way round. */
export function invertRate(rate: Rate): Rate {
  return { numerator: rate.denominator, denominator: rate.numerator }
}

/**
 * The rate moved by a margin in basis points (1/10000), exactly: `down` is what a customer gets who sells
 * the base (bid = mid · (10000 − bps)/10000), `up` what one pays who buys it (ask = mid · (10000 + bps)/10000).
 * @throws RangeError unless 0 ≤ bps < 10000: a margin of everything leaves no rate
 */
export function applyBps(rate: Rate, bps: bigint, direction: 'down' | 'up'): Rate {
  if (bps < 0n || bps >= 10_000n) throw new RangeError(`bps must be from 0 to 9999, got ${bps}`)
  const factor = direction === 'down' ? 10_000n - bps : 10_000n + bps
  return rateOf(rate.numerator * factor, rate.denominator * 10_000n)
}

/** −1, 0 or 1 as the first is less than, equal to or greater than the second; exact. */
export function compareRates(first: Rate, second: Rate): -1 | 0 | 1 {
  const left = first.numerator * second.denominator
  const right = second.numerator * first.denominator
  if (left === right) return 0
  return left < right ? -1 : 1
}

const DIVIDE = { down: divideDown, up: divideUp, halfEven: divideHalfEven } as const

/**
 * Writes a rate for people as a plain decimal (no exponent) with that many significant digits, zeros kept so
 * that columns line up: 87/20 with 6 → `4.35000`; 1/3 with 3 → `0.333`; 123456 with 3 → `123000`. It is
 * rounded as named and never read back into money.
 * @param significantDigits 1 to 40
 * @throws RangeError for another number of digits
 */
export function formatRate(
  rate: Rate,
  significantDigits: number,
  rounding: 'down' | 'up' | 'halfEven',
): string {
  if (!Number.isInteger(significantDigits) || significantDigits < 1 || significantDigits > 40) {
    throw new RangeError(`significantDigits must be from 1 to 40, got ${significantDigits}`)
  }
  const places = significantDigits - 1 - magnitude(rate)
  const rounded =
    places >= 0
      ? DIVIDE[rounding](rate.numerator * 10n ** BigInt(places), rate.denominator)
      : DIVIDE[rounding](rate.numerator, rate.denominator * 10n ** BigInt(-places))
  if (places <= 0) return decimalText(rounded * 10n ** BigInt(-places), 0)
  // Rounding 9.996 up to three digits gives 1000 hundredths, one digit too many: 10.0.
  const carried = rounded === 10n ** BigInt(significantDigits)
  return carried ? decimalText(rounded / 10n, places - 1) : decimalText(rounded, places)
}

/** The power of ten of the rate's first significant digit: 4.25 → 0, 1234 → 3, 0.00178 → −3. */
function magnitude(rate: Rate): number {
  const guess = rate.numerator.toString().length - rate.denominator.toString().length
  const atLeast =
    guess >= 0
      ? rate.numerator >= rate.denominator * 10n ** BigInt(guess)
      : rate.numerator * 10n ** BigInt(-guess) >= rate.denominator
  return atLeast ? guess : guess - 1
}

function greatestCommonDivisor(first: bigint, second: bigint): bigint {
  let [greater, lesser] = [first, second]
  // Euclid: the number of steps is bounded by about five times the decimal digits of the lesser.
  while (lesser !== 0n) [greater, lesser] = [lesser, greater % lesser]
  return greater
}
