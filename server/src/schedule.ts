import type { Database } from '#db'
import { sweepQuotes } from '#exchange'
import type { Identity } from '#identity'
import { defineJob } from '#jobs'
import type { AnyJob, ScheduleEntry } from '#jobs'
import { marketDataJobs, marketDataSchedule } from '#market-data'
import type { RateProvider } from '#market-data'
import type { Log, Metrics } from '#telemetry'
import { z } from 'zod'
import { hourlyVerification, hourlyVerificationSchedule } from './hourly-verification.ts'

export interface ScheduleDeps {
  readonly db: Database
  readonly databaseUrl: string
  readonly clock: () => Date
  readonly log: Log
  readonly metrics: Metrics
  readonly identity: Identity
  readonly providers: readonly RateProvider[]
}

const nothing = z.strictObject({})

/** Every background job there is. */
export function allJobs(deps: ScheduleDeps): AnyJob[] {
  return [
    ...marketDataJobs(deps),
    hourlyVerification(deps),
    defineJob({
      name: 'sweep-quotes',
      payload: nothing,
      timeoutSeconds: 120,
      attemptsMax: 3,
      run: () => sweepQuotes(deps.db, deps.clock()),
    }),
    defineJob({
      name: 'sweep-identity',
      payload: nothing,
      timeoutSeconds: 120,
      attemptsMax: 3,
      run: () => deps.identity.sweep(),
    }),
  ]
}

/** When they run, in UTC. */
export const schedule: readonly ScheduleEntry[] = [
  ...marketDataSchedule,
  hourlyVerificationSchedule,
  { job: 'sweep-quotes', cron: '41 3 * * *', backfillMinutes: 1440 },
  { job: 'sweep-identity', cron: '53 3 * * *', backfillMinutes: 1440 },
]
