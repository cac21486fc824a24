import { setTimeout as sleep } from 'node:timers/promises'
import type { Queryable } from '#db'
import type { KantorAt } from './kantor-at.ts'

/** A provider's health as the database has it. */
export interface Health {
  readonly nextPollAt: Date
  readonly lastAttemptAt: Date
  readonly lastSuccessAt: Date | null
  readonly lastAsOf: Date | null
  readonly error: string | null
  readonly errorAt: Date | null
  readonly failuresInARow: number
}

async function healthOf(q: Queryable, provider: string): Promise<Health | null> {
  const { rows } = await q.query<{ [Name in keyof Health]: Health[Name] }>(
    `select next_poll_at as "nextPollAt", last_attempt_at as "lastAttemptAt", last_success_at as "lastSuccessAt",
            last_as_of as "lastAsOf", last_error_code as error, last_error_at as "errorAt", failures_in_a_row as "failuresInARow"
       from market_data.providers where provider = $1 and last_attempt_at is not null`,
    [provider],
  )
  return rows[0] ?? null
}

const POLL_SECONDS_MAX = 30

/** Waits until an attempt after this moment has been judged. */
export async function judgedPoll(q: Queryable, provider: string, after: Date): Promise<Health> {
  for (let waited = 0; waited < POLL_SECONDS_MAX; waited += 0.05) {
    const health = await healthOf(q, provider)
    if (health !== null && health.lastAttemptAt > after && isJudged(health)) return health
    await sleep(50)
  }
  throw new Error(`${provider} was not asked, or not judged, within ${POLL_SECONDS_MAX} s`)
}

function isJudged({ lastAttemptAt, lastSuccessAt, errorAt }: Health): boolean {
  return Math.max(lastSuccessAt?.getTime() ?? 0, errorAt?.getTime() ?? 0) >= lastAttemptAt.getTime()
}

/** Lets the time pass until the provider may be asked again, and the real queue ask it. */
export async function nextPoll(kantor: KantorAt, q: Queryable, provider: string): Promise<Health> {
  const before = await healthOf(q, provider)
  if (before === null) throw new Error(`${provider} was never asked`)
  if (kantor.now() < before.nextPollAt) {
    await kantor.setClock(new Date(before.nextPollAt.getTime() + 1_000).toISOString())
  }
  await q.query(`select from graphile_worker.add_job('poll-rates', '{}'::json, max_attempts := 1)`)
  return judgedPoll(q, provider, before.lastAttemptAt)
}

/** Every rate that is kept as dealt at, exactly. */
export async function keptRates(q: Queryable): Promise<string[]> {
  const { rows } = await q.query<{ line: string }>(
    `select concat_ws(' ', id, provider, as_of, fetched_at, origin, code, rate, per) as line
       from market_data.rate_snapshots join market_data.rates on snapshot_id = id order by id, code`,
  )
  return rows.map(({ line }) => line)
}
