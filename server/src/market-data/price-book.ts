import { compareRates, rateOf, type Rate } from '@kantor/contract/money'
import type { Queryable } from '#db'
import { priceText } from './instrument-figures.ts'
import type { MarketHours } from './market-hours.ts'
import type { StockProvider, Timeliness } from './providers/stock-provider.ts'
import { newYorkDate } from './providers/new-york.ts'
import { readSplitsAround, splitsSince, type Splits } from './split-held-prices.ts'
import { newestPrices, newestPriceSeq, pricesSince, type PriceObservation } from './stock-prices.ts'

/** In terms of today's shares: after a 4-for-1 split a price of before it counts a quarter. */
export interface StockPrice extends PriceObservation {
  readonly unknown: false
  /** The last price as it was quoted, in shares of its own day. */
  readonly lastQuoted: Rate
  readonly ageSeconds: number
  /** Older than it should be by the hours of the market: to be shown with its age, not to deal at. */
  readonly stale: boolean
  /** How far behind the market its feed has been seen to be; null where it is not a delayed one. */
  readonly delaySeconds: number | null
}

/** A missing price is unknown: never 0. */
export type KnownStockPrice = StockPrice | { readonly unknown: true }

/** The newest price of every instrument, in memory. Reading it costs no query. */
export interface PriceBook {
  price(instrumentId: number): KnownStockPrice
  /** The greatest seq that the book has seen. */
  newestSeq(): bigint
  /** The configured provider, whose prices these are. */
  readonly source: string
  readonly simulated: boolean
  /** Of the newest price; null before the first one. */
  timeliness(): Timeliness | null
  /** Called after each refresh that brought something, with what it brought, in order. */
  subscribe(listener: (prices: readonly PriceObservation[]) => void): () => void
  refresh(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

export interface PriceBookDeps {
  readonly db: Queryable
  readonly provider: Pick<StockProvider, 'name' | 'simulated'>
  readonly hours: MarketHours
  readonly clock: () => Date
  readonly log: { warn(fields: object, message: string): void }
  /** How long another process's poll may go unseen. Default 1000. */
  readonly refreshMs?: number
}

/** Each is read in 5 µs, and requests wait meanwhile. A day of the whole market is 12,000: they come in a dozen reads. */
const PRICES_PER_READ = 1_000
/** Splits are announced days before, and looked for so often. */
const SPLITS_EVERY_MS = 60_000
const ONE = rateOf(1n, 1n)

/**
 * Each process asks every second for what came after the last seq it has (one look at the end of an index). If
 * that fails, the book keeps what it has and ages by the clock, so an old book cannot pass for a new one.
 */
export function createPriceBook(deps: PriceBookDeps): PriceBook {
  const prices = new Map<number, PriceObservation>()
  const listeners = new Set<(prices: readonly PriceObservation[]) => void>()
  const delay = feedDelay()
  let newest: PriceObservation | null = null
  let seenSeq: bigint | null = null
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> | null = null

  const take = (observations: readonly PriceObservation[]) => {
    for (const observation of observations) {
      delay.see(observation)
      const held = prices.get(observation.instrumentId)
      if (held === undefined || held.seq < observation.seq) prices.set(observation.instrumentId, observation)
      if (newest === null || newest.seq < observation.seq) newest = observation
      if (seenSeq === null || seenSeq < observation.seq) seenSeq = observation.seq
    }
  }
  let splits: Splits = new Map()
  let splitsReadMs = -Infinity
  const loadSplits = async () => {
    const nowMs = deps.clock().getTime()
    if (nowMs - splitsReadMs < SPLITS_EVERY_MS) return
    splits = await readSplitsAround(deps.db, deps.provider.name, newYorkDate(nowMs))
    splitsReadMs = nowMs
  }
  const load = async () => {
    await loadSplits()
    if (seenSeq === null) {
      // First the end, then the prices: what comes in between is read twice, and nothing is missed.
      const end = await newestPriceSeq(deps.db)
      take(await newestPrices(deps.db, deps.provider.name))
      seenSeq = end
      return
    }
    for (;;) {
      const more = await pricesSince(deps.db, seenSeq, PRICES_PER_READ, deps.provider.name)
      take(more)
      if (more.length > 0) for (const listener of listeners) listener(more)
      if (more.length < PRICES_PER_READ) return
    }
  }
  // One at a time: a slow answer must not overwrite that of a later question.
  const refresh = () => (running ??= load().finally(() => (running = null)))
  const tick = () => {
    refresh()
      .catch((error: unknown) => deps.log.warn({ err: error }, 'the price book could not be refreshed'))
      .finally(() => {
        if (timer !== null) timer = setTimeout(tick, deps.refreshMs ?? 1000).unref()
      })
  }
  return {
    source: deps.provider.name,
    simulated: deps.provider.simulated,
    price: (instrumentId) => {
      const observation = prices.get(instrumentId)
      if (observation === undefined) return { unknown: true }
      const made = newSharesFor(splits, observation, deps.clock())
      return { ...aged(deps, inNewShares(observation, made), delay.seconds()), lastQuoted: observation.last }
    },
    newestSeq: () => seenSeq ?? 0n,
    timeliness: () => newest?.timeliness ?? null,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    refresh,
    async start() {
      await refresh()
      timer = setTimeout(tick, deps.refreshMs ?? 1000).unref()
    },
    async stop() {
      if (timer !== null) clearTimeout(timer)
      timer = null
      await running?.catch(() => {})
    },
  }
}

function newSharesFor(splits: Splits, { instrumentId, asOf }: PriceObservation, now: Date): Rate {
  const own = splits.get(instrumentId)
  return own === undefined ? ONE : splitsSince(own, asOf, newYorkDate(now.getTime()))
}

function inNewShares(price: PriceObservation, made: Rate): PriceObservation {
  if (compareRates(made, ONE) === 0) return price
  const each = ({ numerator, denominator }: Rate): Rate =>
    rateOf(numerator * made.denominator, denominator * made.numerator)
  const last = each(price.last)
  const [bid, ask] = [price.bid, price.ask].map((one) => (one === null ? null : each(one)))
  return { ...price, last, lastText: priceText(last), bid: bid ?? null, ask: ask ?? null }
}

/** A delay that was seen so long ago may be another by now. */
const DELAY_SEEN_MS_MAX = 3_600_000

/**
 * What a delayed feed is behind is not what plans promise but the least that was seen in the last hour between a
 * price and its arrival: the liveliest stock's, since a quiet one's last price is old in any feed.
 */
function feedDelay() {
  let least: { readonly ms: number; readonly seenMs: number } | null = null
  return {
    see: ({ timeliness, asOf, fetchedAt }: PriceObservation): void => {
      if (timeliness !== 'delayed') return
      const seenMs = fetchedAt.getTime()
      const ms = Math.max(0, seenMs - asOf.getTime())
      if (least === null || ms <= least.ms || seenMs - least.seenMs > DELAY_SEEN_MS_MAX)
        least = { ms, seenMs }
    },
    seconds: (): number | null => (least === null ? null : Math.round(least.ms / 1000)),
  }
}

function aged(
  deps: PriceBookDeps,
  observation: PriceObservation,
  feedDelaySeconds: number | null,
): Omit<StockPrice, 'lastQuoted'> {
  const now = deps.clock()
  const ageSeconds = Math.max(0, Math.floor((now.getTime() - observation.asOf.getTime()) / 1000))
  const delaySeconds = observation.timeliness === 'delayed' ? feedDelaySeconds : null
  const stale = isStale(deps.hours, observation, now)
  return { ...observation, unknown: false, ageSeconds, stale, delaySeconds }
}

/** Polls come every minute, a delayed feed is 15 minutes behind, and quiet stocks trade rarely. */
const LIVE_SECONDS_MAX: Readonly<Record<'realTime' | 'delayed', number>> = { realTime: 900, delayed: 2_700 }

/**
 * While the market is open a live price may be some minutes old; while it is closed, the last session's end is
 * as new as can be. End-of-day prices come hours after the close, so the session before the last is still good.
 */
export function isStale(
  hours: MarketHours,
  price: Pick<PriceObservation, 'asOf' | 'timeliness'>,
  now: Date,
  mic = 'XNYS',
): boolean {
  const { open, opensAt } = hours.session(mic, now)
  if (price.timeliness === 'endOfDay') {
    const last = hours.lastClosed(mic, now)
    const beforeThat = hours.lastClosed(mic, new Date(last.closesAt.getTime() - 1))
    // A day's bar may be stamped at any moment of its day.
    return price.asOf.getTime() < beforeThat.closesAt.getTime() - 16 * 3_600_000
  }
  const limitMs = LIVE_SECONDS_MAX[price.timeliness] * 1000
  const reference = open
    ? // Right after the opening the newest price is yesterday's until the first poll.
      Math.max(now.getTime() - limitMs, 0)
    : hours.lastClosed(mic, now).closesAt.getTime() - limitMs
  const justOpened = open && now.getTime() - opensAt.getTime() < limitMs
  return justOpened
    ? price.asOf.getTime() < hours.lastClosed(mic, now).closesAt.getTime() - limitMs
    : price.asOf.getTime() < reference
}
