import { setTimeout as sleepFor } from 'node:timers/promises'
import type { Database, Tx } from '#db'
import { ProviderError } from './rate-provider.ts'

/** How many requests may begin in any window of that length. */
export interface RequestPlan {
  readonly requestsMax: number
  readonly windowSeconds: number
}

/** Takes turns at a provider's requests a minute, over all processes. */
export interface RequestBudget {
  /**
   * Resolves when a request may be sent, first come first served.
   * @throws ProviderError `rate_limited` with code `budget` and the wait, if the turn would come later than
   *   `waitSecondsMax`; nothing is then taken
   */
  take(call: { readonly signal: AbortSignal; readonly waitSecondsMax: number }): Promise<void>
  /** The provider said "too many": nobody asks for that time, or for a growing one where it gave none. */
  block(seconds: number | null): Promise<Date>
  /** The provider answered, so the next "too many" starts from the shortest pause again. */
  unblock(): Promise<void>
  plan(): Promise<RequestPlan>
  setPlan(plan: RequestPlan): Promise<void>
}

export interface RequestBudgetOptions {
  readonly db: Database
  /** `<provider>:<fingerprint>` */
  readonly name: string
  /** Until `setPlan` says otherwise. */
  readonly firstPlan: RequestPlan
  readonly clock: () => Date
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

interface BudgetState {
  readonly plan: RequestPlan
  /** Oldest first; some may be of the future. */
  readonly grantedAt: readonly Date[]
  readonly blockedUntil: Date | null
  readonly blocksInARow: number
}

/** The pause after a 429 that names none, and after the next ones; the last repeats. */
const BLOCK_SECONDS = [60, 120, 300, 900] as const
const BLOCK_SECONDS_MAX = 3600
/** A turn that was moved by a block is asked for again, at most this often. */
const TURNS_MAX = 5

/**
 * The shared budget on PostgreSQL. Each caller books the first free moment under the row's lock and sleeps until
 * then, so waiting is fair by construction; the sleep holds no connection. Moments come from the callers' clocks:
 * windows are a second longer than the provider's minute to make up for how far these may be apart.
 */
export function requestBudget(options: RequestBudgetOptions): RequestBudget {
  const { db, name, clock } = options
  const sleep = options.sleep ?? ((ms, signal) => sleepFor(ms, undefined, { signal }))
  const locked = <T>(work: (tx: Tx, state: BudgetState) => Promise<T>) =>
    db.transaction(async (tx) => work(tx, await lockBudget(tx, name, options.firstPlan)))
  const book = (deadline: Date) =>
    locked(async (tx, state) => {
      const now = clock()
      const at = nextTurn(state, now)
      if (at > deadline) await countTurnedAway(tx, name)
      else await recordGrants(tx, name, [...stillCounting(state, now), at])
      return { at, now }
    })
  return {
    async take({ signal, waitSecondsMax }) {
      const deadline = later(clock(), waitSecondsMax)
      for (let turn = 0; turn < TURNS_MAX; turn += 1) {
        if (signal.aborted) throw stopped()
        const { at, now } = await book(deadline)
        if (at > deadline) throw outOfBudget(at, now)
        if (at <= now) return
        await waitFor(sleep, at.getTime() - now.getTime(), signal).catch(async (error: unknown) => {
          await locked((tx, state) => recordGrants(tx, name, withoutOne(state.grantedAt, at), -1))
          throw error
        })
        const blockedUntil = await readBlock(db, name)
        if (blockedUntil === null || blockedUntil <= clock()) return
      }
      throw outOfBudget(later(clock(), BLOCK_SECONDS[0]), clock())
    },
    block: (seconds) =>
      locked(async (tx, state) => {
        const pause = Math.min(seconds ?? pauseAfter(state.blocksInARow), BLOCK_SECONDS_MAX)
        const until = laterOf(later(clock(), pause), state.blockedUntil)
        await recordBlock(tx, name, until)
        return until
      }),
    unblock: () => clearBlocks(db, name),
    plan: () => locked(async (_tx, state) => state.plan),
    setPlan: (plan) =>
      locked(async (tx, state) => {
        await recordPlan(tx, name, plan)
        // Grants from before the shorter window were forgotten, so a longer one begins empty.
        const emptyAt = later(clock(), plan.windowSeconds)
        if (plan.windowSeconds > state.plan.windowSeconds)
          await recordPause(tx, name, laterOf(emptyAt, state.blockedUntil))
      }),
  }
}

/** The first moment at which one more request keeps every window within its limit. */
export function nextTurn(state: BudgetState, now: Date): Date {
  const { requestsMax, windowSeconds } = state.plan
  const oldestThatCounts = state.grantedAt.at(-requestsMax)
  const free =
    state.grantedAt.length < requestsMax || oldestThatCounts === undefined
      ? now
      : later(oldestThatCounts, windowSeconds)
  // Not before a turn that was already given: those who came first go first.
  return [free, state.grantedAt.at(-1) ?? now, state.blockedUntil ?? now].reduce(
    (latest, moment) => laterOf(latest, moment),
    now,
  )
}

/** All of the last window, not just `requestsMax` of them: a turn that is given back makes an older one count. */
function stillCounting(state: BudgetState, now: Date): readonly Date[] {
  const since = later(now, -state.plan.windowSeconds)
  return state.grantedAt.filter((at) => at > since)
}

function withoutOne(grants: readonly Date[], at: Date): readonly Date[] {
  const index = grants.findLastIndex((grant) => grant.getTime() === at.getTime())
  return index < 0 ? grants : grants.toSpliced(index, 1)
}

async function waitFor(
  sleep: (ms: number, signal: AbortSignal) => Promise<void>,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    await sleep(ms, signal)
  } catch (error) {
    if (signal.aborted) throw stopped()
    throw error
  }
}

