import { setImmediate as nextTurn } from 'node:timers/promises'
import { fingerprint } from './fingerprint.ts'
import { dayAfter, newYorkDate } from './new-york.ts'
import { nyseSpecialDays } from './nyse-calendar.ts'
import { checkDay, checkTicker } from './polygon-bars.ts'
import { dayUntil, minutesUntil, priceText, simulatedRange, stockBar, stockPrices } from './simulated-bars.ts'
import { LISTED_ON, simulatedListings, type SimulatedListing } from './simulated-listings.ts'
import { simulatedPrices, type SimulatedPrices } from './simulated-prices.ts'
import { tradedHours } from './simulated-sessions.ts'
import { simulatedStream } from './simulated-stream.ts'
import {
  SNAPSHOT_TICKERS_MAX,
  type MarketHoliday,
  type MarketStatus,
  type StockProvider,
  type StockQuote,
  type StockSnapshot,
  type StockTicker,
} from './stock-provider.ts'

export interface SimulatedStocksOptions {
  readonly seed: number
  readonly clock: () => Date
  /** True: open when New York is. Otherwise around the clock, every day. */
  readonly sessionHours?: boolean
  /** How often the stream looks at the clock. */
  readonly streamEveryMs?: number
}

const CLOSED_DAYS_MAX = 7
const HOLIDAYS_AHEAD_DAYS = 365
/** Bid and ask around the last price, as a part of it each way, and a cent at least in all. */
const HALF_SPREAD = 0.0001

/**
 * A made-up stock market, the default without keys: 40 known names over years of days and minutes, with dividends
 * and now and then a split, all from seed and clock. It answers through the same door as Polygon.
 */
export function simulatedStocks(options: SimulatedStocksOptions): StockProvider {
  const { seed, clock } = options
  const sessionHours = options.sessionHours ?? false
  const prices = simulatedPrices(seed, sessionHours)
  return {
    name: 'simulated',
    simulated: true,
    configuredAs: fingerprint(`${seed}`, `${sessionHours}`),
    tickers: async ({ search, active }) =>
      onePage(active ? simulatedListings.filter(matches(search)).map(tickerOf) : []),
    range: async (query) => {
      const listing = listingOf(query.ticker)
      const from = checkDay(query.from) < LISTED_ON ? LISTED_ON : query.from
      const range = { span: query.span, from, to: checkDay(query.to) }
      const bars = listing === null ? [] : await simulatedRange(prices, listing, range, clock())
      return { delayed: false, bars, refused: [] }
    },
    groupedDay: async (date) => ({
      delayed: false,
      bars: dayOfAll(prices, checkDay(date), clock()),
      refused: [],
    }),
    previousClose: async (ticker) => {
      const listing = listingOf(ticker)
      const day = listing === null ? null : lastWholeDay(prices, listing, clock())
      return day === null ? null : stockBar(ticker, day, true)
    },
    snapshot: async (tickers) => {
      if (tickers.length > SNAPSHOT_TICKERS_MAX) throw new RangeError('too many tickers for one snapshot')
      const now = clock()
      const snapshots: StockSnapshot[] = []
      for (const listing of tickers.map(listingOf)) {
        // The first of a day makes its path, in milliseconds: others get their turn in between.
        await nextTurn()
        if (listing !== null) snapshots.push(snapshotOf(prices, listing, now))
      }
      return { delayed: false, snapshots, refused: [] }
    },
    marketStatus: async () => statusAt(prices, clock()),
    upcoming: async () => (sessionHours ? holidaysAfter(newYorkDate(clock().getTime())) : []),
    splits: async ({ since }) => onePage(declared(clock(), checkDay(since), prices.actions.splits)),
    dividends: async ({ since }) => onePage(declared(clock(), checkDay(since), prices.actions.dividends)),
    stream: (stream) =>
      simulatedStream({ prices, clock, everyMs: options.streamEveryMs ?? 1000, quoteOf }, stream),
    entitlement: async () => ({
      timeliness: 'realTime',
      snapshots: true,
      intraday: true,
      stream: true,
      refused: [],
      requestsPerMinute: null,
      probedAt: clock(),
    }),
  }
}

const byTicker = new Map(simulatedListings.map((listing) => [listing.ticker, listing]))

function listingOf(ticker: string): SimulatedListing | null {
  return byTicker.get(checkTicker(ticker)) ?? null
}

function onePage<Item>(items: readonly Item[]): { items: readonly Item[]; refused: readonly []; next: null } {
  return { items, refused: [], next: null }
}

function matches(search: string | undefined): (listing: SimulatedListing) => boolean {
  const sought = search?.toLowerCase() ?? ''
  return ({ ticker, name }) => `${ticker} ${name}`.toLowerCase().includes(sought)
}

function tickerOf({ ticker, name, mic, type }: SimulatedListing): StockTicker {
  return { ticker, name, mic, figi: null, type, currency: 'USD', active: true, delistedOn: null }
}

