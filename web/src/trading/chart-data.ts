import type { Candle, Candles, InstrumentInFull } from '@kantor/contract/api'

export const RANGES = ['1D', '1W', '1M', '6M', '1Y', '5Y'] as const
export type ChartRange = (typeof RANGES)[number]

const DAY_MS = 86_400_000
/** A day of trade is at most this long, and the night between two is longer. */
const SESSION_MS = 16 * 3_600_000

/** What is asked of the server for a range. One day reaches back over a long weekend: see `shownOf`. */
const REQUESTS: Record<ChartRange, { span: Candles['span']; days: number }> = {
  '1D': { span: 'fiveMinutes', days: 5 },
  '1W': { span: 'hour', days: 7 },
  '1M': { span: 'day', days: 31 },
  '6M': { span: 'day', days: 183 },
  '1Y': { span: 'day', days: 366 },
  '5Y': { span: 'week', days: 1827 },
}

/** `from` is a whole minute of UTC, so that the same range is the same request for a while. */
export function candleRequest(range: ChartRange, now: Date): { span: Candles['span']; from: string } {
  const { span, days } = REQUESTS[range]
  const from = Math.floor((now.getTime() - days * DAY_MS) / 60_000) * 60_000
  return { span, from: new Date(from).toISOString() }
}

/** One day is the last one that was traded, be it today or before the weekend. */
export function shownOf(range: ChartRange, candles: readonly Candle[]): Candle[] {
  const last = candles.at(-1)
  if (range !== '1D' || last === undefined) return [...candles]
  const since = Date.parse(last.at) - SESSION_MS
  return candles.filter((candle) => Date.parse(candle.at) > since)
}

export interface ChartMark {
  /** Seconds since 1970, as the chart counts. */
  time: number
  kind: 'split' | 'dividend' | 'rename' | 'delisting'
}

export const secondsOf = (moment: string) => Math.floor(Date.parse(moment) / 1000)

/** Each corporate action on the last candle that begins by its day; those before the first are left out. */
export function marksOf(
  candles: readonly Candle[],
  actions: InstrumentInFull['corporateActions'],
): ChartMark[] {
  const first = candles[0]?.at.slice(0, 10)
  if (first === undefined) return []
  return actions
    .filter((action) => action.on >= first)
    .flatMap((action) => {
      const own = candles.findLast((candle) => candle.at.slice(0, 10) <= action.on)
      return own === undefined ? [] : [{ time: secondsOf(own.at), kind: action.kind }]
    })
    .toSorted((a, b) => a.time - b.time)
}

export interface RangeSummary {
  first: string
  last: string
  low: string
  high: string
}

/** What the chart shows in four figures, for those who do not see it. */
export function summaryOf(candles: readonly Candle[]): RangeSummary | null {
  const [first, last] = [candles[0], candles.at(-1)]
  if (first === undefined || last === undefined) return null
  const least = (one: string, other: string) => (Number(other) < Number(one) ? other : one)
  const most = (one: string, other: string) => (Number(other) > Number(one) ? other : one)
  return {
    first: first.open,
    last: last.close,
    low: candles.map((candle) => candle.low).reduce(least),
    high: candles.map((candle) => candle.high).reduce(most),
  }
}
