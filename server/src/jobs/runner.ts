import { EventEmitter } from 'node:events'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  parseCronItems,
  run,
  type CronItem,
  type Runner,
  type WorkerEvents,
  type WorkerPool,
} from 'graphile-worker'
import type { Pool } from 'pg'
import type { Queryable } from '#db'
import { watchClock } from './clock-jumps.ts'
import type { AnyJob, ScheduleEntry } from './definition.ts'
import { endIdleLease, forgetTicksOfTheFuture, keepLease, TICK_KEY_PREFIX } from './queries.ts'
import { openQueuePool } from './queue-pool.ts'
import { QUEUE_SCHEMA, queueLogger, type JobLog } from './queue-logger.ts'
import { taskOf } from './run-job.ts'

export interface RunningQueue {
  stop(graceSeconds: number): Promise<void>
}

export interface RunnerDeps {
  readonly db: Queryable
  readonly databaseUrl: string
  readonly log: JobLog
  readonly schedule: readonly ScheduleEntry[]
  readonly concurrency?: number
  readonly leaseSeconds?: number
  /** How long the queue may give no answer before the runner is begun anew. Default 20,000. */
  readonly deafMs?: number
  /** The machine's clock, which somebody may set. Default Date.now, looked at every 5,000 ms. */
  readonly wallClock?: { readonly nowMs: () => number; readonly everyMs: number }
}

const CONCURRENCY = 4
/** Longer than any pause that a process survives (the pause drill: 60 s), shorter than anybody's patience. */
const LEASE_SECONDS = 120
const HEARTBEATS_PER_LEASE = 8
/** Longer than a provider usually takes to answer; what still waits then is told that nobody waits for it. */
const ABORT_AFTER_MS = 2_000
const RESTART_MS_MIN = 250
const RESTART_MS_MAX = 30_000

/** One life of the library's runner: it ends when asked to, or by itself when it cannot write to the database. */
interface Life {
  /** Settles when it has ended; rejects when that was not asked for. */
  readonly ended: Promise<void>
  stop(graceSeconds: number): Promise<void>
}

/** Runs jobs until stopped; when the library's runner ends by itself, another is begun. */
export async function startRunner(
  deps: RunnerDeps,
  jobs: ReadonlyMap<string, AnyJob>,
): Promise<RunningQueue> {
  const stopped = new AbortController()
  const pool = openQueuePool({
    databaseUrl: deps.databaseUrl,
    // Each job's bookkeeping, one that listens, and one to spare.
    connectionsMax: (deps.concurrency ?? CONCURRENCY) + 2,
    log: deps.log,
  })
  let life: Life | null = await beginLife(deps, jobs, pool).catch(async (error: unknown) => {
    await pool.end()
    throw error
  })
  const supervised = supervise()

  async function supervise(): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      await life?.ended.then(
        () => (failures = 0),
        (error: unknown) => deps.log.error({ err: error }, 'the job runner ended'),
      )
      if (stopped.signal.aborted) return
      const pauseMs = Math.min(RESTART_MS_MAX, RESTART_MS_MIN * 2 ** Math.min(failures, 10))
      await sleep(pauseMs, undefined, { signal: stopped.signal }).catch(() => {})
      if (stopped.signal.aborted) return
      life = await beginLife(deps, jobs, pool).catch((error: unknown) => {
        deps.log.error({ err: error }, 'the job runner could not be started')
        return null
      })
      // Whoever stopped us meanwhile stopped the life before.
      if (stopped.signal.aborted) await life?.stop(0)
    }
  }

  return {
    async stop(graceSeconds) {
      stopped.abort()
      await life?.stop(graceSeconds)
      await orAfterLastWrites(supervised)
      await orAfterLastWrites(pool.end())
    },
  }
}

async function beginLife(deps: RunnerDeps, jobs: ReadonlyMap<string, AnyJob>, pool: Pool): Promise<Life> {
  await forgetTicksOfTheFuture(deps.db, new Date())
  const events: WorkerEvents = new EventEmitter()
  const pools: WorkerPool[] = []
  events.on('pool:create', ({ workerPool }) => pools.push(workerPool))
  const giveUp = new AbortController()
  const runDeps = { ...deps, giveUp: giveUp.signal }
  const runner = await run({
    pgPool: pool,
    schema: QUEUE_SCHEMA,
    concurrency: deps.concurrency ?? CONCURRENCY,
    noHandleSignals: true,
    gracefulShutdownAbortTimeout: ABORT_AFTER_MS,
    events,
    logger: queueLogger(deps.log),
    taskList: Object.fromEntries([...jobs.values()].map((job) => [job.name, taskOf(job, runDeps)])),
    parsedCronItems: parseCronItems(deps.schedule.map((entry) => cronItem(entry, jobs.get(entry.job)))),
  })
  const [workerPool] = pools
  if (workerPool === undefined) throw new Error('the runner did not say who it is')
  endIfDeaf(deps, events, runner)
  const stopWatching = endIfClockJumps(deps, runner)
  const endLease = await holdLease(deps, workerPool.id)
  return {
    ended: runner.promise.finally(stopWatching).finally(endLease),
    stop: async (graceSeconds) => {
      const ending = runner.stop('asked to').catch(() => {})
      const late = sleep(graceSeconds * 1000, 'late', { ref: false })
      // Not the runner's own kill(), which does nothing once a graceful stop has begun (0.18.0): what runs is
      // made to fail, so that the queue gives it back in its usual way.
      if ((await Promise.race([ending, late])) === 'late') giveUp.abort()
      await orAfterLastWrites(ending)
    },
  }
}

