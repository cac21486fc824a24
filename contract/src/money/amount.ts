import { fitsInt8 } from './int8.ts'

/** An amount in minor units, or why the text is none. */
export type AmountResult =
  { readonly ok: true; readonly minor: bigint } | { readonly ok: false; readonly reason: AmountRefusal }

/**
 * `shape`: not a plain decimal number. `digits`: more decimals than the asset has, even zeros.
 * `too_large`: more than an account can hold. The first of these, in this order, is told.
 */
export type AmountRefusal = 'shape' | 'digits' | 'too_large'

/** 19 digits of an int8, a sign and a point fit with room; longer texts are refused before any work is done. */
const AMOUNT_CHARS_MAX = 40

/** PostgreSQL's bigint has 19 digits, so a finer scale could not hold 1 of anything. */
const SCALE_MAX = 18

const UNSIGNED = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/

/**
 * Reads an amount as the API and forms of data say it: ASCII digits, at most one `.` with a digit on both
 * sides, no sign, blank, exponent, grouping or leading zero. Nothing is repaired: repaired input is guessed
 * money. `parseAmount('12.5', 2)` → 1250n. Zero is an amount; whether it may be sent is the caller's rule.
 * @param scale the asset's digits after the point, 0 to 18
 * @throws RangeError for another scale
 */
export function parseAmount(text: string, scale: number): AmountResult {
  requireScale(scale)
  const parts = text.length <= AMOUNT_CHARS_MAX ? UNSIGNED.exec(text) : null
  if (parts === null) return { ok: false, reason: 'shape' }
  const [, whole = '', decimals = ''] = parts
  if (decimals.length > scale) return { ok: false, reason: 'digits' }
  const minor = BigInt(whole + decimals.padEnd(scale, '0'))
  return fitsInt8(minor) ? { ok: true, minor } : { ok: false, reason: 'too_large' }
}

/**
 * The same with one optional leading `-`, for figures such as a change of balance. `-0` and `-0.00` are
 * refused as `shape`, since zero has no sign and one value should have one sign of writing.
 * @throws RangeError for a scale outside 0 to 18
 */
export function parseSignedAmount(text: string, scale: number): AmountResult {
  if (!text.startsWith('-')) return parseAmount(text, scale)
  requireScale(scale)
  const parts = text.length <= AMOUNT_CHARS_MAX ? UNSIGNED.exec(text.slice(1)) : null
  if (parts === null) return { ok: false, reason: 'shape' }
  const [, whole = '', decimals = ''] = parts
  if (/^0+$/.test(whole + decimals)) return { ok: false, reason: 'shape' }
  if (decimals.length > scale) return { ok: false, reason: 'digits' }
  const minor = -BigInt(whole + decimals.padEnd(scale, '0'))
  return fitsInt8(minor) ? { ok: true, minor } : { ok: false, reason: 'too_large' }
}

/**
 * Writes minor units as an exact decimal text with all of the scale's digits: 1234n at 2 → `12.34`, 10n →
 * `0.10`, 100n at 0 → `100`, −5n at 2 → `-0.05`. `parseSignedAmount` reads back what this writes.
 * @throws RangeError for a scale outside 0 to 18
 */
export function formatAmount(minor: bigint, scale: number): string {
  requireScale(scale)
  return decimalText(minor, scale)
}

/** As `formatAmount`, for any number of digits: also the rates' writer. */
export function decimalText(minor: bigint, digits: number): string {
  const sign = minor < 0n ? '-' : ''
  const text = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, '0')
  if (digits === 0) return sign + text
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** @throws RangeError unless the scale is a whole number from 0 to 18: a broken caller, not a bad amount. */
export function requireScale(scale: number): void {
  if (!Number.isInteger(scale) || scale < 0 || scale > SCALE_MAX) {
    throw new RangeError(`scale must be an integer from 0 to ${SCALE_MAX}, got ${scale}`)
  }
}
