import type { Database } from '#db'

/** How long what is written. Days are kept for good: they are what profits and charts of years are made of. */
export interface StockRetention {
  /** Prices in the order of ingestion; the newest of each instrument always stays. A fill keeps its own. */
  readonly observationDays: number
  readonly minuteDays: number
  readonly hourDays: number
}

export const DEFAULT_STOCK_RETENTION: StockRetention = { observationDays: 3, minuteDays: 30, hourDays: 400 }

/** The rest waits for the next run. */
const ROWS_PER_RUN = 500_000

/** Drops what nobody looks at any more. @returns how many rows */
export async function thinOutStocks(
  deps: { readonly db: Database; readonly clock: () => Date },
  retention: StockRetention = DEFAULT_STOCK_RETENTION,
): Promise<number> {
  const now = deps.clock().getTime()
  const before = (days: number) => new Date(now - days * 86_400_000)
  const observations = await deps.db.query(
    `delete from market_data.price_observations where seq in (
       select seq from market_data.price_observations old
        where fetched_at < $1
          and exists (select from market_data.price_observations newer
                       where newer.instrument_id = old.instrument_id and newer.source = old.source
                         and newer.seq > old.seq)
        order by seq limit $2)`,
    [before(retention.observationDays), ROWS_PER_RUN],
  )
  const candles = await deps.db.query(
    `delete from market_data.candles
      where ctid = any(array(select ctid from market_data.candles
        where (span = 1 and at < $1) or (span = 2 and at < $2) limit $3))`,
    [before(retention.minuteDays), before(retention.hourDays), ROWS_PER_RUN],
  )
  return (observations.rowCount ?? 0) + (candles.rowCount ?? 0)
}
