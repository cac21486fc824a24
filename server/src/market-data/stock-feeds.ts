import type { Queryable } from '#db'
import { ProviderError } from './providers/rate-provider.ts'
import { ensureSource, type SourceDeps, type StockSource } from './stock-source.ts'

/** The kinds of work that a source of stock data is asked for. */
export type StockFeed = 'entitlement' | 'instruments' | 'hours' | 'actions' | 'prices' | 'days' | 'past'

/** What a run of a feed brought. */
export interface FeedResult {
  readonly nextAt: Date
  readonly stored: number
  readonly refused: number
  /** Which rows were refused, for the operations page. */
  readonly lastRefusal?: string | null
  readonly reachedOn?: string | null
}

export interface FeedRecord {
  readonly feed: StockFeed
  readonly nextAt: Date | null
  readonly reachedOn: string | null
  readonly lastSuccessAt: Date | null
  readonly failuresInARow: number
  readonly error: { readonly code: string; readonly sentence: string; readonly at: Date } | null
  readonly stored: bigint
  readonly refused: bigint
  readonly lastRefusal: string | null
}

/**
 * Longer than a run may take: a process that died in one holds its feed up for so long. A list of 12,000 tickers
 * at five requests a minute takes three minutes, a year of dividends ten.
 */
const LEASE_SECONDS: Readonly<Record<StockFeed, number>> = {
  entitlement: 300,
  instruments: 1_800,
  hours: 300,
  actions: 1_800,
  prices: 120,
  days: 300,
  past: 300,
}

/**
 * Runs one feed if it is due. Who may is decided in the database, so two processes never both ask. A provider's
 * failure is written down and puts the feed off; our own mistakes are thrown.
 * @returns null when it was not due or failed
 */
export async function runFeed(
  deps: SourceDeps,
  feed: StockFeed,
  work: (record: FeedRecord, source: StockSource) => Promise<FeedResult>,
): Promise<FeedResult | null> {
  const source = await ensureSource(deps)
  const record = await claimFeed(deps, source.id, feed)
  if (record === null) return null
  try {
    const result = await work(record, source)
    await recordResult(deps, source.id, feed, result)
    return result
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    await recordFailure(deps, source.id, record, error)
    return null
  }
}

interface FeedRow {
  readonly feed: StockFeed
  readonly next_at: Date | null
  readonly reached_on: string | null
  readonly last_success_at: Date | null
  readonly failures_in_a_row: number
  readonly last_error_code: string | null
  readonly last_error: string | null
  readonly last_error_at: Date | null
  readonly stored: bigint
  readonly refused: bigint
  readonly last_refusal: string | null
}

const COLUMNS = `feed, next_at, reached_on, last_success_at, failures_in_a_row, last_error_code, last_error,
  last_error_at, stored, refused, last_refusal`

/** Prices are asked for at the next look, unless somebody is at it or the provider has just failed. */
export async function hurryPrices({ db, clock }: SourceDeps, sourceId: number): Promise<void> {
  await db.query(
    `update market_data.stock_feeds set next_at = $2
      where source = $1 and feed = 'prices' and next_at > $2
        and failures_in_a_row = 0 and last_success_at >= last_attempt_at`,
    [sourceId, clock()],
  )
}

/** Takes the right to run it for a while. Null: not due, or another process has it. */
async function claimFeed(deps: SourceDeps, sourceId: number, feed: StockFeed): Promise<FeedRecord | null> {
  const now = deps.clock()
  await deps.db.query(
    'insert into market_data.stock_feeds (source, feed) values ($1, $2) on conflict do nothing',
    [sourceId, feed],
  )
  const { rows } = await deps.db.query<FeedRow>(
    `update market_data.stock_feeds set next_at = $4, last_attempt_at = $3
      where source = $1 and feed = $2 and (next_at is null or next_at <= $3) returning ${COLUMNS}`,
    [sourceId, feed, now, new Date(now.getTime() + LEASE_SECONDS[feed] * 1000)],
  )
  return rows[0] === undefined ? null : recordOf(rows[0])
}

async function recordResult(
  deps: SourceDeps,
  sourceId: number,
  feed: StockFeed,
  result: FeedResult,
): Promise<void> {
  await deps.db.query(
    `update market_data.stock_feeds
        set next_at = $3, last_success_at = $4, failures_in_a_row = 0, stored = stored + $5,
            refused = refused + $6, last_refusal = coalesce($7, last_refusal),
            reached_on = coalesce($8, reached_on)
      where source = $1 and feed = $2`,
    [
      sourceId,
      feed,
      result.nextAt,
      deps.clock(),
      result.stored,
      result.refused,
      result.lastRefusal ?? null,
      result.reachedOn ?? null,
    ],
  )
}

const RETRY_SECONDS = [30, 60, 300, 900, 3_600] as const
/** The key or the plan is wrong: asking again sooner cannot help. */
const PLAN_SECONDS = 21_600

async function recordFailure(
  deps: SourceDeps,
  sourceId: number,
  record: FeedRecord,
  error: ProviderError,
): Promise<void> {
  const now = deps.clock()
  const backoff = RETRY_SECONDS[Math.min(record.failuresInARow, RETRY_SECONDS.length - 1)] ?? 3_600
  const forGood = error.kind === 'auth' || error.kind === 'plan'
  const seconds = forGood ? PLAN_SECONDS : Math.max(error.retryAfterSeconds ?? 0, backoff)
  // Waiting for our own turn is no failure of the provider.
  const failures = error.code === 'budget' ? 0 : 1
  await deps.db.query(
    `update market_data.stock_feeds
        set next_at = $3, last_error_code = $4, last_error = $5, last_error_at = $6,
            failures_in_a_row = failures_in_a_row + $7
      where source = $1 and feed = $2`,
    [
      sourceId,
      record.feed,
      new Date(now.getTime() + seconds * 1000),
      error.code,
      error.message,
      now,
      failures,
    ],
  )
}

export async function readFeeds(q: Queryable, provider: string): Promise<FeedRecord[]> {
  const { rows } = await q.query<FeedRow>(
    `select ${COLUMNS} from market_data.stock_feeds
      where source = (select id from market_data.stock_sources where provider = $1) order by feed`,
    [provider],
  )
  return rows.map(recordOf)
}

function recordOf(row: FeedRow): FeedRecord {
  return {
    feed: row.feed,
    nextAt: row.next_at,
    reachedOn: row.reached_on,
    lastSuccessAt: row.last_success_at,
    failuresInARow: row.failures_in_a_row,
    error:
      row.last_error_code === null || row.last_error_at === null
        ? null
        : { code: row.last_error_code, sentence: row.last_error ?? '', at: row.last_error_at },
    stored: row.stored,
    refused: row.refused,
    lastRefusal: row.last_refusal,
  }
}
