import type { ApiError } from './api-error.ts'
import type { RetryPolicy } from './retry.ts'

export interface ClientOptions {
  /** Where Kantor answers: `https://kantor.example`. Default: the page's own origin, in a browser. */
  readonly baseUrl?: string
  /** `kantor_…`, for programs. A page sends its session's cookie instead. */
  readonly apiKey?: string
  /** How long one try may take. Default 15. */
  readonly timeoutSeconds?: number
  /** Tries in all, of what is safe to repeat. Default 3. */
  readonly attemptsMax?: number
  /** A server that asks for more patience than this is not waited for. Default 4. */
  readonly waitSecondsMax?: number
  /** Told of every refusal before it is thrown: of a session that has ended, say. */
  readonly onRefusal?: (error: ApiError) => void
  readonly fetch?: (request: Request) => Promise<Response>
  /** A name that nobody else makes, for a request that is to happen once. Default `newIdempotencyKey`. */
  readonly newKey?: () => string
  /** Between 0 and 1. Default Math.random. */
  readonly random?: () => number
}

/** The options with what holds where nothing is said. */
export interface Settings {
  readonly root: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutSeconds: number
  readonly retry: RetryPolicy
  readonly onRefusal: (error: ApiError) => void
  readonly fetch: (request: Request) => Promise<Response>
  readonly newKey: () => string
}

const TIMEOUT_SECONDS = 15
const ATTEMPTS_MAX = 3
const WAIT_SECONDS_MAX = 4

/** 128 random bits. Not `randomUUID`, which a page that was not sent over https does not have. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export function settingsOf(options: ClientOptions): Settings {
  return {
    root: `${(options.baseUrl ?? '').replace(/\/+$/, '')}/api/v1`,
    headers: options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` },
    timeoutSeconds: options.timeoutSeconds ?? TIMEOUT_SECONDS,
    retry: {
      attemptsMax: options.attemptsMax ?? ATTEMPTS_MAX,
      waitSecondsMax: options.waitSecondsMax ?? WAIT_SECONDS_MAX,
      random: options.random ?? Math.random,
    },
    onRefusal: options.onRefusal ?? (() => {}),
    // Looked up at each call: a page's tests may put another in its place.
    fetch: options.fetch ?? ((request) => globalThis.fetch(request)),
    newKey: options.newKey ?? newIdempotencyKey,
  }
}
