import type { Rate } from '@kantor/contract/money'
import type { Queryable } from '#db'
import { standingActions } from './corporate-actions.ts'
import { newYorkDate, newYorkMidnight, dayAfter } from './providers/new-york.ts'
import { splitSegments } from './split-factors.ts'

export interface DailyClose {
  /** The trading day in New York, YYYY-MM-DD. */
  readonly date: string
  /** As traded on that day, exact. */
  readonly close: string
  /** Times this, it is in terms of the shares of the day `to`. */
  readonly splitFactor: Rate
}

const DAYS_MAX = 20_000

/**
 * The closes of the days stored, both ends included, oldest first; days without trade are not there. The running
 * day's is its price so far.
 */
export async function dailyCloses(
  q: Queryable,
  instrumentId: number,
  range: { readonly from: string; readonly to: string; readonly provider: string },
): Promise<DailyClose[]> {
  const segments = splitSegments(await standingActions(q, [instrumentId], range.provider), range.to)
  const { rows } = await q.query<{ at: Date; close: string }>({
    name: 'daily-closes',
    text: `select at, close from market_data.candles
            where instrument_id = $1 and span = 3
              and source = (select id from market_data.stock_sources where provider = $2)
              and at >= $3 and at < $4
            order by at limit $5`,
    values: [
      instrumentId,
      range.provider,
      new Date(newYorkMidnight(range.from)),
      new Date(newYorkMidnight(dayAfter(range.to, 1))),
      DAYS_MAX,
    ],
  })
  return rows.map(({ at, close }) => {
    const date = newYorkDate(at.getTime())
    const segment = segments.find(({ fromDate, toDate }) => date >= fromDate && date < toDate)
    if (segment === undefined) throw new Error(`no split factor for ${date}`)
    return { date, close, splitFactor: segment.factor }
  })
}
