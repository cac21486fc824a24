import { setTimeout as sleep } from 'node:timers/promises'
import { ingestPrices } from './ingest-prices.ts'
import type { PriceDraft } from './judge-price.ts'
import { dayAfter, newYorkDate } from './providers/new-york.ts'
import { ProviderError } from './providers/rate-provider.ts'
import type { StockBar } from './providers/stock-provider.ts'
import { takeTurns } from './providers/take-turns.ts'
import type { FeedRecord, FeedResult } from './stock-feeds.ts'
import type { StockSource } from './stock-source.ts'
import type { StocksDeps } from './stocks-deps.ts'
import type { CandleDraft } from './judge-candle.ts'
import { storeCandles, type CandlesTaken } from './store-candles.ts'
import { readTickerIds, type TickerIds } from './ticker-ids.ts'

/** Any market of the country will do: they keep the same days. */
const MIC = 'XNYS'
const DAYS_PER_RUN = 5
/** A day's bars may be late; after this they are asked for again. */
const LATE_MINUTES = 30
const AFTER_CLOSE_MINUTES = 15

/**
 * Takes in the days that are over since the last one taken, one request each for the whole market. Where the feed
 * is end-of-day, their closes are the prices that orders are filled at, day by day in order.
 */
export async function ingestNewDays(
  deps: StocksDeps,
  source: StockSource,
  record: FeedRecord,
  signal: AbortSignal,
): Promise<FeedResult> {
  const now = deps.clock()
  const newest = deps.hours.lastClosed(MIC, now).date
  let date = record.reachedOn === null ? newest : dayAfter(record.reachedOn, 1)
  let reachedOn = record.reachedOn
  const total = { stored: 0, refused: 0, lastRefusal: null as string | null }
  const later = (minutes: number) => new Date(deps.clock().getTime() + minutes * 60_000)
  for (let taken = 0; date <= newest && taken < DAYS_PER_RUN && !signal.aborted; date = dayAfter(date, 1)) {
    if (deps.hours.sessionOn(MIC, date) !== null) {
      const day = await ingestDay(deps, source, date, { isNewest: date === newest, signal })
      // Not there yet. A day that is still missing when the next one is over will not come any more.
      if (day === null && date === newest) return { ...total, reachedOn, nextAt: later(LATE_MINUTES) }
      total.stored += day?.stored ?? 0
      total.refused += day?.refused ?? 0
      total.lastRefusal = day?.lastRefusal ?? total.lastRefusal
      taken += 1
    }
    reachedOn = date
  }
  const closesAt = deps.hours.session(MIC, now).closesAt
  const nextAt = date > newest ? new Date(closesAt.getTime() + AFTER_CLOSE_MINUTES * 60_000) : later(0)
  return { ...total, reachedOn, nextAt }
}

/** @returns null when the provider has nothing of that day (yet) */
export async function ingestDay(
  deps: StocksDeps,
  source: StockSource,
  date: string,
  options: {
    readonly isNewest: boolean
    readonly waitSecondsMax?: number
    /** Where many days are taken in, read once. */
    readonly ids?: TickerIds
    readonly signal: AbortSignal
  },
): Promise<CandlesTaken | null> {
  const { signal, waitSecondsMax } = options
  const call = waitSecondsMax === undefined ? { signal } : { signal, waitSecondsMax }
  const { bars, refused } = await deps.provider.groupedDay(date, call).catch((error: unknown) => {
    // "Before the end of the day" is said in the same way as "not in your plan".
    const early = options.isNewest && error instanceof ProviderError && error.code === 'not_authorized'
    if (early) return { bars: [], refused: [] }
    throw error
  })
  if (bars.length === 0) return null
  const drafts = await draftsOf(options.ids ?? (await readTickerIds(deps.db)), bars, date)
  const taken = await storeCandles(deps.db, source.id, 'day', drafts)
  if (source.entitlement?.timeliness === 'endOfDay') await ingestCloses(deps, source, drafts, date)
  return {
    stored: taken.stored,
    refused: taken.refused + refused.length,
    lastRefusal:
      taken.lastRefusal ??
      (refused[0] ? `${date}: ${refused[0].ticker ?? 'a row'}, ${refused[0].why}.` : null),
  }
}

