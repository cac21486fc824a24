import type { Database, Queryable, Tx } from '#db'
import type { AnyJob, ScheduleEntry } from './definition.ts'
import { nextTick } from './next-tick.ts'
import { insertJob, rescheduleJob, selectFailed, selectRuns, type JobRunRow } from './queries.ts'
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
  /** The machine's clock, which somebody may set. Default Date.now, looked at every 5,000 ms. */
  readonly wallClock?: { readonly nowMs: () => number; readonly everyMs: number }
}

export interface EnqueueOptions {
  /** A waiting job with the same key is replaced, so that one thing is queued once. */
  readonly key?: string
  readonly runAt?: Date
}

/** When a job is run by the clock. */
export interface JobSchedule {
  /** Five fields in UTC. */
  readonly cron: string
  /** A missed tick is made up for if it is at most this old. */
  readonly backfillMinutes: number
  /** Null when none comes within a year. */
  readonly nextTickAt: Date | null
}

export interface JobStatus {
  readonly job: string
  /** Null for jobs that only other code starts. */
  readonly schedule: JobSchedule | null
  readonly timeoutSeconds: number
  readonly attemptsMax: number
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
  readonly running: bigint
  /** In the queue with all tries used up. */
  readonly givenUp: bigint
}

export interface FailedJob {
  readonly id: string
  readonly job: string
  readonly attempts: number
  readonly attemptsMax: number
  readonly state: 'waiting' | 'running' | 'givenUp'
  readonly lastError: string
  /** When it is tried again; of one that was given up, when it was last due. */
  readonly runAt: Date
}

export interface Jobs {
  /** Queues a job inside the caller's transaction. The payload must be what its definition parses. */
  enqueue(tx: Tx, name: string, payload: unknown, options?: EnqueueOptions): Promise<void>
  /** Begins to run jobs and the clock in this process. Any number of processes may. */
  start(): Promise<void>
  /** Lets running jobs end within the grace, then stops them; what was stopped is run again elsewhere. */
  stop(graceSeconds?: number): Promise<void>
  /** Of every job, in the order of the definitions. */
  statuses(q: Queryable, now: Date): Promise<JobStatus[]>
  /** Newest first, at most 100. */
  failed(q: Queryable): Promise<FailedJob[]>
  /** Runs a failed job again, from its first try. False when there is none with this id, or it is running. */
  retry(q: Queryable, id: string): Promise<boolean>
  /**
   * Queues a run out of turn. Asked for twice while it waits, it runs once. False for a job that the clock does not
   * run: its payload is known to other code only.
   */
  runNow(tx: Tx, name: string): Promise<boolean>
}

const FAILED_MAX = 100
const GRACE_SECONDS = 20

/** The durable queue over these jobs. It knows none of them beyond its name and limits. */
export function createJobs(deps: JobsDeps): Jobs {
  const byName = new Map(deps.definitions.map((job) => [job.name, job] as const))
  if (byName.size !== deps.definitions.length) throw new Error('two jobs have the same name')
  for (const { job } of deps.schedule)
    if (!byName.has(job)) throw new Error(`${job} is scheduled but not defined`)
  const scheduled = new Map(deps.schedule.map((entry) => [entry.job, entry] as const))
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
      priority: job.priority ?? 0,
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
    async statuses(q, now) {
      const rows = new Map((await selectRuns(q, [...byName.keys()])).map((row) => [row.job, row] as const))
      return deps.definitions.map((job) => statusOf(job, scheduled.get(job.name), rows.get(job.name), now))
    },
    async failed(q) {
      const rows = await selectFailed(q, FAILED_MAX)
      return rows.map((row) => ({
        id: String(row.id),
        job: row.job,
        attempts: row.attempts,
        attemptsMax: row.max_attempts,
        state: row.state,
        lastError: row.last_error,
        runAt: row.run_at,
      }))
    },
    retry: async (q, id) => /^[0-9]{1,18}$/.test(id) && rescheduleJob(q, BigInt(id)),
    async runNow(tx, name) {
      if (!scheduled.has(name)) return false
      await enqueue(tx, name, {}, { key: `by-hand:${name}` })
      return true
    },
  }
}

function statusOf(
  job: AnyJob,
  entry: ScheduleEntry | undefined,
  row: JobRunRow | undefined,
  now: Date,
): JobStatus {
  return {
    job: job.name,
    schedule:
      entry === undefined
        ? null
        : {
            cron: entry.cron,
            backfillMinutes: entry.backfillMinutes,
            nextTickAt: nextTick(entry.cron, now),
          },
    timeoutSeconds: job.timeoutSeconds,
    attemptsMax: job.attemptsMax,
    runs: row?.runs ?? 0n,
    failures: row?.failures ?? 0n,
    lastStartedAt: row?.last_started_at ?? null,
    lastFinishedAt: row?.last_finished_at ?? null,
    lastSuccessAt: row?.last_success_at ?? null,
    lastDurationMs: row?.last_duration_ms ?? null,
    lastError: row?.last_error ?? null,
    lastErrorAt: row?.last_error_at ?? null,
    waiting: row?.waiting ?? 0n,
    running: row?.running ?? 0n,
    givenUp: row?.given_up ?? 0n,
  }
}
