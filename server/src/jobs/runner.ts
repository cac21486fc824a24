import { EventEmitter } from 'node:events'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseCronItems, run, type CronItem, type Runner, type WorkerEvents } from 'graphile-worker'
import { Pool } from 'pg'
import type { Queryable } from '#db'
import type { AnyJob, ScheduleEntry } from './definition.ts'
import { endLease, keepLease } from './queries.ts'
import { QUEUE_SCHEMA, queueLogger, type JobLog } from './queue-logger.ts'
import { taskOf } from './run-job.ts'

export interface RunningQueue {
  stop(graceSeconds: number): Promise<void>
}

interface RunnerDeps {
  readonly db: Queryable
  readonly databaseUrl: string
  readonly log: JobLog
  readonly schedule: readonly ScheduleEntry[]
  readonly concurrency?: number
  readonly leaseSeconds?: number
}

const CONCURRENCY = 4
/** Longer than any pause that a process survives (the pause drill: 60 s), shorter than anybody's patience. */
const LEASE_SECONDS = 120
const HEARTBEATS_PER_LEASE = 8
const RESTART_MS_MAX = 30_000

/** Runs jobs until stopped. The library gives up when it cannot write to the database; this begins again. */
export async function startRunner(
  deps: RunnerDeps,
  jobs: ReadonlyMap<string, AnyJob>,
): Promise<RunningQueue> {
  const stopped = new AbortController()
  const pool = openPool(deps)
  const first = await begin(deps, jobs, pool)
  let current: Runner | null = first.runner
  const ended = supervise()
  return { stop }

  async function supervise(): Promise<void> {
    let begun: Awaited<ReturnType<typeof begin>> | null = first
    for (let failures = 0; !stopped.signal.aborted;) {
      if (begun !== null) {
        failures = 0
        current = begun.runner
        await begun.runner.promise.catch((error: unknown) =>
          deps.log.error({ err: error }, 'the job runner ended'),
        )
        await begun.release()
        current = null
      }
      if (stopped.signal.aborted) return
      failures += 1
      await sleep(Math.min(RESTART_MS_MAX, 250 * 2 ** failures), undefined, { signal: stopped.signal }).catch(
        () => {},
      )
      if (stopped.signal.aborted) return
      begun = await begin(deps, jobs, pool).catch((error: unknown) => {
        deps.log.error({ err: error }, 'the job runner could not be started')
        return null
      })
    }
  }

  async function stop(graceSeconds: number): Promise<void> {
    stopped.abort()
    const runner = current
    if (runner !== null) {
      const graceful = runner.stop('asked to').catch(() => {})
      const inTime = await Promise.race([
        graceful.then(() => true),
        sleep(graceSeconds * 1000, false, { ref: false }),
      ])
      if (!inTime) await runner.kill('the grace is over').catch(() => {})
    }
    await ended
    await pool.end()
  }
}

/** One life of the library's runner, with its lease. */
async function begin(
  deps: RunnerDeps,
  jobs: ReadonlyMap<string, AnyJob>,
  pool: Pool,
): Promise<{ runner: Runner; release: () => Promise<void> }> {
  const events: WorkerEvents = new EventEmitter()
  let poolId: string | null = null
  events.on('pool:create', ({ workerPool }) => (poolId = workerPool.id))
  const leaseSeconds = deps.leaseSeconds ?? LEASE_SECONDS
  const heartbeat = async () => {
    if (poolId === null) return
    const dead = await keepLease(deps.db, { poolId, host: hostname(), leaseSeconds })
    if (dead.length > 0) deps.log.warn({ dead }, 'jobs of runners that fell silent were taken over')
  }
  const runner = await run({
    pgPool: pool,
    schema: QUEUE_SCHEMA,
    concurrency: deps.concurrency ?? CONCURRENCY,
    noHandleSignals: true,
    events,
    logger: queueLogger(deps.log),
    taskList: Object.fromEntries([...jobs.values()].map((job) => [job.name, taskOf(job, deps)])),
    parsedCronItems: parseCronItems(
      deps.schedule.map((entry) => cronItem(entry, jobs.get(entry.job)?.attemptsMax)),
    ),
  })
  const beat = () =>
    heartbeat().catch((error: unknown) => deps.log.warn({ err: error }, 'the job lease was not kept'))
  await beat()
  const timer = setInterval(beat, (leaseSeconds * 1000) / HEARTBEATS_PER_LEASE).unref()
  const release = async () => {
    clearInterval(timer)
    // What this life had locked and could not give back is found by its lease, which then must stay.
    if (poolId !== null) await endLeaseIfIdle(deps, poolId)
  }
  return { runner, release }
}

/** A runner that could not give its jobs back leaves its lease to run out; a clean one takes it along. */
async function endLeaseIfIdle(deps: RunnerDeps, poolId: string): Promise<void> {
  try {
    const { rows } = await deps.db.query<{ locked: boolean }>(
      `select exists (select from ${QUEUE_SCHEMA}._private_jobs where locked_by = $1) as locked`,
      [poolId],
    )
    if (rows[0]?.locked === false) await endLease(deps.db, poolId)
  } catch (error) {
    deps.log.warn({ err: error }, 'the job lease was left to run out')
  }
}

/** A tick replaces its predecessor if that still waits, so that a job that fails does not pile up behind itself. */
function cronItem({ job, cron, backfillMinutes }: ScheduleEntry, maxAttempts: number | undefined): CronItem {
  return {
    task: job,
    match: cron,
    identifier: job,
    options: {
      backfillPeriod: backfillMinutes * 60_000,
      jobKey: `by-the-clock:${job}`,
      ...(maxAttempts === undefined ? {} : { maxAttempts }),
    },
  }
}

/** The library's own connections, as kantor_app too, with the driver's usual types, which it counts on. */
function openPool(deps: RunnerDeps): Pool {
  const url = new URL(deps.databaseUrl)
  const given = url.searchParams.get('options') ?? ''
  url.searchParams.delete('options')
  const pool = new Pool({
    connectionString: url.href,
    options: `${given} -c role=kantor_app -c statement_timeout=60000`.trim(),
    application_name: 'kantor-jobs',
    // Each job's bookkeeping, one that listens, and one to spare.
    max: (deps.concurrency ?? CONCURRENCY) + 2,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
  })
  pool.on('error', (error) => deps.log.warn({ err: error }, 'an idle connection of the queue was lost'))
  return pool
}
