import { describe, expect, test } from 'vitest'
import {
  learnQuota,
  pacedSeconds,
  planAfterFailure,
  planPoll,
  type PollPolicy,
  type PollState,
} from './plan-poll.ts'
import type { Quota } from './provider-queries.ts'
import type { ProviderErrorKind } from './providers/rate-provider.ts'

const HOUR = 3600
const free: PollPolicy = { intervalSeconds: HOUR, requestsPerMonth: 100 }
const keyless: PollPolicy = { intervalSeconds: HOUR, requestsPerMonth: null }
const monthStart = new Date('2026-12-01T00:00:00Z')
const monthEnd = new Date('2027-01-01T00:00:00Z')
const at = (seconds: number) => new Date(monthStart.getTime() + seconds * 1000)
const fresh: PollState = { nextPollAt: null, lastAttemptAt: null, quota: null }
const quotaOf = (remaining: number, limit = 100): Quota => ({ limit, remaining, resetsAt: monthEnd })

/** A month of the five-minute tick, with what a poll's outcome does to the state. */
function live(
  policy: PollPolicy,
  after: (state: PollState & { failuresInARow: number }, now: Date) => Partial<PollState>,
  days = 31,
): number[] {
  let state: PollState & { failuresInARow: number } = { ...fresh, failuresInARow: 0 }
  const polls: number[] = []
  for (let second = 0; second < days * 24 * HOUR; second += 300) {
    const now = at(second)
    const plan = planPoll(state, policy, now)
    if (!plan.due) continue
    polls.push(second)
    state = { ...state, nextPollAt: plan.nextPollAt, quota: plan.quota, lastAttemptAt: now }
    state = { ...state, ...after(state, now) }
  }
  return polls
}

const gaps = (polls: number[]) => polls.slice(1).map((second, index) => second - (polls[index] ?? 0))

describe('a month of polls that all go well', () => {
  test('a keyless feed is asked hourly', () => {
    const polls = live(keyless, () => ({}))
    expect(polls).toHaveLength(31 * 24)
    expect(new Set(gaps(polls))).toEqual(new Set([HOUR]))
  })

  test('a plan of 100 requests is stretched so that it lasts the 744 hours, evenly', () => {
    const polls = live(free, () => ({}))
    expect(polls.length).toBeGreaterThanOrEqual(98)
    expect(polls.length).toBeLessThanOrEqual(100)
    expect(Math.min(...gaps(polls))).toBeGreaterThan(7 * HOUR)
    expect(Math.max(...gaps(polls))).toBeLessThan(8 * HOUR)
  })

  test('a plan of 10,000 is asked hourly', () => {
    expect(live({ ...free, requestsPerMonth: 10_000 }, () => ({}))).toHaveLength(744)
  })

  test('a new month brings new requests, at once even if the old one had none left', () => {
    const spent: PollState = { nextPollAt: monthEnd, lastAttemptAt: at(HOUR), quota: quotaOf(0) }
    expect(planPoll(spent, free, new Date(monthEnd.getTime() - 60_000)).due).toBe(false)
    const plan = planPoll(spent, free, monthEnd)
    expect(plan.due).toBe(true)
    expect(plan.quota).toEqual({ limit: 100, remaining: 99, resetsAt: new Date('2027-02-01T00:00:00Z') })
  })
})

test('a key that others use too is paced by what is really left', () => {
  const left = learnQuota(quotaOf(90), { limit: null, remaining: 10 })
  expect(left).toEqual(quotaOf(10))
  expect(pacedSeconds(HOUR, left, new Date('2026-12-31T04:00:00Z'))).toBe(2 * HOUR)
  expect(learnQuota(quotaOf(90), { limit: 1000, remaining: 800 })).toEqual(quotaOf(800, 1000))
  expect(learnQuota(null, { limit: 1, remaining: 1 })).toBeNull()
})

describe('a month in which every poll fails', () => {
  const failing = (kind: ProviderErrorKind, policy: PollPolicy = free) =>
    live(policy, (state, now) => ({
      ...planAfterFailure({ kind, retryAfterSeconds: null }, state, policy, now),
      failuresInARow: state.failuresInARow + 1,
    }))

  test.each<ProviderErrorKind>(['transient', 'rate_limited', 'auth', 'plan', 'no_data', 'bad_answer'])(
    '%s: retries do not spend more than the plan has',
    (kind) => {
      const polls = failing(kind)
      expect(polls.length).toBeLessThanOrEqual(100)
      expect(Math.min(...gaps(polls))).toBeGreaterThanOrEqual(HOUR)
    },
  )

  test('a spent quota is tried once a day', () => {
    const polls = failing('quota')
    expect(polls).toHaveLength(31)
    expect(Math.min(...gaps(polls))).toBeGreaterThanOrEqual(24 * HOUR - 30)
  })

  test.each<ProviderErrorKind>(['auth', 'plan'])(
    '%s: a keyless or rich plan is not asked within the hour',
    (kind) => {
      for (const policy of [keyless, { ...free, requestsPerMonth: 10_000 }]) {
        expect(Math.min(...gaps(failing(kind, policy)))).toBeGreaterThanOrEqual(HOUR)
      }
    },
  )

  test('transient: a keyless feed is tried after 5, 15 and 30 minutes, then hourly', () => {
    expect(gaps(failing('transient', keyless)).slice(0, 5)).toEqual([300, 900, 1800, HOUR, HOUR])
  })
})

test('too fast waits as long as it is told to', () => {
  const { nextPollAt } = planAfterFailure(
    { kind: 'rate_limited', retryAfterSeconds: 5 * HOUR },
    { failuresInARow: 0, quota: null },
    keyless,
    monthStart,
  )
  expect(nextPollAt).toEqual(at(5 * HOUR))
})