const DEAF_MS = 20_000

/**
 * Ends a runner that has got no answer from the queue for a while; another is begun. The library asks on by
 * itself, but one that loses its connection during its very first question keeps that failure for good (0.18.0).
 */
function endIfDeaf(deps: RunnerDeps, events: WorkerEvents, runner: Runner): void {
  let heardAt = Date.now()
  const heard = () => (heardAt = Date.now())
  events.on('worker:getJob:empty', heard)
  events.on('job:start', heard)
  events.on('worker:getJob:error', ({ error }) => {
    if (Date.now() - heardAt < (deps.deafMs ?? DEAF_MS)) return
    heard()
    deps.log.warn({ err: error }, 'the job runner gets no answer from the queue and is begun anew')
    runner.stop('deaf').catch(() => {})
  })
}

const CLOCK_EVERY_MS = 5_000

/** A life begun at the new time reckons its minutes from there, and makes up for what the backfill allows. */
function endIfClockJumps(deps: RunnerDeps, runner: Runner): () => void {
  const { nowMs, everyMs } = deps.wallClock ?? { nowMs: Date.now, everyMs: CLOCK_EVERY_MS }
  return watchClock({
    wallClockMs: nowMs,
    everyMs,
    onJump: (bySeconds) => {
      deps.log.warn({ bySeconds }, "the machine's clock was set; the job runner is begun anew")
      runner.stop('the clock was set').catch(() => {})
    },
  })
}

/** Keeps saying that this pool of workers lives, until the returned function is called. */
async function holdLease(deps: RunnerDeps, poolId: string): Promise<() => Promise<void>> {
  const leaseSeconds = deps.leaseSeconds ?? LEASE_SECONDS
  const beat = async () => {
    try {
      const dead = await keepLease(deps.db, { poolId, host: hostname(), leaseSeconds })
      if (dead.length > 0) deps.log.warn({ dead }, 'jobs of runners that fell silent were taken over')
    } catch (error) {
      deps.log.warn({ err: error }, 'the job lease was not kept')
    }
  }
  await beat()
  const timer = setInterval(beat, (leaseSeconds * 1000) / HEARTBEATS_PER_LEASE).unref()
  return async () => {
    clearInterval(timer)
    await endLeaseIfIdle(deps, poolId)
  }
}

const LAST_WRITES_MS = 2000

/**
 * Without its database the library goes on for minutes to give back what it had, and keeps its connections. Nobody
 * waits for that: what it could not give back is taken over when the lease runs out.
 */
async function orAfterLastWrites(ending: Promise<unknown>): Promise<void> {
  await Promise.race([ending, sleep(LAST_WRITES_MS, undefined, { ref: false })])
}

/**
 * The library says that it has ended while its last job is still being ticked off (0.18.0), so that is waited
 * for. A runner that could not give its jobs back leaves its lease to run out, and others take them over.
 */
async function endLeaseIfIdle(deps: RunnerDeps, poolId: string): Promise<void> {
  try {
    for (let waitedMs = 0; waitedMs < LAST_WRITES_MS; waitedMs += 50) {
      if (await endIdleLease(deps.db, poolId)) return
      await sleep(50)
    }
    deps.log.warn({ poolId }, 'jobs are still locked; the lease is left to run out')
  } catch (error) {
    deps.log.warn({ err: error }, 'the job lease was left to run out')
  }
}

/**
 * A tick replaces its predecessor if that still waits, so that a job that fails does not pile up behind itself, and
 * keeps that one's place in the queue: a job that ticks more often than it gets a turn would else never have one.
 */
function cronItem({ job, cron, backfillMinutes }: ScheduleEntry, definition: AnyJob | undefined): CronItem {
  return {
    task: job,
    match: cron,
    identifier: job,
    options: {
      backfillPeriod: backfillMinutes * 60_000,
      jobKey: `${TICK_KEY_PREFIX}${job}`,
      jobKeyMode: 'preserve_run_at',
      ...(definition === undefined
        ? {}
        : { maxAttempts: definition.attemptsMax, priority: definition.priority ?? 0 }),
    },
  }
}
