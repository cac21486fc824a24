import type { Queryable, Tx } from '#db'
import { QUEUE_SCHEMA } from './queue-logger.ts'

export interface QueuedJob {
  readonly name: string
  readonly payload: unknown
  readonly runAt: Date | null
  readonly attemptsMax: number
  readonly key: string | null
  readonly priority: number
}

/** Puts a job into the queue within the caller's transaction: it exists exactly if that commits. */
export async function insertJob(tx: Tx, job: QueuedJob): Promise<void> {
  await tx.query(
    `select from ${QUEUE_SCHEMA}.add_job(
       identifier := $1, payload := $2::json, run_at := $3, max_attempts := $4, job_key := $5,
       priority := $6)`,
    [job.name, JSON.stringify(job.payload), job.runAt, job.attemptsMax, job.key, job.priority],
  )
}

export async function recordStart(q: Queryable, job: string): Promise<void> {
  await q.query(
    `insert into jobs.runs as known (job, runs, last_started_at) values ($1, 1, clock_timestamp())
         on conflict (job) do update set runs = known.runs + 1, last_started_at = excluded.last_started_at`,
    [job],
  )
}

/** `error` is null for a run that went well. */
export async function recordEnd(
  q: Queryable,
  job: string,
  durationMs: number,
  error: string | null,
): Promise<void> {
  await q.query(
    `update jobs.runs
        set last_finished_at = clock_timestamp(), last_duration_ms = $2,
            last_success_at = case when $3::text is null then clock_timestamp() else last_success_at end,
            failures = failures + ($3::text is not null)::int,
            last_error = coalesce($3, last_error),
            last_error_at = case when $3::text is null then last_error_at else clock_timestamp() end
      where job = $1`,
    [job, Math.round(durationMs), error],
  )
}

export type JobRunRow = {
  job: string
  runs: bigint
  failures: bigint
  last_started_at: Date | null
  last_finished_at: Date | null
  last_success_at: Date | null
  last_duration_ms: number | null
  last_error: string | null
  last_error_at: Date | null
  waiting: bigint
  running: bigint
  given_up: bigint
}

/** What each of these jobs did last, and how many of it are in the queue. */
export async function selectRuns(q: Queryable, jobs: readonly string[]): Promise<JobRunRow[]> {
  const { rows } = await q.query<JobRunRow>(
    `select listed.job, coalesce(runs.runs, 0) as runs, coalesce(runs.failures, 0) as failures,
            last_started_at, last_finished_at, last_success_at, last_duration_ms, last_error, last_error_at,
            coalesce(queue.waiting, 0) as waiting, coalesce(queue.running, 0) as running,
            coalesce(queue.given_up, 0) as given_up
       from unnest($1::text[]) as listed (job)
       left join jobs.runs using (job)
       left join (
         select tasks.identifier as job,
                count(*) filter (where queued.attempts < queued.max_attempts and queued.locked_at is null) as waiting,
                count(*) filter (where queued.locked_at is not null) as running,
                count(*) filter (where queued.attempts >= queued.max_attempts and queued.locked_at is null) as given_up
           from ${QUEUE_SCHEMA}._private_jobs as queued
           join ${QUEUE_SCHEMA}._private_tasks as tasks on tasks.id = queued.task_id
          group by tasks.identifier) as queue using (job)`,
    [[...jobs]],
  )
  return rows
}

export type FailedJobRow = {
  id: bigint
  job: string
  attempts: number
  max_attempts: number
  state: 'waiting' | 'running' | 'givenUp'
  last_error: string
  run_at: Date
}

export async function selectFailed(q: Queryable, limit: number): Promise<FailedJobRow[]> {
  const { rows } = await q.query<FailedJobRow>(
    `select queued.id, tasks.identifier as job, queued.attempts::int, queued.max_attempts::int,
            case when queued.locked_at is not null then 'running'
                 when queued.attempts >= queued.max_attempts then 'givenUp' else 'waiting' end as state,
            left(coalesce(queued.last_error, 'The process that ran it ended.'), 500) as last_error, queued.run_at
       from ${QUEUE_SCHEMA}._private_jobs as queued
       join ${QUEUE_SCHEMA}._private_tasks as tasks on tasks.id = queued.task_id
      where queued.last_error is not null
         or (queued.attempts >= queued.max_attempts and queued.locked_at is null)
      order by queued.updated_at desc limit $1`,
    [limit],
  )
  return rows
}

