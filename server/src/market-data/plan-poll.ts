import type { ProviderError, QuotaNews } from './providers/rate-provider.ts'
import type { Quota } from './provider-queries.ts'

/** What decides when a provider may be asked. */
export interface PollPolicy {
  readonly intervalSeconds: number
  /** Null: not metered. */
  readonly requestsPerMonth: number | null
}

export interface PollState {
  readonly nextPollAt: Date | null
  readonly lastAttemptAt: Date | null
  readonly quota: Quota | null
}

export type PollPlan =
  | { readonly due: true; readonly nextPollAt: Date; readonly quota: Quota | null }
  | { readonly due: false; readonly nextPollAt: Date; readonly quota: Quota | null }

/** A spent month is tried once a day: the plan's month may end on another day than the calendar's. */
const PROBE_SECONDS = 86_400
/** The job that asks runs every few minutes: what is due within seconds of it should not wait for the next. */
const SLACK_SECONDS = 30
/** An hour, and the slack, so that it really is one. */
const HOPELESS_SECONDS = 3600 + SLACK_SECONDS
const RETRY_SECONDS = [300, 900, 1800] as const

/**
 * Whether to ask now, and when next if all goes well. The request is taken off the month's budget here, before
 * it is sent and whatever comes of it, so that no retry and no other process can spend it a second time.
 */
export function planPoll(state: PollState, policy: PollPolicy, now: Date): PollPlan {
  const quota = currentQuota(state.quota, policy, now)
  if (
    state.nextPollAt !== null &&
    later(now, SLACK_SECONDS) < state.nextPollAt &&
    !hasRenewed(state.quota, quota)
  ) {
    return { due: false, nextPollAt: state.nextPollAt, quota }
  }
  if (quota === null) return { due: true, nextPollAt: later(now, policy.intervalSeconds), quota }
  if (quota.remaining === 0 && state.lastAttemptAt !== null) {
    const probeAt = later(state.lastAttemptAt, PROBE_SECONDS)
    if (now < probeAt) return { due: false, nextPollAt: earlier(probeAt, quota.resetsAt), quota }
  }
  const left = { ...quota, remaining: Math.max(0, quota.remaining - 1) }
  return { due: true, nextPollAt: later(now, pacedSeconds(policy.intervalSeconds, left, now)), quota: left }
}

/**
 * The interval at which the rest of the month's requests lasts to its end, never shorter than `usualSeconds`.
 * Free Fixer: 744 hours for 100 requests is one every 7 h 26 min. Paid: hourly.
 */
export function pacedSeconds(usualSeconds: number, quota: Quota | null, now: Date): number {
  if (quota === null) return usualSeconds
  const monthLeft = Math.max(0, (quota.resetsAt.getTime() - now.getTime()) / 1000)
  if (quota.remaining === 0) return Math.max(usualSeconds, Math.min(monthLeft, PROBE_SECONDS))
  return Math.max(usualSeconds, Math.ceil(monthLeft / quota.remaining))
}

/** When to ask again after a failure. Retries are bounded, grow apart, and are paced by the budget like any poll. */
export function planAfterFailure(
  failure: Pick<ProviderError, 'kind' | 'retryAfterSeconds'>,
  state: { readonly failuresInARow: number; readonly quota: Quota | null },
  policy: PollPolicy,
  now: Date,
): { nextPollAt: Date; quota: Quota | null } {
  const quota = failure.kind === 'quota' && state.quota ? { ...state.quota, remaining: 0 } : state.quota
  const usual = pacedSeconds(policy.intervalSeconds, quota, now)
  if (failure.kind === 'transient') {
    const retry = RETRY_SECONDS[state.failuresInARow] ?? policy.intervalSeconds
    return { nextPollAt: later(now, Math.min(usual, pacedSeconds(retry, quota, now))), quota }
  }
  if (failure.kind === 'rate_limited') {
    return { nextPollAt: later(now, Math.max(usual, failure.retryAfterSeconds ?? 0)), quota }
  }
  // A wrong key or plan does not heal by asking: an hour at least.
  return { nextPollAt: later(now, Math.max(usual, HOPELESS_SECONDS)), quota }
}

/** What the provider itself says of its budget is truer than our count: others may use the same key. */
export function learnQuota(quota: Quota | null, news: QuotaNews | null | undefined): Quota | null {
  if (quota === null || !news) return quota
  const limit = news.limit ?? quota.limit
  return { ...quota, limit, remaining: Math.min(news.remaining ?? quota.remaining, limit) }
}

function currentQuota(quota: Quota | null, policy: PollPolicy, now: Date): Quota | null {
  if (policy.requestsPerMonth === null) return null
  if (quota !== null && now < quota.resetsAt) return quota
  const limit = quota?.limit ?? policy.requestsPerMonth
  return { limit, remaining: limit, resetsAt: nextMonth(now) }
}

function hasRenewed(before: Quota | null, after: Quota | null): boolean {
  return before !== null && after !== null && after.resetsAt > before.resetsAt
}

function nextMonth(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1))
}

function later(from: Date, seconds: number): Date {
  return new Date(from.getTime() + seconds * 1000)
}

function earlier(first: Date, second: Date): Date {
  return first < second ? first : second
}
