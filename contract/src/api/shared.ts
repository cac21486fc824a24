import { z } from 'zod'

/**
 * A decimal amount in major units, as text: ASCII digits, one optional point. No sign, exponent, blank or
 * leading zero. How many digits may follow the point depends on the asset and is checked with it.
 */
export const amountText = z
  .string()
  .max(40)
  .regex(
    /^(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,18})?$/,
    'must be a decimal number such as 12.34, without sign, exponent or blanks',
  )

/** The same with an optional minus, for what went out of a wallet. */
export const signedAmountText = z.string().regex(/^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/)

export const assetCode = z.string().regex(/^[A-Z0-9][A-Z0-9.]{0,11}$/, 'must be an asset code such as EUR')

export const money = z.strictObject({ asset: assetCode, amount: amountText })
export const signedMoney = z.strictObject({ asset: assetCode, amount: signedAmountText })

/** ISO 8601 in UTC with milliseconds, as `Date.toISOString` writes it. */
export const timestamp = z.iso.datetime({ precision: 3 })

/** Moments given by clients: ISO 8601 with an offset or Z, any precision. */
export const givenTimestamp = z.iso.datetime({
  offset: true,
  error: 'must be a moment with its offset, such as 2026-03-01T12:00:00Z',
})

export const id = z.uuid()

export const decimalText = z.string().regex(/^[0-9]+(?:\.[0-9]+)?$/)

export const cursor = z.string().min(1).max(200)

/** `?limit=` is text in a query: digits only, refused when it is anything else. */
export const pageLimit = (most: number, usual: number) =>
  z
    .string()
    .regex(/^[1-9][0-9]{0,3}$/, `must be a whole number from 1 to ${most}`)
    .transform(Number)
    .refine((limit) => limit <= most, `must be at most ${most}`)
    .default(usual)

/** One line of text from a person: no control characters, nothing that reorders the text around it. */
export const personText = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]*$/u, 'must be one line, without control characters')

/** What is only blanks, marks or format characters (U+200B) would be shown as nothing. */
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u

/** What somebody calls themselves or a thing of theirs. */
export const nameText = (most: number) => personText(most).regex(VISIBLE, 'must not be empty')

/** What begins as a whole address of the web. Whether it is one, and may be called, is the server's to judge. */
export const webAddress = (most: number, error: string) =>
  z
    .string()
    .max(most)
    .regex(/^https?:\/\/[^\s\p{Cc}\p{Cs}]+$/u, error)

export const handle = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{2,23}$/,
    'must be 3 to 24 characters: a to z, 0 to 9 and _, beginning with a letter',
  )

export const email = z
  .string()
  .max(254)
  .regex(
    /^[^\s@<>()[\]\\,;:"\p{Cc}]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/iu,
    'must be an e-mail address',
  )

export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
  requestId: z.string(),
})
export type ProblemBody = z.infer<typeof problem>

export const page = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() })