/** Makes a failed job due now, with all of its tries; false when there is none, or it runs at present. */
export async function rescheduleJob(q: Queryable, id: bigint): Promise<boolean> {
  const { rowCount } = await q.query(
    `select from ${QUEUE_SCHEMA}.reschedule_jobs(job_ids := array[$1::bigint], run_at := now(), attempts := 0)`,
    [id],
  )
  return rowCount === 1
}

/**
 * Deletes given-up jobs that were last due before, at most so many. By run_at, which each failure moves; the queue's
 * `updated_at` stays that of the insert. @returns how many
 */
export async function deleteGivenUp(q: Queryable, before: Date, limit: number): Promise<number> {
  const { rowCount } = await q.query(
    `delete from ${QUEUE_SCHEMA}._private_jobs where id in (
       select id from ${QUEUE_SCHEMA}._private_jobs
        where attempts >= max_attempts and locked_at is null and run_at < $1
        order by run_at limit $2 for update skip locked)`,
    [before, limit],
  )
  return rowCount ?? 0
}

const FUTURE_MINUTES = 5
/** Of the keys under which the clock's ticks wait. */
export const TICK_KEY_PREFIX = 'by-the-clock:'

/**
 * A schedule runs no tick that is not after its last one, so what ticked while the clock was ahead would keep it still
 * until then. Of the future is what both the database's clock and ours (`now`) have yet to reach, so that one process
 * with a slow clock undoes nothing of the others.
 */
export async function forgetTicksOfTheFuture(q: Queryable, now: Date): Promise<void> {
  // A tick that waits keeps its time when the next one comes; of a failed one that is the time of its next try.
  await q.query(
    `update ${QUEUE_SCHEMA}._private_jobs set run_at = now(), updated_at = now()
      where key ^@ $3 and attempts = 0 and locked_at is null
        and run_at > greatest(now(), $1) + make_interval(mins => $2)`,
    [now, FUTURE_MINUTES, TICK_KEY_PREFIX],
  )
  await q.query(
    `update ${QUEUE_SCHEMA}._private_known_crontabs
        set last_execution = least(now(), $1), known_since = least(known_since, now(), $1)
      where greatest(last_execution, known_since) > greatest(now(), $1) + make_interval(mins => $2)`,
    [now, FUTURE_MINUTES],
  )
}

/** Says that this process still runs jobs, and hands what silent ones had locked to the others. */
export async function keepLease(
  q: Queryable,
  runner: { poolId: string; host: string; leaseSeconds: number },
): Promise<string[]> {
  await q.query(
    `insert into jobs.runners (pool_id, host) values ($1, $2)
         on conflict (pool_id) do update set seen_at = now()`,
    [runner.poolId, runner.host],
  )
  const { rows } = await q.query<{ pool_id: string }>(
    `with silent as (
       delete from jobs.runners where seen_at < now() - make_interval(secs => $1) returning pool_id),
     -- Those too that died before they could say a first time that they live.
     unheard as (
       select distinct locked_by from ${QUEUE_SCHEMA}._private_jobs
        where locked_at < now() - make_interval(secs => $1)
          and not exists (select from jobs.runners where pool_id = locked_by))
     select pool_id, ${QUEUE_SCHEMA}.force_unlock_workers(array[pool_id])
       from (select pool_id from silent union select locked_by from unheard) as dead`,
    [runner.leaseSeconds],
  )
  return rows.map((row) => row.pool_id)
}

/** Ends the lease of a runner that holds no job; false when it still holds one. */
export async function endIdleLease(q: Queryable, poolId: string): Promise<boolean> {
  const { rowCount } = await q.query(
    `delete from jobs.runners
      where pool_id = $1
        and not exists (select from ${QUEUE_SCHEMA}._private_jobs where locked_by = $1)`,
    [poolId],
  )
  return rowCount === 1
}
