import { z } from 'zod'
import { jsonInteger, jsonNumber, parseExactJson, readShape } from './exact-json.ts'
import { fingerprint } from './fingerprint.ts'
import { fetchText, retryAfterSeconds, type FetchedText } from './fetch-text.ts'
import {
  ProviderError,
  type ProviderErrorKind,
  type QuotaNews,
  type RateProvider,
  type RateSnapshotDraft,
} from './rate-provider.ts'

export interface FixerOptions {
  /** `http://data.fixer.io` speaks the old way, `https://api.apilayer.com` the new one; see `isGateway`. */
  readonly url: string
  readonly apiKey: string
  /** Of the plan; null: as the free one, until the provider says otherwise. */
  readonly requestsPerMonth?: number | null
  readonly clock: () => Date
  readonly deadlineSeconds?: number
  readonly bodyBytesMax?: number
}

/** The free plan: https://fixer.io/product, 100 requests a month. Headers correct it where they are sent. */
const FREE_REQUESTS_PER_MONTH = 100
const HISTORY_DAYS = 364

const latestAnswer = z.object({
  timestamp: jsonInteger,
  base: z.string(),
  rates: z.record(z.string(), jsonNumber),
})
const timeseriesAnswer = z.object({
  base: z.string(),
  rates: z.record(z.iso.date(), z.record(z.string(), jsonNumber)),
})
/** Errors of the API itself (integer code, HTTP 200) and the third shape (text code, HTTP 400). */
const errorAnswer = z.object({
  error: z.object({ code: z.union([jsonInteger, z.string()]) }),
})

/** Fixer's integer codes. The `type` beside them is not looked at: one code comes with several. */
const KIND_OF_CODE: ReadonlyMap<number, readonly [ProviderErrorKind, string]> = new Map([
  [101, ['auth', 'The API key is missing or wrong.']],
  [102, ['auth', 'The account of this API key is inactive.']],
  [103, ['plan', 'The endpoint does not exist or is not in this plan.']],
  [104, ['quota', "The month's requests of this plan are used up."]],
  [105, ['plan', 'This plan does not include what was asked for.']],
  [106, ['no_data', 'The provider has no results at present.']],
  [404, ['bad_answer', 'The provider does not know the resource that was asked for.']],
])

/** Rates of fixer.io, on either of its hosts. Base EUR, which is all that the free plan has. */
export function fixerProvider(options: FixerOptions): RateProvider {
  const ask = (path: string, query: Record<string, string>, signal: AbortSignal) =>
    askFixer(options, path, query, signal)
  const requestsPerMonth = options.requestsPerMonth ?? FREE_REQUESTS_PER_MONTH
  return {
    name: 'fixer',
    kind: 'hourly',
    simulated: false,
    intervalSeconds: 3600,
    requestsPerMonth,
    // Another plan begins with a budget of its own.
    configuredAs: fingerprint(
      options.url,
      options.apiKey,
      ...(options.requestsPerMonth == null ? [] : [`${requestsPerMonth}`]),
    ),
    async latest(signal) {
      const { body, quota } = await ask('latest', {}, signal)
      const answer = readShape(latestAnswer, body)
      return draft(answer.base, new Date(answer.timestamp * 1000), answer.rates, quota)
    },
    async history(signal) {
      const today = options.clock()
      const { body, quota } = await ask(
        'timeseries',
        { start_date: dayBefore(today, HISTORY_DAYS), end_date: dayBefore(today, 1) },
        signal,
      )
      const answer = readShape(timeseriesAnswer, body)
      return Object.entries(answer.rates)
        .toSorted(([left], [right]) => left.localeCompare(right))
        .map(([day, rates]) => draft(answer.base, new Date(`${day}T23:59:59Z`), rates, quota))
    },
  }
}

