import { formatAmount } from './amount.ts'

export interface DisplayOptions {
  /** `auto` (default): only a minus. `always`: also `+0`. `exceptZero`: `+` and `-`, for changes. `never`: none. */
  readonly sign?: 'auto' | 'always' | 'exceptZero' | 'never'
  /** Drop zeros at the end, and the point with them: for quantities of instruments (`1.5`, not `1.500000000`). */
  readonly trimZeros?: boolean
}

/** Making a formatter takes 10 µs, using it 1 µs (Node 24), and a page shows hundreds of figures. */
const formatters = new Map<string, Intl.NumberFormat>()

/** Locale × scale × options that one application shows; past it the cache starts afresh instead of growing. */
const FORMATTERS_MAX = 256

/**
 * Writes minor units for people: grouped and with the decimal sign of the locale, exact at any size, always
 * with the scale's digits (or trimmed). Digits stay 0–9 in every locale, so that what is shown can be typed
 * back. Currency codes and flags are the caller's to add.
 *
 * `Intl` is given a text and the digits: as a number it would lose units past 2^53, and by currency it
 * follows CLDR's digits instead of ISO's.
 * @param locale BCP 47 tag, such as `pl` or `en-GB`
 * @throws RangeError for a malformed locale or a scale outside 0 to 18
 */
export function displayAmount(
  minor: bigint,
  scale: number,
  locale: string,
  options: DisplayOptions = {},
): string {
  const text = formatAmount(minor, scale) as Intl.StringNumericLiteral
  return formatterFor(locale, scale, options.sign ?? 'auto', options.trimZeros ?? false).format(text)
}

function formatterFor(
  locale: string,
  scale: number,
  signDisplay: NonNullable<DisplayOptions['sign']>,
  trimZeros: boolean,
): Intl.NumberFormat {
  const key = `${locale}|${scale}|${signDisplay}|${trimZeros}`
  const known = formatters.get(key)
  if (known !== undefined) return known
  const formatter = new Intl.NumberFormat(locale, {
    numberingSystem: 'latn',
    signDisplay,
    minimumFractionDigits: trimZeros ? 0 : scale,
    maximumFractionDigits: scale,
  })
  if (formatters.size >= FORMATTERS_MAX) formatters.clear()
  formatters.set(key, formatter)
  return formatter
}
