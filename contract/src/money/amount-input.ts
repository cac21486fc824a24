import type { AmountResult } from './amount.ts'
import { requireScale } from './amount.ts'
import { INT8_MAX } from './int8.ts'

/** Longer than any sum a person types; it bounds the work, which grows with the text's length only. */
const INPUT_CHARS_MAX = 100

/** A partial result as an unreduced fraction: its size is bounded by the number of digits typed. */
interface Fraction {
  readonly numerator: bigint
  readonly denominator: bigint
}

/**
 * Reads what a person typed into an amount field: a number as their locale writes it, or a simple sum of such
 * numbers with `+ - * /` (also `− × ÷`), `*` and `/` first, blanks allowed between: `3*19.99`, `10+5,50`,
 * `1 234,56 / 2`.
 *
 * Exact: nothing is rounded, so `10/3`, or more digits than the asset has, is refused as `digits`. Grouping
 * must be the locale's, in full (en `1,5` is refused and never 15), a point is also a decimal sign where the
 * locale does not group with it (pl `19.99`), leading zeros are refused. `shape` also tells a result below
 * zero and a division by zero.
 * @param scale the asset's digits after the point, 0 to 18
 * @param locale BCP 47 tag, the one that the field shows amounts in (`displayAmount`)
 * @throws RangeError for a malformed locale or another scale
 */
export function evaluateAmountInput(text: string, scale: number, locale: string): AmountResult {
  requireScale(scale)
  if (text.length > INPUT_CHARS_MAX) return { ok: false, reason: 'shape' }
  const value = evaluateSum(text, numberPatternFor(locale))
  if (value === null || value.numerator < 0n) return { ok: false, reason: 'shape' }
  const scaled = value.numerator * 10n ** BigInt(scale)
  if (scaled % value.denominator !== 0n) return { ok: false, reason: 'digits' }
  const minor = scaled / value.denominator
  return minor <= INT8_MAX ? { ok: true, minor } : { ok: false, reason: 'too_large' }
}

const BLANKS = /[\s\u200e\u200f]*/y
const OPERATOR = /[-+*/\u2212\u00d7\u00f7]/y
const PLAIN_NUMBER = /^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/

/** One pass from left to right: `sum` is closed, `term` is the product being built. Null: not a sum. */
function evaluateSum(text: string, numberPattern: NumberPattern): Fraction | null {
  let position = 0
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = position
    const taken = pattern.exec(text)?.[0] ?? null
    position += taken?.length ?? 0
    return taken
  }
  let sum: Fraction = { numerator: 0n, denominator: 1n }
  let term: Fraction = { numerator: 1n, denominator: 1n }
  let operator: string = '*'
  for (;;) {
    take(BLANKS)
    const operand = fractionOf(take(numberPattern.pattern), numberPattern)
    if (operand === null) return null
    if (operator === '+' || operator === '-' || operator === '\u2212') {
      sum = add(sum, term)
      term = operator === '+' ? operand : { ...operand, numerator: -operand.numerator }
    } else if (operator === '/' || operator === '\u00f7') {
      if (operand.numerator === 0n) return null
      term = multiply(term, { numerator: operand.denominator, denominator: operand.numerator })
    } else {
      term = multiply(term, operand)
    }
    take(BLANKS)
    if (position === text.length) return add(sum, term)
    const next = take(OPERATOR)
    if (next === null) return null
    operator = next
  }
}

function fractionOf(typed: string | null, { group, decimal }: NumberPattern): Fraction | null {
  const plain = typed?.replaceAll(group, '').replace(decimal, '.') ?? ''
  if (!PLAIN_NUMBER.test(plain)) return null
  const decimals = plain.includes('.') ? plain.length - plain.indexOf('.') - 1 : 0
  return { numerator: BigInt(plain.replace('.', '')), denominator: 10n ** BigInt(decimals) }
}

function add(first: Fraction, second: Fraction): Fraction {
  return {
    numerator: first.numerator * second.denominator + second.numerator * first.denominator,
    denominator: first.denominator * second.denominator,
  }
}

function multiply(first: Fraction, second: Fraction): Fraction {
  return {
    numerator: first.numerator * second.numerator,
    denominator: first.denominator * second.denominator,
  }
}

/** How one locale writes a number; `pattern` is sticky, `group` and `decimal` match one separator. */
interface NumberPattern {
  readonly pattern: RegExp
  readonly group: RegExp
  readonly decimal: RegExp
}

/** The locales of one application; past it the cache starts afresh instead of growing. */
const PATTERNS_MAX = 64
const patterns = new Map<string, NumberPattern>()

function numberPatternFor(locale: string): NumberPattern {
  const known = patterns.get(locale)
  if (known !== undefined) return known
  const parts = new Intl.NumberFormat(locale, {
    numberingSystem: 'latn',
    minimumFractionDigits: 1,
  }).formatToParts(12_345_678_901)
  const group = separatorClass(parts.find((part) => part.type === 'group')?.value)
  const decimalSign = parts.find((part) => part.type === 'decimal')?.value ?? '.'
  const decimal = group.includes('.') ? separatorClass(decimalSign) : `[.${decimalSign}]`
  const groups = parts.filter((part) => part.type === 'integer').map((part) => part.value.length)
  // Lengths of the last group and of those before it: 3 and 3, in India 3 and 2.
  const last = groups.at(-1) ?? 3
  const others = groups.length > 2 ? (groups.at(-2) ?? 3) : last
  const whole = `(?:[0-9]{1,${others}}(?:${group}[0-9]{${others}})*${group}[0-9]{${last}}|[0-9]+)`
  const pattern = {
    pattern: new RegExp(`${whole}(?:${decimal}[0-9]+)?`, 'y'),
    group: new RegExp(group, 'g'),
    decimal: new RegExp(decimal),
  }
  if (patterns.size >= PATTERNS_MAX) patterns.clear()
  patterns.set(locale, pattern)
  return pattern
}

/**
 * A separator and what may stand in its place: locales group with no-break blanks, keyboards have the plain
 * one; Switzerland's apostrophe is curly in one release of CLDR and straight in the next.
 */
function separatorClass(separator: string | undefined): string {
  if (separator === undefined) return '[^\\s\\S]'
  if (/^\s$/.test(separator)) return '[ \\u00a0\\u202f\\u2009]'
  return separator === '\u2019' || separator === "'" ? "['\\u2019]" : `[${separator}]`
}
