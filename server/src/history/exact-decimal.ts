const DIGITS_MAX = 12

/**
 * A fraction ≥ 0 as a decimal text: exact, or cut after 12 digits and then marked with `…`, never rounded.
 * 1/8 → `0.125`, 1/3 → `0.333333333333…`
 */
export function exactDecimal(numerator: bigint, denominator: bigint): string {
  const whole = numerator / denominator
  let rest = numerator % denominator
  let digits = ''
  while (rest !== 0n && digits.length < DIGITS_MAX) {
    rest *= 10n
    digits += (rest / denominator).toString()
    rest %= denominator
  }
  const text = digits === '' ? whole.toString() : `${whole}.${digits}`
  return rest === 0n ? text : `${text}…`
}
