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
/** A turn is moved when those before it came late, or by a block; at most this often. */
const MOVES_MAX = 50

/**
 * The shared budget on PostgreSQL. Each caller books the first free moment under the row's lock, sleeps until then
 * without holding a connection, and under the lock again makes sure that it really is its turn: those before may
 * have woken late, and what counts is when requests are sent. So waiting is fair by construction and the limit
 * holds in every window. Moments come from the callers' clocks, which may be apart by as much as the plan's window
 * is longer than the provider's minute.
 */
export function requestBudget(options: RequestBudgetOptions): RequestBudget {
  const { db, name, clock } = options
  const sleep = options.sleep ?? ((ms, signal) => sleepFor(ms, undefined, { signal }))
  const locked = <T>(work: (tx: Tx, state: BudgetState) => Promise<T>) =>
    db.transaction(async (tx) => work(tx, await lockBudget(tx, name, options.firstPlan)))
  const book = (mine: Date | null, deadlineFrom: (now: Date) => Date) =>
    locked(async (tx, state) => {
      const now = clock()
      const deadline = deadlineFrom(now)
      const others = { ...state, grantedAt: stillCounting(state, mine, now) }
      const at = mine === null ? nextTurn(others, now) : earliestTurn(others, now)
      const grants = at > deadline ? others.grantedAt : [...others.grantedAt, at].toSorted(byTime)
      await recordGrants(tx, name, grants, grants.length - others.grantedAt.length - (mine === null ? 0 : 1))
      if (at > deadline) await countTurnedAway(tx, name)
      return { at, now, late: at > deadline }
    })
  const giveBack = (mine: Date) =>
    locked((tx, state) => recordGrants(tx, name, stillCounting(state, mine, clock()), -1))
  return {
    async take({ signal, waitSecondsMax }) {
      if (signal.aborted) throw stopped()
      let deadline: Date | null = null
      // From when the first look was taken: who may not wait at all must not be refused for the time of asking.
      const deadlineFrom = (now: Date): Date => (deadline ??= later(now, waitSecondsMax))
      let mine: Date | null = null
      for (let moves = 0; moves < MOVES_MAX; moves += 1) {
        const turn: { at: Date; now: Date; late: boolean } = await book(mine, deadlineFrom)
        if (turn.late) throw outOfBudget(turn.at, turn.now)
        if (turn.at <= turn.now) return
        mine = turn.at
        try {
          await sleep(turn.at.getTime() - turn.now.getTime(), signal)
        } catch (error) {
          await giveBack(turn.at)
          throw signal.aborted ? stopped() : error
        }
      }
      if (mine !== null) await giveBack(mine)
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

/** The first moment that a newcomer can have: after all who have come before. */
function nextTurn(state: BudgetState, now: Date): Date {
  const free = freeAfter(state.grantedAt, state.plan, now)
  return laterOf(laterOf(free, state.grantedAt.at(-1) ?? null), state.blockedUntil)
}

/** The first moment at which one whose turn has come may send: those whose turn is yet to come do not count. */
function earliestTurn(state: BudgetState, now: Date): Date {
  const past = state.grantedAt.filter((at) => at <= now)
  return laterOf(freeAfter(past, state.plan, now), state.blockedUntil)
}

/** When one more keeps every window within its limit. */
function freeAfter(grants: readonly Date[], plan: RequestPlan, now: Date): Date {
  const leaving = grants.at(-plan.requestsMax)
  if (grants.length < plan.requestsMax || leaving === undefined) return now
  return laterOf(now, later(leaving, plan.windowSeconds))
}

/** All of the last window but `mine`, not just `requestsMax` of them: a turn given back makes an older one count. */
function stillCounting(state: BudgetState, mine: Date | null, now: Date): readonly Date[] {
  const since = later(now, -state.plan.windowSeconds)
  const index = mine === null ? -1 : state.grantedAt.findIndex((at) => at.getTime() === mine.getTime())
  return state.grantedAt.filter((at, place) => place !== index && at > since)
}

function byTime(left: Date, right: Date): number {
  return left.getTime() - right.getTime()
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

async function recordGrants(
  tx: Tx,
  name: string,
  grantedAt: readonly Date[],
  counted: number,
): Promise<void> {
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

async function recordPlan(tx: Tx, name: string, plan: RequestPlan): Promise<void> {
  await tx.query(
    'update market_data.provider_budgets set requests_max = $2, window_seconds = $3 where budget = $1',
    [name, plan.requestsMax, plan.windowSeconds],
  )
}
