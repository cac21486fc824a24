import type { Database, Queryable, Tx } from '#db'
import type { AnyJob, ScheduleEntry } from './definition.ts'
import { insertJob, rescheduleJob, selectFailed, selectRuns } from './queries.ts'
import type { JobLog } from './queue-logger.ts'
import { startRunner, type RunningQueue } from './runner.ts'

export interface JobsDeps {
  /** As kantor_app: for what is written down about runs. */
  readonly db: Database
  /** The queue keeps connections of its own, so that waiting jobs cannot starve requests. */
  readonly databaseUrl: string
  readonly log: JobLog
  readonly definitions: readonly AnyJob[]
  readonly schedule: readonly ScheduleEntry[]
  /** How many jobs run at once in this process. Default 4. */
  readonly concurrency?: number
  /** How long another process may be silent before its jobs are taken over. Default 120. */
  readonly leaseSeconds?: number
  /** How long the queue may give no answer before its runner is begun anew. Default 20,000. */
  readonly deafMs?: number
}

export interface EnqueueOptions {
  /** A waiting job with the same key is replaced, so that one thing is queued once. */
  readonly key?: string
  readonly runAt?: Date
}

export interface JobStatus {
  readonly job: string
  /** Null for jobs that only other code starts. */
  readonly cron: string | null
  readonly runs: bigint
  readonly failures: bigint
  readonly lastStartedAt: Date | null
  readonly lastFinishedAt: Date | null
  readonly lastSuccessAt: Date | null
  readonly lastDurationMs: number | null
  readonly lastError: string | null
  readonly lastErrorAt: Date | null
  /** In the queue: to be run, or to be tried again. */
  readonly waiting: bigint
  /** In the queue with all tries used up. */
  readonly givenUp: bigint
}

export interface FailedJob {
  readonly id: string
  readonly job: string
  readonly attempts: number
  readonly attemptsMax: number
  readonly lastError: string
  readonly runAt: Date
}

export interface Jobs {
  /** Queues a job inside the caller's transaction. The payload must be what its definition parses. */
  enqueue(tx: Tx, name: string, payload: unknown, options?: EnqueueOptions): Promise<void>
  /** Begins to run jobs and the clock in this process. Any number of processes may. */
  start(): Promise<void>
  /** Lets running jobs end within the grace, then stops them; what was stopped is run again elsewhere. */
  stop(graceSeconds?: number): Promise<void>
  statuses(q: Queryable): Promise<JobStatus[]>
  /** Newest first, at most 100. */
  failed(q: Queryable): Promise<FailedJob[]>
  /** Runs a failed job again, from its first try. False when there is none with this id, or it is running. */
  retry(q: Queryable, id: string): Promise<boolean>
}

const FAILED_MAX = 100
const GRACE_SECONDS = 20

/** The durable queue over these jobs. It knows none of them beyond its name and limits. */
export function createJobs(deps: JobsDeps): Jobs {
  const byName = new Map(deps.definitions.map((job) => [job.name, job] as const))
  if (byName.size !== deps.definitions.length) throw new Error('two jobs have the same name')
  for (const { job } of deps.schedule)
    if (!byName.has(job)) throw new Error(`${job} is scheduled but not defined`)
  let running: RunningQueue | null = null

  const enqueue: Jobs['enqueue'] = async (tx, name, payload, options = {}) => {
    const job = byName.get(name)
    if (job === undefined) throw new Error(`no job is named ${name}`)
    await insertJob(tx, {
      name,
      payload,
      runAt: options.runAt ?? null,
      attemptsMax: job.attemptsMax,
      key: options.key ?? null,
    })
  }
  return {
    enqueue,
    async start() {
      if (running !== null) throw new Error('jobs are running already')
      await deps.db.transaction(async (tx) => {
        for (const entry of deps.schedule) {
          if (entry.atStart === true) await enqueue(tx, entry.job, {}, { key: `at-start:${entry.job}` })
        }
      })
      running = await startRunner(deps, byName)
    },
    async stop(graceSeconds = GRACE_SECONDS) {
      await running?.stop(graceSeconds)
      running = null
    },
    async statuses(q) {
      const cronOf = new Map(deps.schedule.map(({ job, cron }) => [job, cron] as const))
      const rows = await selectRuns(q, [...byName.keys()])
      return rows.map((row) => ({
        job: row.job,
        cron: cronOf.get(row.job) ?? null,
        runs: row.runs,
        failures: row.failures,
        lastStartedAt: row.last_started_at,
        lastFinishedAt: row.last_finished_at,
        lastSuccessAt: row.last_success_at,
        lastDurationMs: row.last_duration_ms,
        lastError: row.last_error,
        lastErrorAt: row.last_error_at,
        waiting: row.waiting,
        givenUp: row.given_up,
      }))
    },
    async failed(q) {
      const rows = await selectFailed(q, FAILED_MAX)
      return rows.map((row) => ({
        id: String(row.id),
        job: row.job,
        attempts: row.attempts,
        attemptsMax: row.max_attempts,
        lastError: row.last_error,
        runAt: row.run_at,
      }))
    },
    retry: async (q, id) => /^[0-9]{1,18}$/.test(id) && rescheduleJob(q, BigInt(id)),
  }
}
