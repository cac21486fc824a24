/** One rate as a provider said it: 1 EUR (the snapshot's base) = rate / per of `code`, both exact decimal text. */
export interface DraftRate {
  readonly code: string
  readonly rate: string
  readonly per: string
}

/** What a provider answered, read but not yet believed: `ingest` decides whether it is stored. */
export interface RateSnapshotDraft {
  readonly provider: string
  /** The moment the provider says these prices are of. */
  readonly asOf: Date
  /** As the provider named it. Anything but EUR is refused. */
  readonly base: string
  readonly rates: readonly DraftRate[]
  readonly quota?: QuotaNews
}

/** What a metered provider says is left of the month. */
export interface QuotaNews {
  readonly limit: number | null
  readonly remaining: number | null
}

/**
 * One source of exchange rates. An adapter only fetches and reads: it neither stores, retries nor decides when
 * to ask. It throws `ProviderError` for whatever goes wrong, and never anything that names its key.
 */
export interface RateProvider {
  readonly name: string
  /** `daily` feeds are reference rates of a working day, with an age limit of their own. */
  readonly kind: 'hourly' | 'daily'
  /** True where the prices are made up. Never compared with real ones, and never chosen over them. */
  readonly simulated: boolean
  /** How often this provider has something new, in seconds. */
  readonly intervalSeconds: number
  /** Requests a month to count on until the provider says otherwise; null where nothing is metered. */
  readonly requestsPerMonth: number | null
  /** Changes when the address or the key does: what was learnt of the old one is then forgotten. Holds no secret. */
  readonly configuredAs: string
  latest(signal: AbortSignal): Promise<RateSnapshotDraft>
  /** The past as far as one request or little work offers it, oldest first. Absent where there is none. */
  readonly history?: (signal: AbortSignal) => Promise<RateSnapshotDraft[]>
}

/**
 * Why a provider gave nothing.
 * - `transient`: down, slow, 5xx. Asked again soon, a bounded number of times.
 * - `rate_limited`: too fast. Asked again after what it said, at least the usual interval.
 * - `quota`: the month's requests are spent.
 * - `auth`, `plan`: the key or the plan is wrong. Asking again sooner cannot help, and may get a key blocked.
 * - `no_data`: it answered that there is nothing now (a holiday).
 * - `bad_answer`: it answered something that is not rates.
 */
export type ProviderErrorKind =
  'transient' | 'rate_limited' | 'quota' | 'auth' | 'plan' | 'no_data' | 'bad_answer'

export class ProviderError extends Error {
  readonly kind: ProviderErrorKind
  /** Short and stable, for the operations page: `timeout`, `http_503`, `fixer_104`. */
  readonly code: string
  readonly retryAfterSeconds: number | null
  readonly quota: QuotaNews | null

  /** `sentence` is shown to the operator: it must not hold an address with a key in it. */
  constructor(
    kind: ProviderErrorKind,
    code: string,
    sentence: string,
    more: { retryAfterSeconds?: number | null; quota?: QuotaNews | null; cause?: unknown } = {},
  ) {
    super(sentence, { cause: more.cause })
    this.name = 'ProviderError'
    this.kind = kind
    this.code = code
    this.retryAfterSeconds = more.retryAfterSeconds ?? null
    this.quota = more.quota ?? null
  }
}
