import type { Task } from 'graphile-worker'
import type { Queryable } from '#db'
import type { AnyJob } from './definition.ts'
import { recordEnd, recordStart } from './queries.ts'
import type { JobLog } from './queue-logger.ts'

const ERROR_CHARS = 500

export interface RunDeps {
  readonly db: Queryable
  readonly log: JobLog
  /** Aborted when the process may wait no longer for what runs. */
  readonly giveUp: AbortSignal
}

/**
 * A definition as the queue calls it: its run is timed, bounded and written down. Writing down is a service to
 * the operator, so that it fails must not fail the work.
 */
export function taskOf(job: AnyJob, deps: RunDeps): Task {
  const noted = (writing: Promise<void>) =>
    writing.catch((error: unknown) =>
      deps.log.warn({ err: error, job: job.name }, 'a job run was not written down'),
    )
  return async (payload, { abortSignal, job: queued }) => {
    await noted(recordStart(deps.db, job.name))
    const startedAt = performance.now()
    try {
      await withinBounds(job, withoutCron(payload), abortSignal, deps.giveUp, queued.attempts)
      await noted(recordEnd(deps.db, job.name, performance.now() - startedAt, null))
    } catch (error) {
      const message = (error instanceof Error ? error.message : String(error)).slice(0, ERROR_CHARS)
      const last = queued.attempts >= queued.max_attempts
      deps.log[last ? 'error' : 'warn'](
        { err: error, job: job.name, attempt: queued.attempts, attemptsMax: queued.max_attempts },
        last ? 'a job failed and will not be tried again' : 'a job failed and will be tried again',
      )
      await noted(recordEnd(deps.db, job.name, performance.now() - startedAt, message))
      throw error
    }
  }
}

/** A run that ignores its signals is left behind: the queue must not wait for it. Hence jobs are idempotent. */
async function withinBounds(
  job: AnyJob,
  payload: unknown,
  stop: AbortSignal,
  giveUp: AbortSignal,
  attempt: number,
) {
  const deadline = AbortSignal.timeout(job.timeoutSeconds * 1000)
  const over = AbortSignal.any([deadline, giveUp])
  let leave = () => {}
  const left = new Promise<never>((_resolve, reject) => {
    leave = () =>
      reject(
        new Error(
          deadline.aborted
            ? `not done within ${job.timeoutSeconds} seconds`
            : 'cut off because the process stops',
        ),
      )
    over.addEventListener('abort', leave, { once: true })
  })
  try {
    await Promise.race([job.start(payload, { signal: AbortSignal.any([over, stop]), attempt }), left])
  } finally {
    over.removeEventListener('abort', leave)
  }
}

/** The library adds the tick's time to what the clock starts; our payloads are strict and do not know it. */
function withoutCron(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null || !('_cron' in payload)) return payload
  return Object.fromEntries(Object.entries(payload).filter(([key]) => key !== '_cron'))
}
