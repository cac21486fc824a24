import type { Database } from '#db'
import { sweepQuotes } from '#exchange'
import type { Identity } from '#identity'
import { defineJob, sweepGivenUp } from '#jobs'
import type { AnyJob, ScheduleEntry } from '#jobs'
import {
  DEFAULT_AGE_LIMITS,
  marketDataJobs,
  marketDataSchedule,
  stockJobs,
  stockSchedule,
} from '#market-data'
import type { DeclareInstruments, MarketHours, RateProvider, StockProvider } from '#market-data'
import { notificationJobs, notificationSchedule } from '#notifications'
import type { NotificationJobsDeps } from '#notifications'
import type { Log, Metrics } from '#telemetry'
import { tradingJobs, tradingSchedule } from '#trading'
import type { TradingJobsDeps } from '#trading'
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
  readonly stocks: { readonly provider: StockProvider; readonly hours: MarketHours }
  readonly declareInstruments: DeclareInstruments
  readonly trading: TradingJobsDeps
  readonly notifications: NotificationJobsDeps
}

const nothing = z.strictObject({})

/** Every background job there is. */
export function allJobs(deps: ScheduleDeps): AnyJob[] {
  return [
    ...marketDataJobs(deps),
    ...stockJobs({ ...deps, ...deps.stocks }),
    ...tradingJobs(deps.trading),
    ...notificationJobs(deps.notifications),
    hourlyVerification(deps),
    defineJob({
      name: 'sweep-quotes',
      payload: nothing,
      timeoutSeconds: 120,
      attemptsMax: 3,
      run: () => sweepQuotes(deps.db, deps.clock(), DEFAULT_AGE_LIMITS),
    }),
    defineJob({
      name: 'sweep-identity',
      payload: nothing,
      timeoutSeconds: 120,
      attemptsMax: 3,
      run: () => deps.identity.sweep(),
    }),
    defineJob({
      name: 'sweep-jobs',
      payload: nothing,
      timeoutSeconds: 120,
      attemptsMax: 3,
      run: () => sweepGivenUp(deps.db, deps.clock()),
    }),
  ]
}

/** When they run, in UTC. */
export const schedule: readonly ScheduleEntry[] = [
  ...marketDataSchedule,
  ...stockSchedule,
  ...tradingSchedule,
  ...notificationSchedule,
  hourlyVerificationSchedule,
  { job: 'sweep-quotes', cron: '41 3 * * *', backfillMinutes: 1440 },
  { job: 'sweep-identity', cron: '53 3 * * *', backfillMinutes: 1440 },
  { job: 'sweep-jobs', cron: '5 4 * * *', backfillMinutes: 1440 },
]
