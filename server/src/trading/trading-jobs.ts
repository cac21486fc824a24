import { defineJob } from '#jobs'
import type { AnyJob, ScheduleEntry } from '#jobs'
import { z } from 'zod'
import { runCorporateActions } from './run-corporate-actions.ts'
import type { CorporateActionDeps } from './holder-action.ts'
import { recordWorth } from './worth-points.ts'
import type { WorthDeps } from './worth-points.ts'

export type TradingJobsDeps = CorporateActionDeps & WorthDeps

const nothing = z.strictObject({})

export function tradingJobs(deps: TradingJobsDeps): AnyJob[] {
  return [
    defineJob({
      name: 'post-corporate-actions',
      payload: nothing,
      timeoutSeconds: 1_800,
      attemptsMax: 3,
      run: async (_, { signal }) => {
        const { failed } = await runCorporateActions(deps, signal)
        // So that whoever looks at the jobs sees it; the actions themselves say when they are tried again.
        if (failed > 0) throw new Error(`${failed} corporate actions could not be posted for everybody`)
      },
    }),
    defineJob({
      name: 'record-worth',
      payload: nothing,
      timeoutSeconds: 1_800,
      attemptsMax: 2,
      run: (_, { signal }) => recordWorth(deps, signal),
    }),
  ]
}

/** Corporate actions are looked for often, since a split has to be posted before its day's trading. */
export const tradingSchedule: readonly ScheduleEntry[] = [
  { job: 'post-corporate-actions', cron: '*/5 * * * *', backfillMinutes: 0, atStart: true },
  { job: 'record-worth', cron: '1 * * * *', backfillMinutes: 0, atStart: true },
]
