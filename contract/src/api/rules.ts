import { z } from 'zod'
import { cursor, decimalText, id, money, pageLimit, timestamp } from './shared.ts'

/** Rules: what a customer wants done later, by the clock or when a rate or a price gets somewhere. */

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** A name of the IANA time zone database. */
export const timeZone = z
  .string()
  .max(64)
  .regex(/^[A-Za-z][A-Za-z0-9_+/-]*$/, 'must be a time zone such as Europe/Warsaw')
  .refine(isTimeZone, 'must be a time zone such as Europe/Warsaw')

/** A date without a zone; to 2199, so that no calendar has to be made up. */
export const localDate = z.iso
  .date({ error: 'must be a date such as 2026-12-31' })
  .refine((date) => date >= '1970-01-02' && date < '2200', 'must be a date from 1970 to 2199')
export const localTime = z.string().regex(/^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/, 'must be a time such as 09:00')

/** Clocks there show `at`. A time that they skip is moved on by as much; one that they show twice is the first. */
const clock = { at: localTime, timeZone }
/** The first and the last date that count, and how many runs there are in all. */
const bounds = {
  from: localDate.optional(),
  until: localDate.optional(),
  count: z.int().min(1).max(1_000).optional(),
}
export const ruleSchedule = z.discriminatedUnion('repeat', [
  z.strictObject({ repeat: z.literal('once'), on: localDate, ...clock }),
  /** 1 is Monday, 7 is Sunday. */
  z.strictObject({ repeat: z.literal('weekly'), weekday: z.int().min(1).max(7), ...clock, ...bounds }),
  /** In a month that is shorter, its last day: 31 is always the last one. */
  z.strictObject({ repeat: z.literal('monthly'), day: z.int().min(1).max(31), ...clock, ...bounds }),
])
export type RuleSchedule = z.infer<typeof ruleSchedule>
/** Of what happens again and again, which once is not. */
export const repeatingSchedule = ruleSchedule.refine(({ repeat }) => repeat !== 'once', {
  message: 'must be weekly or monthly',
  path: ['repeat'],
})

/**
 * `paused`: by its owner, or because a run was refused (`reason`). `done`: it has no run left. `failed`: the only run
 * that it had was refused.
 */
export const ruleStatus = z.enum(['active', 'paused', 'done', 'cancelled', 'failed', 'expired'])
export type RuleStatus = z.infer<typeof ruleStatus>

/** What every rule says of itself. */
export const ruleState = {
  id,
  status: ruleStatus,
  /** Why it is paused or failed: a code of the error catalogue, or null. */
  reason: z.string().nullable(),
  createdAt: timestamp,
  /** The date of the next run; null for rules that wait for a rate or a price. */
  nextRunAt: timestamp.nullable(),
  /** The next run was due and refused for now: when, why, and when it is tried again. */
  lastTry: z.strictObject({ at: timestamp, reason: z.string(), nextTryAt: timestamp }).nullable(),
  /** How many runs have ended. */
  runs: z.int(),
}
export const ruleStateBody = z.strictObject(ruleState)
export type RuleStateBody = z.infer<typeof ruleStateBody>

/** For `PATCH`: a paused rule misses what falls due, for good. */
export const ruleSwitch = { status: z.enum(['active', 'paused']).optional() }
export interface RuleSwitch {
  readonly status?: 'active' | 'paused' | undefined
}

export const rulesQuery = z.strictObject({
  /** `open`: active or paused. */
  status: z.enum(['open', 'ended']).optional(),
  cursor: cursor.optional(),
  limit: pageLimit(100, 30),
})
export type RulesQuery = z.infer<typeof rulesQuery>
export const ruleParams = z.strictObject({ id })

export const ruleRun = z.strictObject({
  run: z.int(),
  /** By the clock: the date that it was for. */
  plannedFor: timestamp.nullable(),
  at: timestamp,
  /** `missed`: the system was away on its date, for longer than is made up for. */
  outcome: z.enum(['done', 'refused', 'missed']),
  /** A code of the error catalogue. */
  reason: z.string().nullable(),
  operationId: id.nullable(),
})
export type RuleRun = z.infer<typeof ruleRun>
export const ruleRunsQuery = z.strictObject({ cursor: cursor.optional(), limit: pageLimit(100, 30) })
export type RuleRunsQuery = z.infer<typeof ruleRunsQuery>
export const ruleRuns = z.strictObject({ items: z.array(ruleRun), nextCursor: z.string().nullable() })
export type RuleRuns = z.infer<typeof ruleRuns>

/**
 * What a rule would have done over the past year, on the rates that are stored. Binds nobody, and knows neither
 * balances nor limits of those days.
 */
export const dryRun = z.strictObject({
  from: timestamp,
  to: timestamp,
  runs: z.array(
    z.strictObject({
      at: timestamp,
      /** `unknown`: no rate is stored that was good on that day. */
      outcome: z.enum(['done', 'unknown']),
      from: money.optional(),
      to: money.optional(),
      /** The rate dealt at, margin included, or the price of an alert. */
      rate: decimalText.optional(),
      rateAsOf: timestamp.optional(),
    }),
  ),
  /** Of the runs that are known. */
  totals: z.strictObject({
    runs: z.int(),
    unknown: z.int(),
    from: money.nullable(),
    to: money.nullable(),
    /** Received for 1 of what was exchanged, over all runs. */
    averageRate: decimalText.nullable(),
  }),
  /** What one would get now for 1, margin included; null where there is no rate. */
  today: z.strictObject({ rate: decimalText, rateAsOf: timestamp }).nullable(),
  /** The rates that it was reckoned with; null where none are needed or none are there. */
  data: z
    .strictObject({
      source: z.string(),
      simulated: z.boolean(),
      first: timestamp,
      last: timestamp,
      points: z.int(),
    })
    .nullable(),
})
export type DryRun = z.infer<typeof dryRun>
