import type { Queryable } from '#db'
import { standingActions } from './corporate-actions.ts'
import { newYorkMidnight } from './providers/new-york.ts'
import { splitSegments, type SplitSegment } from './split-factors.ts'
import { STORED_SPANS, type StoredSpan } from './store-candles.ts'

export type CandleSpan = 'minute' | 'fiveMinutes' | 'hour' | 'day' | 'week'

/** Decimal text. Prices and volume are in terms of today's shares. */
export interface Candle {
  /** The beginning; a day's and a week's is midnight in New York. */
  readonly at: Date
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly volume: string
}

export const CANDLE_SECONDS: Readonly<Record<CandleSpan, number>> = {
  minute: 60,
  fiveMinutes: 300,
  hour: 3_600,
  day: 86_400,
  week: 604_800,
}

export const CANDLES_MAX = 3_000

/** What each span is read from. */
export const READ_FROM: Readonly<Record<CandleSpan, StoredSpan>> = {
  minute: 'minute',
  fiveMinutes: 'minute',
  hour: 'hour',
  day: 'day',
  week: 'day',
}

const BUCKETS: Readonly<Record<CandleSpan, string | null>> = {
  minute: null,
  fiveMinutes: `date_bin('5 minutes', at, '2000-01-01T00:00:00Z')`,
  hour: null,
  day: null,
  week: `date_trunc('week', at, 'America/New_York')`,
}

export interface CandlesAsked {
  readonly instrumentId: number
  readonly provider: string
  readonly span: CandleSpan
  readonly from: Date
  readonly to: Date
  /** YYYY-MM-DD in New York: splits after this day are announced, not in force. */
  readonly today: string
}

/**
 * Candles of a time, oldest first, the newest `CANDLES_MAX` of them. Where nothing was traded there is none: a gap
 * is shown as a gap. Splits are applied here, before rolling up, since one may fall into the middle of a week.
 */
export async function readCandles(q: Queryable, asked: CandlesAsked): Promise<Candle[]> {
  const splits = await standingActions(q, [asked.instrumentId], asked.provider)
  const segments = splitSegments(splits, asked.today)
  const { rows } = await q.query<Candle>({
    name: `candles-${asked.span}`,
    text: statementOf(asked.span),
    values: [
      asked.instrumentId,
      asked.provider,
      STORED_SPANS[READ_FROM[asked.span]],
      asked.from,
      asked.to,
      segments.map(startOf),
      segments.map(endOf),
      segments.map(({ factor }) => factor.numerator),
      segments.map(({ factor }) => factor.denominator),
      CANDLES_MAX,
    ],
  })
  return rows.toReversed()
}

/** `$3`: the stored span. Newest first, so that the limit keeps the newest. */
function statementOf(span: CandleSpan): string {
  const bucket = BUCKETS[span]
  const from = span === 'week' ? `date_trunc('week', $4::timestamptz, 'America/New_York')` : '$4'
  return `with source as (select id from market_data.stock_sources where provider = $2),
    raw as (
      select * from market_data.candles
       where instrument_id = $1 and source = (select id from source) and span = $3 and at >= ${from} and at < $5
      ${span === 'hour' ? `union all ${HOURS_OF_MINUTES}` : ''}),
    adjusted as (
      select raw.at, ${['open', 'high', 'low', 'close']
        .map(
          (column) =>
            `case when times = through then ${column} else round(${column} * times / through, 6) end as ${column}`,
        )
        .join(', ')},
             case when times = through then volume else round(volume * through / times, 6) end as volume
        from raw join unnest($6::timestamptz[], $7::timestamptz[], $8::numeric[], $9::numeric[])
             as segment (from_at, to_at, times, through) on raw.at >= from_at and raw.at < to_at)
    ${bucket === null ? PLAIN : rolledUp(bucket)}
    order by at desc limit $10`
}

const PLAIN = `select at, trim_scale(open)::text as open, trim_scale(high)::text as high,
  trim_scale(low)::text as low, trim_scale(close)::text as close, trim_scale(volume)::text as volume from adjusted`

const rolledUp = (bucket: string): string => `select ${bucket} as at,
  trim_scale((array_agg(open order by at))[1])::text as open, trim_scale(max(high))::text as high,
  trim_scale(min(low))::text as low, trim_scale((array_agg(close order by at desc))[1])::text as close,
  trim_scale(sum(volume))::text as volume from adjusted group by 1`

/** The hours since the last stored one, of the minutes that came with the prices. */
const HOURS_OF_MINUTES = `select date_trunc('hour', minutes.at), $1, 0::smallint, 0::smallint,
       (array_agg(open order by minutes.at))[1], max(high), min(low),
       (array_agg(close order by minutes.at desc))[1], sum(volume)
  from market_data.candles minutes
 where instrument_id = $1 and source = (select id from source) and span = 1 and at < $5
   and at >= greatest($4, coalesce((
     select max(at) + interval '1 hour' from market_data.candles
      where instrument_id = $1 and source = (select id from source) and span = 2), '-infinity'))
 group by 1`

const FIRST = '0001-01-01'
const LAST = '9999-12-31'
const startOf = ({ fromDate }: SplitSegment): Date | string =>
  fromDate === FIRST ? '-infinity' : new Date(newYorkMidnight(fromDate))
const endOf = ({ toDate }: SplitSegment): Date | string =>
  toDate === LAST ? 'infinity' : new Date(newYorkMidnight(toDate))
