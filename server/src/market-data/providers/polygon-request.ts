import { z } from 'zod'
import { JsonNumber, parseExactJson } from './exact-json.ts'
import { fetchText, retryAfterSeconds, type FetchedText } from './fetch-text.ts'
import { ProviderError } from './rate-provider.ts'
import type { RequestBudget } from './request-budget.ts'
import type { StockCall } from './stock-provider.ts'

export interface PolygonAccess {
  /** `https://api.polygon.io`, or wherever else its API is spoken; the key goes to no other host. */
  readonly url: string
  readonly apiKey: string
  readonly budget: RequestBudget
  readonly deadlineSeconds?: number
  /** How long a request may wait for its turn where the call does not say. */
  readonly waitSecondsMax?: number
}

export interface PolygonQuestion {
  /** `/v3/reference/tickers` */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Of an earlier answer's `nextOf`; replaces path and query, and must be one of `pagesUnder`. */
  readonly cursor?: string | undefined
  /** The path of further pages, or with a `/` at its end what it begins with. */
  readonly pagesUnder?: string
  readonly bodyBytesMax?: number
}

const DEADLINE_SECONDS = 20
const WAIT_SECONDS_MAX = 90
const BODY_BYTES_MAX = 2_000_000
const CURSOR_CHARS_MAX = 4096

/**
 * One GET of Polygon's REST API (https://polygon.io/docs/rest): waits for its turn, sends the key as a bearer
 * token, and gives the text of an answer with HTTP 200, whose `status` is still to be checked with `checkStatus`.
 */
export async function askPolygon(
  access: PolygonAccess,
  question: PolygonQuestion,
  call: StockCall,
): Promise<string> {
  const url = addressOf(access.url, question)
  await access.budget.take({
    signal: call.signal,
    waitSecondsMax: call.waitSecondsMax ?? access.waitSecondsMax ?? WAIT_SECONDS_MAX,
  })
  const answer = await fetchText({
    url,
    headers: { authorization: `Bearer ${access.apiKey}`, accept: 'application/json' },
    signal: call.signal,
    deadlineSeconds: access.deadlineSeconds ?? DEADLINE_SECONDS,
    bodyBytesMax: question.bodyBytesMax ?? BODY_BYTES_MAX,
  })
  if (answer.status === 429) throw await tooMany(access.budget, answer)
  await access.budget.unblock()
  if (answer.status !== 200) throw refusalOf(answer, access.apiKey)
  return answer.text
}

function addressOf(root: string, question: PolygonQuestion): URL {
  const base = new URL(root)
  const folder = base.pathname.replace(/\/+$/, '')
  if (question.cursor !== undefined) return cursorAddress(base, folder, question.cursor, question.pagesUnder)
  const url = new URL(`${folder}${question.path}`, base)
  for (const [name, value] of Object.entries(question.query ?? {})) url.searchParams.set(name, value)
  return url
}

/** A cursor may have been kept, so it is checked again: it is text from outside that decides what is asked. */
function cursorAddress(base: URL, folder: string, cursor: string, pagesUnder: string | undefined): URL {
  const [path = '', query = ''] = cursor.split(/\?(.*)/s)
  const url = new URL(base)
  url.pathname = `${folder}${path}`
  url.search = query
  url.hash = ''
  const known = pagesUnder !== undefined && isPageOf(path, pagesUnder)
  if (!known || cursor.length > CURSOR_CHARS_MAX || url.pathname !== `${folder}${path}`) throw foreignPage()
  return url
}

/**
 * The cursor in a `next_url`: its path and query. Its host is left out, whatever it is: the next page is asked of
 * the configured host only, which also follows Polygon through its renaming (`api.massive.com` answers for it).
 * @throws ProviderError where it leads to another endpoint
 */
export function nextOf(nextUrl: string | undefined, root: string, pagesUnder: string): string | null {
  if (nextUrl === undefined || nextUrl === '') return null
  const url = URL.parse(nextUrl)
  if (url === null || url.search === '' || !/^https?:$/.test(url.protocol)) throw foreignPage()
  const folder = new URL(root).pathname.replace(/\/+$/, '')
  const path =
    folder !== '' && url.pathname.startsWith(`${folder}/`) ? url.pathname.slice(folder.length) : url.pathname
  url.searchParams.delete('apiKey')
  const cursor = `${path}${url.search}`
  if (!isPageOf(path, pagesUnder) || cursor.length > CURSOR_CHARS_MAX) throw foreignPage()
  return cursor
}

