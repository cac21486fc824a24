import { newYorkDate, dayAfter } from './new-york.ts'
import { simulatedActions, type SimulatedActions } from './simulated-actions.ts'
import { LEVELS_AT, LISTED_ON, type SimulatedListing } from './simulated-listings.ts'
import { tradedHours, type TradedHours } from './simulated-sessions.ts'
import { fraction, gaussian, hashText, walkAt } from './simulated-walk.ts'

/** Raw prices in USD, not rounded yet. */
export interface SimulatedBar {
  readonly startAt: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
}

/** A day as a whole; its minutes lie within it, touch its high and low, and add up to its volume. */
interface Day extends SimulatedBar {
  readonly date: string
  readonly hours: TradedHours
}

/** The path through one day, cut into `GRID` steps, and the minutes that it makes. */
interface Path {
  readonly prices: Float64Array
  readonly minutes: readonly SimulatedBar[]
}

export interface SimulatedPrices {
  readonly actions: SimulatedActions
  hours(date: string): TradedHours | null
  /** Null when closed that day, or not listed yet. */
  day(listing: SimulatedListing, date: string): SimulatedBar | null
  minutes(listing: SimulatedListing, date: string): readonly SimulatedBar[]
  /** The last price at that moment and when it was made: now while open, else at the last close. */
  last(listing: SimulatedListing, atMs: number): { readonly price: number; readonly atMs: number } | null
}

const GRID_DEPTH = 12
const GRID = 2 ** GRID_DEPTH
const MINUTE_MS = 60_000
const YEAR_MS = 365.25 * 86_400_000
/** What stocks gain a year, about. */
const TREND = 0.06
/** Today and yesterday of each; about 150 KB a path. */
const PATHS_KEPT_MAX = 100
/** No two days of trading are further apart (a long weekend). */
const CLOSED_DAYS_MAX = 7

/**
 * Prices of the simulated market, each found directly from seed and moment. A day opens and closes where the slow
 * walks of the stock and of the market are; how far it strays in between is drawn from the exact distribution of a
 * Brownian bridge's extremes; only who asks for its minutes pays for the path, which is a bridge by halves that is
 * stretched to those extremes. So years of days cost microseconds each, and minutes agree with them.
 */
export function simulatedPrices(seed: number, sessionHours: boolean): SimulatedPrices {
  const actions = simulatedActions(seed)
  const paths = new Map<string, Path>()
  const hours = (date: string) => tradedHours(date, sessionHours)
  const day = (listing: SimulatedListing, date: string) => {
    const traded = date < LISTED_ON ? null : hours(date)
    return traded === null ? null : dayOf(seed, listing, date, traded, actions.factor(listing, date))
  }
  const pathOf = (listing: SimulatedListing, whole: Day) => {
    const key = `${listing.ticker} ${whole.date}`
    const path = paths.get(key) ?? walkThrough(seed, listing, whole)
    // Put last again, so that the first is the one that was not needed for longest.
    paths.delete(key)
    paths.set(key, path)
    for (const oldest of paths.size > PATHS_KEPT_MAX ? [paths.keys().next().value] : [])
      if (oldest !== undefined) paths.delete(oldest)
    return path
  }
  return {
    actions,
    hours,
    day,
    minutes: (listing, date) => {
      const whole = day(listing, date)
      return whole === null ? [] : pathOf(listing, whole).minutes
    },
    last: (listing, atMs) => {
      const first = newYorkDate(atMs)
      for (let back = 0; back <= CLOSED_DAYS_MAX; back += 1) {
        const whole = day(listing, dayAfter(first, -back))
        if (whole === null || atMs < whole.hours.opensAt) continue
        if (atMs >= whole.hours.closesAt) return { price: whole.close, atMs: whole.hours.closesAt }
        const { opensAt, closesAt } = whole.hours
        const place = ((atMs - opensAt) / (closesAt - opensAt)) * GRID
        return { price: priceOn(pathOf(listing, whole).prices, place), atMs }
      }
      return null
    },
  }
}

function dayOf(
  seed: number,
  listing: SimulatedListing,
  date: string,
  hours: TradedHours,
  factor: number,
): Day {
  const { opensAt, closesAt } = hours
  const [open, close] = [levelAt(seed, listing, opensAt) * factor, levelAt(seed, listing, closesAt) * factor]
  const key = hashText(`day ${listing.ticker}`, seed)
  const number = dayNumber(date)
  const move = Math.log(close / open)
  const spread = deviation(listing, hours) ** 2
  // Extremes of a bridge from 0 to x with variance s² (https://en.wikipedia.org/wiki/Brownian_bridge):
  // P(max > m) = exp(-2 m (m - x) / s²), solved for m.
  const stray = (draw: number) =>
    Math.sqrt(move ** 2 - 2 * spread * Math.log(1 - fraction(key, number, draw)))
  return {
    date,
    hours,
    startAt: opensAt,
    open,
    close,
    high: Math.max(open, close, open * Math.exp((move + stray(0)) / 2)),
    low: Math.min(open, close, open * Math.exp((move - stray(1)) / 2)),
    volume: Math.round((listing.volume / factor) * Math.exp(0.35 * gaussian(key, number, 2))),
  }
}

function levelAt(seed: number, listing: SimulatedListing, atMs: number): number {
  const own = listing.own * walkAt(seed, `stock ${listing.ticker}`, atMs)
  const market = listing.market * walkAt(seed, 'stocks', atMs)
  return listing.level * Math.exp(own + market + (TREND * (atMs - LEVELS_AT)) / YEAR_MS)
}

