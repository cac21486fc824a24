import { ApiError } from './api-error.ts'

export interface RetryPolicy {
  /** Tries in all. */
  readonly attemptsMax: number
  /** A server that asks for more patience than this is not waited for. */
  readonly waitSecondsMax: number
  /** Between 0 and 1. */
  readonly random: () => number
}

const FIRST_WAIT_SECONDS = 0.4
/** Refusals that say what is true for a while: asking again at once changes nothing. */
const LASTING: ReadonlySet<string> = new Set(['rates_stale', 'prices_stale'])

/**
 * Tries again what is worth it: no answer, an answer that does not say what happened, or "later". Bounded, with
 * growing pauses of which up to half is chance, so that many clients do not come back together.
 *
 * @param repeatable that doing it twice does nothing twice: a read, or a POST under its idempotency key
 */
export async function withRetries<Answer>(
  policy: RetryPolicy,
  of: { readonly repeatable: boolean; readonly signal: AbortSignal | undefined },
  attempt: () => Promise<Answer>,
): Promise<Answer> {
  for (let made = 1; ; made += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (!of.repeatable || made >= policy.attemptsMax || !mayPass(error)) throw error
      const waitSeconds = secondsBefore(made, error, policy.random)
      if (waitSeconds > policy.waitSecondsMax) throw error
      await pause(waitSeconds, of.signal)
    }
  }
}

function mayPass(error: unknown): error is ApiError {
  if (!(error instanceof ApiError) || LASTING.has(error.code)) return false
  // Off line, waiting a second changes nothing: the caller says so and offers to try again.
  if (error.code === 'offline') return false
  return error.outcomeUnknown || error.status === 429
}

/** What the server asks for, else growing from time to time; never quite the same for two clients. */
export function secondsBefore(made: number, error: ApiError | null, random: () => number): number {
  const asked = error?.retryAfterSeconds ?? null
  if (asked !== null) return asked + FIRST_WAIT_SECONDS * random()
  return FIRST_WAIT_SECONDS * 2 ** made * (0.5 + random() / 2)
}

/** @throws the signal's reason when it is aborted meanwhile */
export function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', give)
      resolve()
    }, seconds * 1000)
    if (signal?.aborted === true) give()
    else signal?.addEventListener('abort', give, { once: true })
  })
}
