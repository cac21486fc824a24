import { setImmediate as nextTurn } from 'node:timers/promises'
import { dayAfter, newYorkDate, newYorkMidnight } from './new-york.ts'
import { ProviderError } from './rate-provider.ts'
import type { SimulatedListing } from './simulated-listings.ts'
import { joined, type SimulatedBar, type SimulatedPrices } from './simulated-prices.ts'
import { weekdayOf } from './simulated-sessions.ts'
import type { StockBar, StockPrices, StockSpan } from './stock-provider.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const BARS_MAX = 200_000
/** Days alone cost microseconds, their minutes milliseconds: others get their turn in between. */
const DAYS_AT_ONCE = { minute: 1, hour: 1, day: 200, week: 200 } as const

/** Bars of days (both included) in New York, as far as their time has come; the running day is as it is so far. */
export async function simulatedRange(
  prices: SimulatedPrices,
  listing: SimulatedListing,
  query: { readonly span: StockSpan; readonly from: string; readonly to: string },
  now: Date,
): Promise<StockBar[]> {
  const { span } = query
  const today = newYorkDate(now.getTime())
  const last = query.to < today ? query.to : today
  const bars: SimulatedBar[] = []
  let days = 0
  for (let date = query.from; date <= last; date = dayAfter(date, 1)) {
    days += 1
    if (days % DAYS_AT_ONCE[span] === 0) await nextTurn()
    bars.push(...barsOfDay(prices, listing, date, span, now))
    if (bars.length > BARS_MAX) throw new ProviderError('bad_answer', 'too_many_bars', 'Too long a range.')
  }
  const spans = span === 'week' ? grouped(bars, weekOf) : bars
  return spans.map((bar) => stockBar(listing.ticker, bar, span === 'day' || span === 'week'))
}

function barsOfDay(
  prices: SimulatedPrices,
  listing: SimulatedListing,
  date: string,
  span: StockSpan,
  now: Date,
): readonly SimulatedBar[] {
  if (span === 'minute') return minutesUntil(prices, listing, date, now)
  if (span === 'hour') {
    return grouped(minutesUntil(prices, listing, date, now), ({ startAt }) => startAt - (startAt % HOUR_MS))
  }
  const day = dayUntil(prices, listing, date, now)
  return day === null ? [] : [day]
}

/** The minutes of that day that are over. */
export function minutesUntil(
  prices: SimulatedPrices,
  listing: SimulatedListing,
  date: string,
  now: Date,
): readonly SimulatedBar[] {
  const hours = prices.hours(date)
  if (hours === null || hours.opensAt >= now.getTime()) return []
  const minutes = prices.minutes(listing, date)
  if (hours.closesAt <= now.getTime()) return minutes
  return minutes.filter(({ startAt }) => startAt + MINUTE_MS <= now.getTime())
}

/** The whole day once it is over, before that what its minutes have made of it. */
export function dayUntil(
  prices: SimulatedPrices,
  listing: SimulatedListing,
  date: string,
  now: Date,
): SimulatedBar | null {
  const hours = prices.hours(date)
  if (hours !== null && hours.closesAt <= now.getTime()) return prices.day(listing, date)
  return joined(minutesUntil(prices, listing, date, now))
}

/** Bars that share what `keyOf` says, joined, and beginning there. */
function grouped(bars: readonly SimulatedBar[], keyOf: (bar: SimulatedBar) => number): SimulatedBar[] {
  return [...Map.groupBy(bars, keyOf)].flatMap(([startAt, some]) => {
    const bar = joined(some)
    return bar === null ? [] : [{ ...bar, startAt }]
  })
}

/** Weeks begin on Sunday, as Polygon's do. */
function weekOf(bar: SimulatedBar): number {
  const date = newYorkDate(bar.startAt)
  return newYorkMidnight(dayAfter(date, -weekdayOf(date)))
}

export function stockBar(ticker: string, bar: SimulatedBar, wholeDays: boolean): StockBar {
  const date = newYorkDate(bar.startAt)
  return {
    ticker,
    startAt: new Date(wholeDays ? newYorkMidnight(date) : bar.startAt),
    date,
    ...stockPrices(bar),
    trades: 1 + Math.floor(bar.volume / 100),
  }
}

export function stockPrices(bar: SimulatedBar): StockPrices {
  const { open, high, low, close, volume } = bar
  return {
    open: priceText(open),
    high: priceText(high),
    low: priceText(low),
    close: priceText(close),
    volume: `${volume}`,
    vwap: ((open + high + low + close) / 4).toFixed(4),
  }
}

/** Whole cents, hundredths of them below a dollar (SEC rule 612); rounding also hides bits in which machines differ. */
export function priceText(price: number): string {
  return price < 1 ? price.toFixed(4) : price.toFixed(2)
}