function isPageOf(path: string, pagesUnder: string): boolean {
  return pagesUnder.endsWith('/') ? path.startsWith(pagesUnder) : path === pagesUnder
}

function foreignPage(): ProviderError {
  return new ProviderError(
    'bad_answer',
    'foreign_page',
    'The next page is not one of this endpoint; not followed.',
  )
}

async function tooMany(budget: RequestBudget, answer: FetchedText): Promise<ProviderError> {
  const wait = retryAfterSeconds(answer.headers)
  await budget.block(wait)
  return new ProviderError('rate_limited', 'http_429', 'The provider asks for fewer requests.', {
    retryAfterSeconds: wait,
  })
}

const refusal = z.object({
  status: z.string().optional(),
  error: z.string().optional(),
  message: z.string().optional(),
})
type Refusal = z.output<typeof refusal>

function refusalOf(answer: FetchedText, apiKey: string): ProviderError {
  const code = `http_${answer.status}`
  const said = readRefusal(answer.text)
  if (answer.status === 401 || answer.status === 403) {
    if (said.status === 'NOT_AUTHORIZED') return notAuthorized(said, apiKey)
    return new ProviderError('auth', code, 'The API key was refused.')
  }
  if (answer.status >= 500) {
    return new ProviderError('transient', code, `The provider failed with HTTP ${answer.status}.`)
  }
  return new ProviderError(
    'bad_answer',
    code,
    `The provider refused with HTTP ${answer.status}${quoted(said, apiKey)}.`,
  )
}

function readRefusal(text: string): Refusal {
  try {
    return refusal.safeParse(parseExactJson(text)).data ?? {}
  } catch {
    return {}
  }
}

/** What this key's plan does not include. Asking again cannot help; it is recorded as entitlement. */
function notAuthorized(said: Refusal, apiKey: string): ProviderError {
  return new ProviderError(
    'plan',
    'not_authorized',
    `The plan of this key does not include it${quoted(said, apiKey)}.`,
  )
}

/** Their words, for the operator: one short line, without the key should they repeat it. */
function quoted(said: Refusal, apiKey: string): string {
  const words = (said.error ?? said.message ?? '')
    .replaceAll(apiKey === '' ? '\0' : apiKey, '…')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 200)
  return words === '' ? '' : `: “${words.replace(/\.$/, '')}”`
}

/**
 * Reads the `status` that most answers carry: `DELAYED` is good data, flagged.
 * @throws ProviderError for `ERROR` and `NOT_AUTHORIZED`, which also come with HTTP 200, and anything unknown
 */
export function checkStatus(body: unknown, apiKey: string): { readonly delayed: boolean } {
  const read = refusal.safeParse(body)
  const said = read.data ?? {}
  if (said.status === 'OK') return { delayed: false }
  if (said.status === 'DELAYED') return { delayed: true }
  if (said.status === 'NOT_AUTHORIZED') throw notAuthorized(said, apiKey)
  if (said.status !== undefined || said.error !== undefined) {
    throw new ProviderError(
      'bad_answer',
      'polygon_error',
      `The provider answered with an error${quoted(said, apiKey)}.`,
    )
  }
  throw new ProviderError('bad_answer', 'unexpected_shape', 'The answer has no status.')
}

/** Whether an answer of aggregates is of the raw prices that were asked for. Adjusted ones would be split twice. */
export function checkRaw(body: unknown): void {
  if (z.object({ adjusted: z.literal(true) }).safeParse(body).success) {
    throw new ProviderError(
      'bad_answer',
      'adjusted',
      'The provider sent adjusted prices where raw ones were asked.',
    )
  }
}

/** Whole ms or ns of a JSON number with its unit told by its size: ms until the year 5138, ns from 1973 on. */
export function momentOf(value: unknown): { readonly at: Date; readonly ns: bigint } | null {
  if (!(value instanceof JsonNumber)) return null
  const source = value.source
  if (/^[0-9]{1,14}$/.test(source) && source !== '0') {
    return { at: new Date(Number(source)), ns: BigInt(source) * 1_000_000n }
  }
  if (!/^[0-9]{18,19}$/.test(source)) return null
  const ns = BigInt(source)
  return { at: new Date(Number(ns / 1_000_000n)), ns }
}
