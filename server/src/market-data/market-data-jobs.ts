import { z } from 'zod'
import { defineJob, type AnyJob, type ScheduleEntry } from '#jobs'
import { pollRates, type PollDeps } from './poll-rates.ts'
import { DEFAULT_RETENTION, thinOutRates, type RateRetention } from './thin-out-rates.ts'

const nothing = z.strictObject({})

/** This room's work for the durable queue. */
export function marketDataJobs(deps: PollDeps & { readonly retention?: RateRetention }): AnyJob[] {
  return [
    defineJob({
      name: 'poll-rates',
      payload: nothing,
      timeoutSeconds: 240,
      // The next tick is the retry, and the providers' rows say who may be asked: trying at once helps nobody.
      attemptsMax: 1,
      run: async (_payload, { signal }) => {
        await pollRates(deps, signal)
      },
    }),
    defineJob({
      name: 'thin-out-rates',
      payload: nothing,
      timeoutSeconds: 120,
      attemptsMax: 3,
      run: async () => {
        await thinOutRates(deps, deps.retention ?? DEFAULT_RETENTION)
      },
    }),
  ]
}

/** Every five minutes it is looked who is due: most feeds hourly, metered ones as their quota allows. */
export const marketDataSchedule: readonly ScheduleEntry[] = [
  { job: 'poll-rates', cron: '*/5 * * * *', backfillMinutes: 60, atStart: true },
  { job: 'thin-out-rates', cron: '17 3 * * *', backfillMinutes: 1440 },
]