/** Bars of instruments that we know; the rest (warrants, units, preferred shares) is not offered. */
async function draftsOf(ids: TickerIds, bars: readonly StockBar[], date: string): Promise<CandleDraft[]> {
  const drafts: CandleDraft[] = []
  await takeTurns(bars, (bar) => {
    const instrumentId = bar.date === date ? ids.idOf(bar.ticker, date) : null
    if (instrumentId !== null) drafts.push({ ...bar, instrumentId })
  })
  return drafts
}

async function ingestCloses(
  deps: StocksDeps,
  source: StockSource,
  drafts: readonly CandleDraft[],
  date: string,
): Promise<void> {
  const asOf = deps.hours.sessionOn(MIC, date)?.closesAt
  if (asOf === undefined) return
  const prices = drafts.map(({ instrumentId, close }): PriceDraft => ({
    instrumentId,
    last: close,
    bid: null,
    ask: null,
    asOf,
    timeliness: 'endOfDay',
  }))
  const taken = await ingestPrices(deps, source.id, prices)
  if (taken.lastRefusal !== null) deps.log.warn({ date, ...taken }, 'closing prices not all taken')
}

/** Two years: as far as a free key may look. */
const PAST_DAYS = 730
/** A run's time for going back; prices and new days take turns with it. */
const PAST_RUN_MS = 25_000
const DONE_DAYS = 30
/** Only if there is a request left now. */
const WAIT_SECONDS_MAX = 0
/** The past is in no hurry: between two days it rests three times as long as a day took. */
const RESTS = 3
const REST_MS_MAX = 3_000

/** Goes back day by day from where it got to, as the requests that are left allow. */
export async function ingestPastDays(
  deps: StocksDeps,
  source: StockSource,
  record: FeedRecord,
  signal: AbortSignal,
): Promise<FeedResult> {
  const startedMs = performance.now()
  const now = deps.clock()
  const today = newYorkDate(now.getTime())
  const oldest = dayAfter(today, -PAST_DAYS)
  let reachedOn = record.reachedOn ?? deps.hours.lastClosed(MIC, now).date
  let stored = 0
  let refused = 0
  const soon = { nextAt: new Date(now.getTime() + 30_000) }
  const ids = await readTickerIds(deps.db)
  while (reachedOn > oldest) {
    if (signal.aborted || performance.now() - startedMs > PAST_RUN_MS) {
      return { ...soon, stored, refused, reachedOn }
    }
    const date = dayAfter(reachedOn, -1)
    if (deps.hours.sessionOn(MIC, date) !== null) {
      const dayStartedMs = performance.now()
      const day = await pastDay(deps, source, date, { ids, signal })
      if (day === 'no turn') return { ...soon, stored, refused, reachedOn }
      if (day === 'not in the plan') break
      stored += day?.stored ?? 0
      refused += day?.refused ?? 0
      const restMs = Math.min(REST_MS_MAX, RESTS * (performance.now() - dayStartedMs))
      await sleep(restMs, undefined, { signal }).catch(() => {})
    }
    reachedOn = date
  }
  return { nextAt: new Date(now.getTime() + DONE_DAYS * 86_400_000), stored, refused, reachedOn }
}

async function pastDay(
  deps: StocksDeps,
  source: StockSource,
  date: string,
  options: { readonly ids: TickerIds; readonly signal: AbortSignal },
): Promise<CandlesTaken | null | 'no turn' | 'not in the plan'> {
  // The past gives no prices to fill orders at.
  const quiet = source.entitlement === null ? source : { ...source, entitlement: null }
  try {
    return await ingestDay(deps, quiet, date, {
      isNewest: false,
      waitSecondsMax: WAIT_SECONDS_MAX,
      ...options,
    })
  } catch (error) {
    if (error instanceof ProviderError && error.code === 'budget') return 'no turn'
    if (error instanceof ProviderError && error.code === 'not_authorized') return 'not in the plan'
    throw error
  }
}
