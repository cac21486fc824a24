import type { Database, Queryable } from '#db'

/** How long what is written. Days are kept for good: they are what profits and charts of years are made of. */
export interface StockRetention {
  /** Prices in the order of ingestion; the newest of each instrument always stays. A fill keeps its own. */
  readonly observationDays: number
  readonly minuteDays: number
  readonly hourDays: number
}

export const DEFAULT_STOCK_RETENTION: StockRetention = { observationDays: 3, minuteDays: 30, hourDays: 400 }

/** Well within the time that a statement may take. */
const ROWS_PER_STATEMENT = 50_000
/** Five million rows, twice what a day of the fastest stream brings; the rest waits for the next run. */
const STATEMENTS_MAX = 100

/** Drops what nobody looks at any more. @returns how many rows */
export async function thinOutStocks(
  deps: { readonly db: Database; readonly clock: () => Date },
  signal: AbortSignal,
  retention: StockRetention = DEFAULT_STOCK_RETENTION,
): Promise<number> {
  const now = deps.clock().getTime()
  const before = (days: number) => new Date(now - days * 86_400_000)
  const observations = await untilDone(signal, () =>
    dropObservations(deps.db, before(retention.observationDays)),
  )
  const candles = await untilDone(signal, () =>
    dropCandles(deps.db, { minutes: before(retention.minuteDays), hours: before(retention.hourDays) }),
  )
  return observations + candles
}

async function untilDone(signal: AbortSignal, drop: () => Promise<number>): Promise<number> {
  let dropped = 0
  for (let statements = 0; statements < STATEMENTS_MAX && !signal.aborted; statements += 1) {
    const rows = await drop()
    dropped += rows
    if (rows < ROWS_PER_STATEMENT) break
  }
  return dropped
}

async function dropObservations(q: Queryable, before: Date): Promise<number> {
  const { rowCount } = await q.query(
    `delete from market_data.price_observations where seq in (
       select seq from market_data.price_observations old
        where fetched_at < $1
          and exists (select from market_data.price_observations newer
                       where newer.instrument_id = old.instrument_id and newer.source = old.source
                         and newer.seq > old.seq)
        order by seq limit $2)`,
    [before, ROWS_PER_STATEMENT],
  )
  return rowCount ?? 0
}

async function dropCandles(
  q: Queryable,
  before: { readonly minutes: Date; readonly hours: Date },
): Promise<number> {
  const { rowCount } = await q.query(
    `delete from market_data.candles
      where ctid = any(array(select ctid from market_data.candles
        where (span = 1 and at < $1) or (span = 2 and at < $2) limit $3))`,
    [before.minutes, before.hours, ROWS_PER_STATEMENT],
  )
  return rowCount ?? 0
}
