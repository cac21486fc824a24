import type { BackgroundJob } from '@kantor/contract/api'

export type JobState = 'running' | 'givenUp' | 'failing' | 'waiting' | 'well' | 'never'

/** What an operator wants to know first: trouble goes before work under way, and that before rest. */
export function jobState(job: BackgroundJob): JobState {
  if (job.givenUp > 0) return 'givenUp'
  if (isFailing(job)) return 'failing'
  if (job.running > 0) return 'running'
  if (job.waiting > 0 && job.schedule === null) return 'waiting'
  return job.lastFinishedAt === null ? 'never' : 'well'
}

/** The last thing that went wrong came after the last that went well. */
function isFailing({ lastError, lastSuccessAt }: BackgroundJob): boolean {
  return lastError !== null && (lastSuccessAt === null || lastError.at > lastSuccessAt)
}

export const JOB_TONES = {
  running: 'good',
  givenUp: 'red',
  failing: 'amber',
  waiting: 'plain',
  well: 'good',
  never: 'plain',
} as const satisfies Record<JobState, string>
