import { ApiError, errorOf } from './api-error.ts'

const BASE = '/api/v1'
const TIMEOUT_SECONDS = 15
const ATTEMPTS_MAX = 3
const RETRY_WAIT_SECONDS_MAX = 4

export interface CallOptions {
  query?: Record<string, string | number | undefined>
  body?: unknown
  /** Made once per intent by `createIntent`; the same one goes with every retry. */
  idempotencyKey?: string
  signal?: AbortSignal
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

const signedOutListeners = new Set<() => void>()

/** Told when a request shows that the session has ended, so that every page need not look for it. */
export function onSignedOut(listener: () => void): void {
  signedOutListeners.add(listener)
}

function addressOf(path: string, query: CallOptions['query']): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== '') search.set(name, String(value))
  }
  return `${BASE}${path}${search.size > 0 ? `?${search}` : ''}`
}

function headersOf(options: CallOptions): Record<string, string> {
  return {
    accept: 'application/json',
    ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey }),
  }
}

async function attempt<Reply>(method: Method, path: string, options: CallOptions): Promise<Reply> {
  const timeout = AbortSignal.timeout(TIMEOUT_SECONDS * 1000)
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal])
  let response: Response
  try {
    response = await fetch(addressOf(path, options.query), {
      method,
      signal,
      headers: headersOf(options),
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      credentials: 'same-origin',
      redirect: 'error',
    })
  } catch (cause) {
    if (options.signal?.aborted === true) throw cause
    throw new ApiError({ code: navigator.onLine === false ? 'offline' : 'no_answer', cause })
  }
  if (!response.ok) {
    const error = await errorOf(response)
    if (error.code === 'not_authenticated') for (const listener of signedOutListeners) listener()
    throw error
  }
  if (response.status === 204) return undefined as Reply
  try {
    return (await response.json()) as Reply
  } catch (cause) {
    throw new ApiError({ code: 'unreadable_answer', cause })
  }
}

function waitSecondsBefore(next: number, error: ApiError): number {
  return Math.min(error.retryAfterSeconds ?? 0.4 * 2 ** next, RETRY_WAIT_SECONDS_MAX)
}

/**
 * One request with a time-out. What came back unknown is tried again, at most twice, when that is harmless:
 * a read, or a POST that carries its idempotency key. The reply is trusted to have the contract's shape,
 * because the server's response schemas come from the same file and refuse to send another.
 */
export async function call<Reply>(method: Method, path: string, options: CallOptions = {}): Promise<Reply> {
  const repeatable = method === 'GET' || options.idempotencyKey !== undefined
  for (let made = 1; ; made++) {
    try {
      return await attempt<Reply>(method, path, options)
    } catch (error) {
      const again = repeatable && made < ATTEMPTS_MAX && error instanceof ApiError && error.outcomeUnknown
      // Off line, waiting a second changes nothing: the page says so and offers to try again.
      if (!again || error.code === 'offline') throw error
      await new Promise((done) => setTimeout(done, waitSecondsBefore(made, error) * 1000))
    }
  }
}