function draft(
  base: string,
  asOf: Date,
  rates: Record<string, string>,
  quota: QuotaNews | null,
): RateSnapshotDraft {
  return {
    provider: 'fixer',
    asOf,
    base,
    rates: Object.entries(rates).map(([code, rate]) => ({ code, rate, per: '1' })),
    ...(quota === null ? {} : { quota }),
  }
}

/** The new host is a gateway that takes the key in a header; it is known by its name or by a path of `/fixer`. */
function isGateway(url: URL): boolean {
  return url.hostname === 'api.apilayer.com' || /\/fixer\/?$/.test(url.pathname)
}

async function askFixer(
  options: FixerOptions,
  path: string,
  query: Record<string, string>,
  signal: AbortSignal,
): Promise<{ body: unknown; quota: QuotaNews | null }> {
  const root = new URL(options.url)
  const gateway = isGateway(root)
  const folder = root.pathname.replace(/\/+$/, '').replace(/\/(?:fixer|api)$/, '')
  const url = new URL(`${folder}/${gateway ? 'fixer' : 'api'}/${path}`, root)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  if (!gateway) url.searchParams.set('access_key', options.apiKey)
  const answer = await fetchText({
    url,
    headers: gateway ? { apikey: options.apiKey } : {},
    signal,
    deadlineSeconds: options.deadlineSeconds ?? 10,
    bodyBytesMax: options.bodyBytesMax ?? 1_000_000,
  })
  const quota = quotaOf(answer.headers)
  refuseByStatus(answer, quota)
  const body = parseExactJson(answer.text)
  refuseByBody(body, answer.status, quota)
  return { body, quota }
}

function quotaOf(headers: Headers): QuotaNews | null {
  const read = (name: string) => {
    const text = headers.get(name) ?? ''
    return /^[0-9]{1,9}$/.test(text) ? Number(text) : null
  }
  const limit = read('x-ratelimit-limit-month')
  const remaining = read('x-ratelimit-remaining-month')
  return limit === null && remaining === null ? null : { limit, remaining }
}

/** The gateway's own refusals, which carry a real status and only a `message`. */
function refuseByStatus(answer: FetchedText, quota: QuotaNews | null): void {
  const { status } = answer
  const code = `http_${status}`
  if (status === 401 || status === 403)
    throw new ProviderError('auth', code, 'The API key was refused.', { quota })
  if (status === 404) throw new ProviderError('bad_answer', code, 'There is no such address at the provider.')
  if (status === 429) throw tooMany(answer, quota)
  if (status >= 500)
    throw new ProviderError('transient', code, `The provider failed with HTTP ${status}.`, { quota })
}

/** 429 means the month is spent when the headers say so, or when nothing says how long to wait. */
function tooMany(answer: FetchedText, quota: QuotaNews | null): ProviderError {
  const wait = retryAfterSeconds(answer.headers)
  const spent = quota?.remaining === 0 || (quota?.remaining == null && /month/i.test(answer.text))
  return spent
    ? new ProviderError('quota', 'http_429', "The month's requests of this plan are used up.", { quota })
    : new ProviderError('rate_limited', 'http_429', 'The provider asks for fewer requests.', {
        quota,
        retryAfterSeconds: wait,
      })
}

function refuseByBody(body: unknown, status: number, quota: QuotaNews | null): void {
  if (status === 200 && z.object({ success: z.literal(true) }).safeParse(body).success) return
  const refusal = errorAnswer.safeParse(body)
  if (!refusal.success) {
    throw new ProviderError(
      'bad_answer',
      `http_${status}`,
      `The provider answered HTTP ${status} in an unknown shape.`,
    )
  }
  const { code } = refusal.data.error
  const [kind, sentence] = (typeof code === 'number' ? KIND_OF_CODE.get(code) : undefined) ?? [
    'bad_answer',
    'The provider refused the request.',
  ]
  throw new ProviderError(kind, `fixer_${String(code).slice(0, 40)}`, sentence, { quota })
}

function dayBefore(today: Date, days: number): string {
  return new Date(today.getTime() - days * 86_400_000).toISOString().slice(0, 10)
}