function stopped(): ProviderError {
  return new ProviderError('transient', 'stopped', 'The request was stopped on our side.')
}

function outOfBudget(at: Date, now: Date): ProviderError {
  const wait = Math.max(1, Math.ceil((at.getTime() - now.getTime()) / 1000))
  return new ProviderError(
    'rate_limited',
    'budget',
    `The requests a minute of this plan are spent; the next is free in ${wait} seconds.`,
    { retryAfterSeconds: wait },
  )
}

function pauseAfter(blocksInARow: number): number {
  return BLOCK_SECONDS[Math.min(blocksInARow, BLOCK_SECONDS.length - 1)] ?? BLOCK_SECONDS_MAX
}

function later(from: Date, seconds: number): Date {
  return new Date(from.getTime() + seconds * 1000)
}

function laterOf(first: Date, second: Date | null): Date {
  return second !== null && second > first ? second : first
}

async function lockBudget(tx: Tx, name: string, firstPlan: RequestPlan): Promise<BudgetState> {
  await tx.query(
    `insert into market_data.provider_budgets (budget, requests_max, window_seconds) values ($1, $2, $3)
     on conflict do nothing`,
    [name, firstPlan.requestsMax, firstPlan.windowSeconds],
  )
  const { rows } = await tx.query<{
    requests_max: number
    window_seconds: number
    granted_at: Date[]
    blocked_until: Date | null
    blocks_in_a_row: number
  }>(
    `select requests_max, window_seconds, granted_at, blocked_until, blocks_in_a_row
       from market_data.provider_budgets where budget = $1 for update`,
    [name],
  )
  const [row] = rows
  if (row === undefined) throw new Error(`no row for the budget ${name}`)
  return {
    plan: { requestsMax: row.requests_max, windowSeconds: row.window_seconds },
    grantedAt: row.granted_at,
    blockedUntil: row.blocked_until,
    blocksInARow: row.blocks_in_a_row,
  }
}

async function recordGrants(tx: Tx, name: string, grantedAt: readonly Date[], counted = 1): Promise<void> {
  await tx.query(
    `update market_data.provider_budgets set granted_at = $2::timestamptz[], granted = granted + $3
      where budget = $1`,
    [name, grantedAt.map((at) => at.toISOString()), counted],
  )
}

async function countTurnedAway(tx: Tx, name: string): Promise<void> {
  await tx.query('update market_data.provider_budgets set turned_away = turned_away + 1 where budget = $1', [
    name,
  ])
}

async function recordBlock(tx: Tx, name: string, until: Date): Promise<void> {
  await tx.query(
    `update market_data.provider_budgets
        set blocked_until = $2, blocks_in_a_row = least(blocks_in_a_row + 1, 1000)
      where budget = $1`,
    [name, until],
  )
}

async function recordPause(tx: Tx, name: string, until: Date): Promise<void> {
  await tx.query('update market_data.provider_budgets set blocked_until = $2 where budget = $1', [
    name,
    until,
  ])
}

async function clearBlocks(db: Database, name: string): Promise<void> {
  await db.query(
    `update market_data.provider_budgets set blocks_in_a_row = 0 where budget = $1 and blocks_in_a_row > 0`,
    [name],
  )
}

async function readBlock(db: Database, name: string): Promise<Date | null> {
  const { rows } = await db.query<{ blocked_until: Date | null }>(
    'select blocked_until from market_data.provider_budgets where budget = $1',
    [name],
  )
  return rows[0]?.blocked_until ?? null
}

async function recordPlan(tx: Tx, name: string, plan: RequestPlan): Promise<void> {
  await tx.query(
    'update market_data.provider_budgets set requests_max = $2, window_seconds = $3 where budget = $1',
    [name, plan.requestsMax, plan.windowSeconds],
  )
}
