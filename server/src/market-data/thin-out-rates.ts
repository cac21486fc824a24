import type { Database } from '#db'

/** How finely the past is kept. */
export interface RateRetention {
  /** After this many days one snapshot an hour is kept of each provider, the last. */
  readonly hourlyAfterDays: number
  /** After this many, one a day. They are kept for good: 365 × 170 rows a year. */
  readonly dailyAfterDays: number
}

export const DEFAULT_RETENTION: RateRetention = { hourlyAfterDays: 30, dailyAfterDays: 400 }

const SNAPSHOTS_PER_RUN = 5_000
const QUARANTINE_DAYS = 90

/**
 * Drops snapshots that only repeat what a coarser one shows; the newest of a provider always stays. A
 * conversion keeps its own rate, source and time, so nothing that was dealt at is lost.
 * @returns how many were dropped, at most 5,000; the rest waits for the next run
 */
export async function thinOutRates(
  deps: { readonly db: Database; readonly clock: () => Date },
  retention: RateRetention = DEFAULT_RETENTION,
): Promise<number> {
  const now = deps.clock().getTime()
  const before = (days: number) => new Date(now - days * 86_400_000)
  return deps.db.transaction(async (tx) => {
    await tx.query(`delete from market_data.quarantine where outcome <> 'waiting' and fetched_at < $1`, [
      before(QUARANTINE_DAYS),
    ])
    const { rowCount } = await tx.query(
      `delete from market_data.rate_snapshots where id in (
         select id from (
           select id, as_of,
                  lead(as_of) over (partition by provider order by as_of, fetched_at) as next_as_of
             from market_data.rate_snapshots where as_of < $1) as old
          where date_trunc('hour', next_as_of, 'UTC') = date_trunc('hour', as_of, 'UTC')
             or (as_of < $2 and date_trunc('day', next_as_of, 'UTC') = date_trunc('day', as_of, 'UTC'))
          order by id limit $3)`,
      [before(retention.hourlyAfterDays), before(retention.dailyAfterDays), SNAPSHOTS_PER_RUN],
    )
    return rowCount ?? 0
  })
}
