import type { Queryable } from '#db'
import type { MarketHours } from './market-hours.ts'
import type { StockProvider, Timeliness } from './providers/stock-provider.ts'
import { newestPrices, newestPriceSeq, pricesSince, type PriceObservation } from './stock-prices.ts'

export interface StockPrice extends PriceObservation {
  readonly unknown: false
  readonly ageSeconds: number
  /** Older than it should be by the hours of the market: to be shown with its age, not to deal at. */
  readonly stale: boolean
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

/** A day of the whole market is 12,000. */
const PRICES_PER_READ = 5_000

/**
 * Each process asks every second for what came after the last seq it has (one look at the end of an index). If
 * that fails, the book keeps what it has and ages by the clock, so an old book cannot pass for a new one.
 */
export function createPriceBook(deps: PriceBookDeps): PriceBook {
  const prices = new Map<number, PriceObservation>()
  const listeners = new Set<(prices: readonly PriceObservation[]) => void>()
  let newest: PriceObservation | null = null
  let seenSeq: bigint | null = null
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> | null = null

  const take = (observations: readonly PriceObservation[]) => {
    for (const observation of observations) {
      const held = prices.get(observation.instrumentId)
      if (held === undefined || held.seq < observation.seq) prices.set(observation.instrumentId, observation)
      if (newest === null || newest.seq < observation.seq) newest = observation
      if (seenSeq === null || seenSeq < observation.seq) seenSeq = observation.seq
    }
  }
  const load = async () => {
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
      return observation === undefined ? { unknown: true } : aged(deps, observation)
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

function aged(deps: PriceBookDeps, observation: PriceObservation): StockPrice {
  const now = deps.clock()
  const ageSeconds = Math.max(0, Math.floor((now.getTime() - observation.asOf.getTime()) / 1000))
  return { ...observation, unknown: false, ageSeconds, stale: isStale(deps.hours, observation, now) }
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