/** Of the logarithm, over the traded hours. */
function deviation(listing: SimulatedListing, hours: TradedHours): number {
  const years = (hours.closesAt - hours.opensAt) / YEAR_MS
  return Math.sqrt((listing.own ** 2 + listing.market ** 2) * years)
}

function walkThrough(seed: number, listing: SimulatedListing, whole: Day): Path {
  const key = hashText(`path ${listing.ticker}`, seed)
  const logs = bridge(
    key,
    dayNumber(whole.date),
    Math.log(whole.close / whole.open),
    deviation(listing, whole.hours),
  )
  const prices = stretched(logs, whole, 1 + Math.floor(fraction(key, dayNumber(whole.date), 0) * (GRID - 3)))
  return { prices, minutes: minutesOf(whole, prices, volumesOf(key, whole)) }
}

/** A Brownian bridge from 0 to `end`, each midpoint from its two ends, as in simulated-walk.ts. */
function bridge(key: number, day: number, end: number, total: number): Float64Array {
  const logs = new Float64Array(GRID + 1)
  logs[GRID] = end
  let node = 1
  for (let step = GRID; step > 1; step /= 2) {
    const noise = total * Math.sqrt(step / GRID / 4)
    for (let left = 0; left < GRID; left += step) {
      const middle = ((logs[left] ?? 0) + (logs[left + step] ?? 0)) / 2
      logs[left + step / 2] = middle + noise * gaussian(key, day, node)
      node += 1
    }
  }
  return logs
}

/** Prices whose highest and lowest are the day's: what lies beyond its open and close is scaled to reach them. */
function stretched(logs: Float64Array, whole: Day, wick: number): Float64Array {
  const [top, bottom] = [Math.max(whole.open, whole.close), Math.min(whole.open, whole.close)]
  const prices = logs.map((log) => whole.open * Math.exp(log))
  let [highest, lowest] = [0, 0]
  prices.forEach((price, index) => {
    if (price > (prices[highest] ?? 0)) highest = index
    if (price < (prices[lowest] ?? 0)) lowest = index
  })
  const up = (whole.high - top) / ((prices[highest] ?? 0) - top)
  const down = (bottom - whole.low) / (bottom - (prices[lowest] ?? 0))
  const scaled = prices.map((price) => {
    if (price > top) return Math.min(whole.high, top + (price - top) * up)
    return price < bottom ? Math.max(whole.low, bottom - (bottom - price) * down) : price
  })
  // A path that never left its ends has nothing to scale: one point of it then does.
  scaled[inside(highest) ? highest : wick] = whole.high
  scaled[inside(lowest) ? lowest : wick + 1] = whole.low
  scaled[0] = whole.open
  scaled[GRID] = whole.close
  return scaled
}

function inside(index: number): boolean {
  return index > 0 && index < GRID
}

/** How much was traded from the opening to the end of each minute: more at both ends of a day. */
function volumesOf(key: number, whole: Day): Float64Array {
  const minutes = minutesIn(whole.hours)
  const sums = new Float64Array(minutes + 1)
  for (let minute = 0; minute < minutes; minute += 1) {
    const fromMiddle = (2 * (minute + 0.5)) / minutes - 1
    const weight = (1 + 1.5 * fromMiddle ** 2) * (0.5 + fraction(key, dayNumber(whole.date), GRID + minute))
    sums[minute + 1] = (sums[minute] ?? 0) + weight
  }
  const total = sums[minutes] ?? 1
  return sums.map((sum) => Math.floor((sum / total) * whole.volume))
}

function minutesOf(whole: Day, prices: Float64Array, volumes: Float64Array): SimulatedBar[] {
  const count = minutesIn(whole.hours)
  return Array.from({ length: count }, (_, minute) => {
    const [from, to] = [(minute / count) * GRID, ((minute + 1) / count) * GRID]
    const [open, close] = [priceOn(prices, from), priceOn(prices, to)]
    const between = prices.subarray(Math.ceil(from), Math.floor(to) + 1)
    return {
      startAt: whole.hours.opensAt + minute * MINUTE_MS,
      open,
      close,
      high: Math.max(open, close, ...between),
      low: Math.min(open, close, ...between),
      volume: (volumes[minute + 1] ?? 0) - (volumes[minute] ?? 0),
    }
  })
}

/** The price at a place between two points of the grid, on the straight line that joins them. */
function priceOn(prices: Float64Array, place: number): number {
  const left = Math.min(GRID - 1, Math.floor(place))
  const [before, after] = [prices[left] ?? 0, prices[left + 1] ?? 0]
  if (place - left === 1) return after
  return before + (after - before) * (place - left)
}

function minutesIn(hours: TradedHours): number {
  return Math.round((hours.closesAt - hours.opensAt) / MINUTE_MS)
}

function dayNumber(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / 86_400_000
}

/** Bars in order as one; none where there are none. */
export function joined(bars: readonly SimulatedBar[]): SimulatedBar | null {
  const [first, last] = [bars[0], bars.at(-1)]
  if (first === undefined || last === undefined) return null
  return {
    startAt: first.startAt,
    open: first.open,
    close: last.close,
    high: bars.reduce((high, bar) => Math.max(high, bar.high), first.high),
    low: bars.reduce((low, bar) => Math.min(low, bar.low), first.low),
    volume: bars.reduce((volume, bar) => volume + bar.volume, 0),
  }
}