/** As the real feed does at its day's end, a day is given once it is over. */
function dayOfAll(prices: SimulatedPrices, date: string, now: Date) {
  const hours = prices.hours(date)
  if (hours === null || hours.closesAt > now.getTime()) return []
  return simulatedListings.flatMap((listing) => {
    const day = prices.day(listing, date)
    return day === null ? [] : [stockBar(listing.ticker, day, true)]
  })
}

function lastWholeDay(prices: SimulatedPrices, listing: SimulatedListing, now: Date) {
  const today = newYorkDate(now.getTime())
  for (let back = 0; back <= CLOSED_DAYS_MAX; back += 1) {
    const date = dayAfter(today, -back)
    const hours = prices.hours(date)
    if (hours !== null && hours.closesAt <= now.getTime()) return prices.day(listing, date)
  }
  return null
}

function snapshotOf(prices: SimulatedPrices, listing: SimulatedListing, now: Date): StockSnapshot {
  const { ticker } = listing
  const today = newYorkDate(now.getTime())
  const last = prices.last(listing, now.getTime())
  const day = dayUntil(prices, listing, today, now)
  const minute = minutesUntil(prices, listing, today, now).at(-1)
  const previous = lastWholeDay(prices, listing, new Date(Date.parse(`${today}T05:00:00Z`)))
  const open = last !== null && last.atMs === now.getTime()
  return {
    ticker,
    trade:
      last === null ? null : { ticker, price: priceText(last.price), size: '100', ...momentOf(last.atMs) },
    quote: last === null || !open ? null : quoteOf(ticker, last.price, last.atMs),
    minute: minute === undefined ? null : stockBar(ticker, minute, false),
    day: day === null ? null : stockPrices(day),
    previousDay: previous === null ? null : stockPrices(previous),
    asOf: last === null ? null : new Date(last.atMs),
  }
}

function quoteOf(ticker: string, last: number, atMs: number): StockQuote {
  const unit = last < 1 ? 0.0001 : 0.01
  const shown = Number(priceText(last))
  const half = Math.max(unit, shown * HALF_SPREAD)
  const [bid, ask] = [Math.floor((shown - half) / unit) * unit, Math.ceil((shown + half) / unit) * unit]
  return {
    ticker,
    bid: priceText(bid),
    ask: priceText(ask),
    bidSize: '500',
    askSize: '500',
    ...momentOf(atMs),
  }
}

function momentOf(atMs: number): { asOf: Date; asOfNs: bigint } {
  return { asOf: new Date(atMs), asOfNs: BigInt(atMs) * 1_000_000n }
}

function statusAt(prices: SimulatedPrices, now: Date): MarketStatus {
  const hours = prices.hours(newYorkDate(now.getTime()))
  const open = hours !== null && hours.opensAt <= now.getTime() && now.getTime() < hours.closesAt
  const state = open ? 'open' : 'closed'
  return {
    market: state,
    exchanges: new Map([
      ['nyse', state],
      ['nasdaq', state],
    ]),
    asOf: now,
  }
}

function holidaysAfter(today: string): MarketHoliday[] {
  const until = dayAfter(today, HOLIDAYS_AHEAD_DAYS)
  const year = Number(today.slice(0, 4))
  const days = [...nyseSpecialDays(year), ...nyseSpecialDays(year + 1)].filter(
    ([date]) => date >= today && date <= until,
  )
  return days
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([date, { kind, name }]) => {
      const hours = tradedHours(date, true)
      const status = kind === 'half' ? 'earlyClose' : 'closed'
      const [opensAt, closesAt] =
        hours === null ? [null, null] : [new Date(hours.opensAt), new Date(hours.closesAt)]
      return ['XNYS', 'XNAS'].map((mic) => ({ mic, name: name ?? '', date, status, opensAt, closesAt }))
    })
}

/** Of all stocks from `since` on, as far as companies have declared them by now, by ex-date. */
function declared<
  Action extends { readonly exDate: string; readonly ticker: string; readonly declaredOn: string },
>(
  now: Date,
  since: string,
  actionsOf: (listing: SimulatedListing, year: number) => readonly Action[],
): Action[] {
  const today = newYorkDate(now.getTime())
  const first = Number((since < LISTED_ON ? LISTED_ON : since).slice(0, 4))
  const years = Array.from(
    { length: Math.max(0, now.getUTCFullYear() + 2 - first) },
    (_, index) => first + index,
  )
  return years
    .flatMap((year) => simulatedListings.flatMap((listing) => actionsOf(listing, year)))
    .filter(({ exDate, declaredOn }) => exDate >= since && declaredOn <= today)
    .toSorted((left, right) => (`${left.exDate} ${left.ticker}` < `${right.exDate} ${right.ticker}` ? -1 : 1))
}
