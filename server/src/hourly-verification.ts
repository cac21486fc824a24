import { defineJob } from '#jobs'
import type { AnyJob, ScheduleEntry } from '#jobs'
import { runVerify } from '#ledger'
import type { Metrics } from '#telemetry'
import { z } from 'zod'

export interface HourlyVerificationDeps {
  readonly databaseUrl: string
  readonly metrics: Pick<Metrics, 'gauge'>
  readonly clock: () => Date
}

/** Less than the hour to the next run, so that two never read at once. */
const TIMEOUT_SECONDS = 3_300

/**
 * `npm run verify` by the clock, with what it found as gauges of the process that ran it. It also holds the chain
 * against the head it saw last: who rewrites the whole chain cannot rewrite what this process remembers.
 */
export function hourlyVerification({ databaseUrl, metrics, clock }: HourlyVerificationDeps): AnyJob {
  let seen: { height: bigint; hash: string } | null = null
  const last = { holds: Number.NaN, height: Number.NaN, endedAtSeconds: Number.NaN }
  metrics.gauge(
    'kantor_ledger_holds',
    '1: the last verification found no break. 0: it did.',
    () => last.holds,
  )
  metrics.gauge('kantor_ledger_verified_height', 'The last block it verified.', () => last.height)
  metrics.gauge('kantor_ledger_verified_timestamp_seconds', 'When it ended.', () => last.endedAtSeconds)
  return defineJob({
    name: 'verify-ledger',
    payload: z.strictObject({}),
    timeoutSeconds: TIMEOUT_SECONDS,
    // A break does not go away by looking again, and the next hour comes.
    attemptsMax: 1,
    run: async (_payload, { signal }) => {
      const { firstBreak, head } = await runVerify({
        url: databaseUrl,
        applicationName: 'kantor-verify-hourly',
        role: 'kantor_app',
        onProgress: () => signal.throwIfAborted(),
        ...(seen === null ? {} : { expectedHead: seen }),
      })
      last.holds = firstBreak === null ? 1 : 0
      last.height = Number(head.height)
      last.endedAtSeconds = clock().getTime() / 1000
      if (firstBreak !== null) {
        throw new Error(`THE LEDGER IS BROKEN at block ${firstBreak.height ?? '?'}: ${firstBreak.what}`)
      }
      seen = head
    },
  })
}

/** Not made up for: the next hour's run proves the same and more. */
export const hourlyVerificationSchedule: ScheduleEntry = {
  job: 'verify-ledger',
  cron: '23 * * * *',
  backfillMinutes: 0,
}
