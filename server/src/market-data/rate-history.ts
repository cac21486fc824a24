import { formatRate, parseRate } from '@kantor/contract/money'
import type { Queryable } from '#db'
import type { RateProvider } from './providers/rate-provider.ts'

export type Span = 'hour' | 'day' | 'week'

/** What a pair did in one hour, day or week (of UTC; weeks begin on Monday). For show: 10 significant digits. */
export interface RatePoint {
  readonly at: Date
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
}

export interface RateHistory {
  /** The one provider that all points come from; null where none has any. */
  readonly source: string | null
  readonly points: readonly RatePoint[]
}

export interface HistoryRange {
  readonly base: string
  readonly counter: string
  readonly from: Date
  readonly to: Date
  readonly span: Span
}

/** A chart has fewer pixels than that; the caller must ask for a range that fits. */
export const HISTORY_POINTS_MAX = 2000

export const SPAN_SECONDS: Readonly<Record<Span, number>> = { hour: 3600, day: 86_400, week: 604_800 }

/** A provider further up the list is preferred unless another has clearly more of the range. */
const ENOUGH_SHARE = 0.8

/**
 * The past of a pair from one provider: points of two would show steps that no market made. Both legs of each
 * value are of the same snapshot.
 * @throws RangeError for a range of more than HISTORY_POINTS_MAX spans
 */
export async function rateHistory(
  q: Queryable,
  providers: readonly RateProvider[],
  range: HistoryRange,
): Promise<RateHistory> {
  const spans = (range.to.getTime() - range.from.getTime()) / 1000 / SPAN_SECONDS[range.span]
  if (spans > HISTORY_POINTS_MAX) throw new RangeError(`more than ${HISTORY_POINTS_MAX} points`)
  const found: { source: string; points: RatePoint[]; simulated: boolean }[] = []
  for (const { name, simulated } of providers) {
    found.push({ source: name, points: await selectPoints(q, name, range), simulated })
  }
  const chosen = preferredHistory(found)
  return { source: chosen?.source ?? null, points: chosen?.points ?? [] }
}

/** Which provider's past to take, of all of them in the order of preference: made-up prices only where no real ones are. */
export function preferredHistory<
  Past extends { readonly simulated: boolean; readonly points: readonly unknown[] },
>(found: readonly Past[]): Past | undefined {
  const real = found.filter(({ simulated, points }) => !simulated && points.length > 0)
  const choice = real.length > 0 ? real : found
  const most = Math.max(0, ...choice.map(({ points }) => points.length))
  return choice.find(({ points }) => points.length > 0 && points.length >= most * ENOUGH_SHARE)
}

type PointRow = { at: Date; open: string; high: string; low: string; close: string }

async function selectPoints(q: Queryable, provider: string, range: HistoryRange): Promise<RatePoint[]> {
  const { rows } = await q.query<PointRow>(
    `with prices as (
       select snapshots.as_of, snapshots.fetched_at,
              date_trunc($5, snapshots.as_of, 'UTC') as at,
              round(coalesce(counter.rate / counter.per, 1) / coalesce(base.rate / base.per, 1), 20) as price
         from market_data.rate_snapshots as snapshots
         left join market_data.rates as base on base.snapshot_id = snapshots.id and base.code = $2
         left join market_data.rates as counter on counter.snapshot_id = snapshots.id and counter.code = $3
        where snapshots.provider = $1 and snapshots.as_of >= $4 and snapshots.as_of < $6
          and ($2 = 'EUR' or base.rate is not null) and ($3 = 'EUR' or counter.rate is not null))
     select at, (array_agg(price order by as_of, fetched_at))[1] as open, max(price) as high, min(price) as low,
            (array_agg(price order by as_of desc, fetched_at desc))[1] as close
       from prices where price > 0
      group by at order by at limit $7`,
    [provider, range.base, range.counter, range.from, range.span, range.to, HISTORY_POINTS_MAX + 1],
  )
  return rows.map(({ at, open, high, low, close }) => ({
    at,
    open: shown(open),
    high: shown(high),
    low: shown(low),
    close: shown(close),
  }))
}

function shown(text: string): string {
  const read = parseRate(text)
  if (!read.ok) throw new Error('a stored rate cannot be shown')
  return formatRate(read.rate, 10, 'halfEven')
}
