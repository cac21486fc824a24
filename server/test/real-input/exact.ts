// Arithmetic of its own, for judging the program's: it shares nothing with it, and has no floats in it.

/** `123.45` → 12345 of 2 digits. */
export interface Decimal {
  readonly units: bigint
  readonly digits: number
}

export function decimal(text: string): Decimal {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)([0-9]+)(?:\.([0-9]+))?$/.exec(text) ?? []
  if (whole === '') throw new Error(`not a decimal: ${JSON.stringify(text)}`)
  return { units: BigInt(`${sign}${whole}${fraction}`), digits: fraction.length }
}

/** `12345`, 2 → `123.45`. */
export function written(units: bigint, digits: number): string {
  const sign = units < 0n ? '-' : ''
  const figures = `${units < 0n ? -units : units}`.padStart(digits + 1, '0')
  const whole = figures.slice(0, figures.length - digits)
  return digits === 0 ? `${sign}${whole}` : `${sign}${whole}.${figures.slice(-digits)}`
}

/** Sums amounts of any digits, to as many digits as the longest has. */
export function sum(amounts: readonly string[]): string {
  const all = amounts.map(decimal)
  const digits = Math.max(0, ...all.map((amount) => amount.digits))
  const units = all.reduce(
    (total, amount) => total + amount.units * 10n ** BigInt(digits - amount.digits),
    0n,
  )
  return written(units, digits)
}

export function negated(amount: string): string {
  return amount.startsWith('-') ? amount.slice(1) : `-${amount}`
}

/** The quotient to so many significant digits. For positive numbers. */
export function quotient(top: Decimal, bottom: Decimal, significant: number, rounding = 'half even'): string {
  for (let digits = 0; ; digits += 1) {
    const numerator = top.units * 10n ** BigInt(bottom.digits + digits)
    const denominator = bottom.units * 10n ** BigInt(top.digits)
    const [floor, rest] = [numerator / denominator, numerator % denominator]
    const up = rest * 2n > denominator || (rest * 2n === denominator && floor % 2n === 1n)
    const rounded = floor + (up && rounding === 'half even' ? 1n : 0n)
    if (rest === 0n || `${rounded}`.length >= significant) return trimmed(written(rounded, digits))
  }
}

/** What one unit fetches after the house's margin, to ten digits, downwards. */
export function customerRate([from, to]: readonly [from: string, to: string], marginBps: bigint): string {
  const { units, digits } = decimal(to)
  // A ten-thousandth more of it, so four digits more.
  return quotient({ units: units * (10_000n - marginBps), digits: digits + 4 }, decimal(from), 10, 'down')
}

/** Without zeros at the end that say nothing. */
export function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** What somebody who pays `paid` must receive, all of it from what was recorded and what the house says it keeps. */
export function converted(given: {
  /** With all digits of its currency. */
  readonly paid: string
  readonly feeBps: bigint
  readonly marginBps: bigint
  /** Of the currencies paid and received, against EUR, as recorded. */
  readonly rates: readonly [from: string, to: string]
  readonly receivedDigits: number
}): { fee: string; received: string } {
  const paid = decimal(given.paid)
  const [from, to] = given.rates.map(decimal)
  if (from === undefined || to === undefined) throw new Error('a conversion is between two')
  const share = paid.units * given.feeBps
  const fee = share / 10_000n + (share % 10_000n === 0n ? 0n : 1n)
  const top =
    (paid.units - fee) *
    to.units *
    10n ** BigInt(from.digits + given.receivedDigits) *
    (10_000n - given.marginBps)
  const bottom = from.units * 10n ** BigInt(to.digits + paid.digits) * 10_000n
  // Whole units only, downwards.
  return { fee: written(fee, paid.digits), received: written(top / bottom, given.receivedDigits) }
}
