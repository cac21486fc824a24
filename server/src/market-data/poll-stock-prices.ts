import { ingestPrices } from './ingest-prices.ts'
import { priceOfSnapshot } from './judge-price.ts'
import { newYorkDate, newYorkMidnight } from './providers/new-york.ts'
import { SNAPSHOT_TICKERS_MAX, type StockSnapshot, type Timeliness } from './providers/stock-provider.ts'
import type { FeedRecord, FeedResult } from './stock-feeds.ts'
import type { StockSource } from './stock-source.ts'
import type { StocksDeps } from './stocks-deps.ts'
import type { CandleDraft } from './judge-candle.ts'
import { storeCandles } from './store-candles.ts'
import { isStreamLive } from './stream-lease.ts'

const MIC = 'XNYS'
/** How often a price is worth asking for. A delayed feed's prices are a quarter of an hour old anyhow. */
const EVERY_SECONDS: Readonly<Record<'realTime' | 'delayed', number>> = { realTime: 15, delayed: 60 }
/** While prices stream in, a poll brings those that nobody streams, and makes up for what a stream would miss. */
const BESIDE_STREAM_SECONDS = 60
/** The last trades of a session come after its end. */
const AFTER_CLOSE_SECONDS = 1_200
const NO_LIVE_HOURS = 1

/** The newest prices of all active instruments, 250 to a request, where the plan has them. */
export async function pollLivePrices(
  deps: StocksDeps,
  source: StockSource,
  record: FeedRecord,
  signal: AbortSignal,
): Promise<FeedResult> {
  const now = deps.clock()
  const { entitlement } = source
  const after = (seconds: number) => new Date(now.getTime() + seconds * 1000)
  if (entitlement === null || !entitlement.snapshots || entitlement.timeliness === 'endOfDay') {
    return { nextAt: after(NO_LIVE_HOURS * 3600), stored: 0, refused: 0 }
  }
  const wait = secondsUntilOpen(deps, now)
  if (wait > 0) return { nextAt: after(wait), stored: 0, refused: 0 }
  const snapshots = await readSnapshots(deps, signal)
  const { timeliness } = entitlement
  const taken = await ingestPrices(deps, source.id, pricesOf(snapshots, timeliness))
  await storeCandles(deps.db, source.id, 'minute', minutesOf(snapshots))
  // The running day, so far. Once a minute is enough for a chart, and a quarter of the writing.
  const newMinute =
    Math.floor((record.lastSuccessAt?.getTime() ?? 0) / 60_000) < Math.floor(now.getTime() / 60_000)
  if (newMinute) await storeCandles(deps.db, source.id, 'day', daysOf(snapshots))
  const streams = await isStreamLive(deps.db, source.id)
  return {
    nextAt: after(streams ? BESIDE_STREAM_SECONDS : EVERY_SECONDS[timeliness]),
    stored: taken.stored,
    refused: taken.refused + taken.doubted,
    lastRefusal: taken.lastRefusal,
  }
}

function secondsUntilOpen({ hours }: StocksDeps, now: Date): number {
  const session = hours.session(MIC, now)
  const sinceClose = (now.getTime() - hours.lastClosed(MIC, now).closesAt.getTime()) / 1000
  if (session.open || sinceClose < AFTER_CLOSE_SECONDS) return 0
  // Hours may be corrected meanwhile, so a look every hour.
  return Math.min(3_600, Math.ceil((session.opensAt.getTime() - now.getTime()) / 1000))
}

interface NamedSnapshot {
  readonly instrumentId: number
  readonly snapshot: StockSnapshot
}

async function readSnapshots({ db, provider }: StocksDeps, signal: AbortSignal): Promise<NamedSnapshot[]> {
  const { rows } = await db.query<{ id: number; ticker: string }>(
    `select id, ticker from market_data.instruments where status = 'active' order by id`,
  )
  const ids = new Map(rows.map(({ id, ticker }) => [ticker, id]))
  const tickers = rows.map(({ ticker }) => ticker)
  const found: NamedSnapshot[] = []
  for (let first = 0; first < tickers.length; first += SNAPSHOT_TICKERS_MAX) {
    const { snapshots } = await provider.snapshot(tickers.slice(first, first + SNAPSHOT_TICKERS_MAX), {
      signal,
    })
    for (const snapshot of snapshots) {
      const instrumentId = ids.get(snapshot.ticker)
      if (instrumentId !== undefined) found.push({ instrumentId, snapshot })
    }
  }
  return found
}

function pricesOf(snapshots: readonly NamedSnapshot[], timeliness: Timeliness) {
  return snapshots.flatMap(({ instrumentId, snapshot }) => {
    const price = priceOfSnapshot(snapshot, instrumentId, timeliness)
    return price === null ? [] : [price]
  })
}

/** The running minute comes with each snapshot, so charts of today need no request of their own. */
function minutesOf(snapshots: readonly NamedSnapshot[]): CandleDraft[] {
  return snapshots.flatMap(({ instrumentId, snapshot: { minute } }) =>
    minute === null ? [] : [{ ...minute, instrumentId }],
  )
}

function daysOf(snapshots: readonly NamedSnapshot[]): CandleDraft[] {
  return snapshots.flatMap(({ instrumentId, snapshot: { day, asOf } }) => {
    if (day === null || asOf === null) return []
    const startAt = new Date(newYorkMidnight(newYorkDate(asOf.getTime())))
    return [{ ...day, instrumentId, startAt }]
  })
}
