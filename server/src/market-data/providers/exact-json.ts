import { z } from 'zod'
import { ProviderError } from './rate-provider.ts'

/**
 * A JSON number as it was written. `JSON.parse` alone makes a float of 1.157093, whose exact value is
 * 1.15709299999999998…: a rate must never pass through one.
 */
export class JsonNumber {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

/** Parses JSON, keeping each number as its own text (`context.source`, ECMAScript 2026, in Node since 21). */
export function parseExactJson(text: string): unknown {
  const keepSource = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' ? new JsonNumber(context?.source ?? 'unknown') : value
  try {
    return JSON.parse(text, keepSource)
  } catch {
    throw new ProviderError('bad_answer', 'not_json', 'The answer is not JSON.')
  }
}

const MAX_DIGITS = 40
const PLAIN_DECIMAL = /^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/

/**
 * Plain decimal text of a JSON number: `1.78e-4` becomes `0.000178`. Null where it is negative or so long or
 * large that it is no rate (`1e400`): such a number is refused, not shortened. Zero is let through, to be
 * refused by the rules that count it.
 */
export function plainDecimal(source: string): string | null {
  if (source.length <= MAX_DIGITS && PLAIN_DECIMAL.test(source)) return source
  const parts = /^([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,4}))?$/.exec(source)
  if (parts === null || source.length > MAX_DIGITS) return null
  const whole = parts[1] ?? ''
  const fraction = parts[2] ?? ''
  const pointAt = whole.length + Number(parts[3] ?? 0)
  if (pointAt > MAX_DIGITS || pointAt < -MAX_DIGITS) return null
  const digits = (whole + fraction).padEnd(pointAt, '0')
  const padded = digits.padStart(digits.length + Math.max(0, 1 - pointAt), '0')
  const point = Math.max(pointAt, 1)
  const head = padded.slice(0, point).replace(/^0+(?=[0-9])/, '')
  const tail = padded.slice(point)
  return tail === '' ? head : `${head}.${tail}`
}

/** A JSON number in a schema, as the text it was written with. */
export const jsonNumber = z.instanceof(JsonNumber).transform((number) => number.source)

/** A JSON whole number within the safe range. */
export const jsonInteger = jsonNumber
  .refine((source) => /^-?[0-9]{1,15}$/.test(source), 'must be a whole number')
  .transform(Number)

/** Reads an answer by its schema, or says that it has another shape. */
export function readShape<Shape extends z.ZodType>(schema: Shape, value: unknown): z.output<Shape> {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  const where = read.error.issues[0]?.path.join('.') ?? ''
  throw new ProviderError(
    'bad_answer',
    'unexpected_shape',
    `The answer has an unexpected shape at "${where.slice(0, 80)}".`,
  )
}
