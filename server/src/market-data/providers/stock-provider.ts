/**
 * The one interface of stock data: Polygon and the simulated market both speak it, in our words. An adapter
 * only fetches and reads; it neither stores nor decides when to ask. Everything throws `ProviderError`
 * (rate-provider.ts) and nothing that names a key. Two codes matter to callers: kind `plan` with code
 * `not_authorized` (this key will never get it: recorded as entitlement, not retried) and kind `rate_limited`
 * with code `budget` (no request was sent: the requests a minute that all processes share are spent).
 *
 * All numbers are exact plain decimal text as the provider wrote them (`0.4489`, `895345`, `12.5`), never
 * floats and never with an exponent; prices are positive, volumes are at least zero and may be fractional.
 */

export type StockSpan = 'minute' | 'hour' | 'day' | 'week'

export type Timeliness = 'realTime' | 'delayed' | 'endOfDay'

/** Of one request: the caller's wish to stop, and how long it may wait for its turn in the shared budget. */
export interface StockCall {
  readonly signal: AbortSignal
  /** 0: only if there is a request left now. The adapter's own bound (default 90 s) where absent. */
  readonly waitSecondsMax?: number
}

/** `delayed`: the provider flagged the data as delayed (`DELAYED`). It is good data all the same. */
export interface Answered {
  readonly delayed: boolean
}

/** A row that was left out, so that one broken row of 12,000 does not cost the day. Counted and shown. */
export interface RefusedRow {
  readonly ticker: string | null
  /** Short and stable: `shape`, `price`, `volume`, `time`, `high_low`. */
  readonly why: string
}

export interface StockTicker {
  readonly ticker: string
  readonly name: string
  /** ISO 10383 market identifier of the primary exchange (`XNAS`). */
  readonly mic: string | null
  /** Composite FIGI. */
  readonly figi: string | null
  readonly type: 'stock' | 'etf' | 'adr' | 'other'
  /** ISO 4217. */
  readonly currency: string
  readonly active: boolean
  /** YYYY-MM-DD */
  readonly delistedOn: string | null
}

/** Open, high, low, close and volume over a time, unadjusted for splits. */
export interface StockPrices {
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly volume: string
  /** Volume-weighted average price. */
  readonly vwap: string | null
}

export interface StockBar extends StockPrices {
  readonly ticker: string
  /** The beginning of the bar. A day's and a week's is midnight in New York, whatever the provider stamps. */
  readonly startAt: Date
  /** The calendar day in New York of `startAt`: the trading day, YYYY-MM-DD. */
  readonly date: string
  readonly trades: number | null
}

export interface StockBars extends Answered {
  /** Ranges: oldest first. */
  readonly bars: readonly StockBar[]
  readonly refused: readonly RefusedRow[]
}

/** `asOfNs` is the provider's own moment in ns since 1970, past JavaScript's safe integers; `asOf` in whole ms. */
export interface StockTrade {
  readonly ticker: string
  readonly price: string
  readonly size: string
  readonly asOf: Date
  readonly asOfNs: bigint
}

export interface StockQuote {
  readonly ticker: string
  readonly bid: string
  readonly ask: string
  readonly bidSize: string
  readonly askSize: string
  readonly asOf: Date
  readonly asOfNs: bigint
}

/** What is now. Parts that the provider does not send, or sends as zeros before the first trade, are null. */
export interface StockSnapshot {
  readonly ticker: string
  readonly trade: StockTrade | null
  readonly quote: StockQuote | null
  readonly minute: StockBar | null
  readonly day: StockPrices | null
  readonly previousDay: StockPrices | null
  /** When any of it last changed. */
  readonly asOf: Date | null
}

export interface StockSnapshots extends Answered {
  readonly snapshots: readonly StockSnapshot[]
  readonly refused: readonly RefusedRow[]
}

export interface MarketStatus {
  readonly market: 'open' | 'closed' | 'extendedHours'
  /** By the provider's own name of the exchange: `nyse`, `nasdaq`, `otc`. */
  readonly exchanges: ReadonlyMap<string, 'open' | 'closed' | 'extendedHours'>
  readonly asOf: Date
}

/** One exchange on one day that is not an ordinary one. */
export interface MarketHoliday {
  /** `XNYS`, `XNAS`; the provider's own name where we know no MIC for it. */
  readonly mic: string
  readonly name: string
  /** YYYY-MM-DD */
  readonly date: string
  readonly status: 'closed' | 'earlyClose'
  /** Of an early close; null when closed. */
  readonly opensAt: Date | null
  readonly closesAt: Date | null
}

/** `from` old shares become `to` new ones; exact decimal text, both positive. */
export interface StockSplit {
  readonly ticker: string
  /** YYYY-MM-DD: the first day at the new price. */
  readonly exDate: string
  readonly from: string
  readonly to: string
}

export interface StockDividend {
  readonly ticker: string
  /** YYYY-MM-DD each. Holders at the close before `exDate` are paid on `payDate`. */
  readonly exDate: string
  readonly payDate: string | null
  readonly recordDate: string | null
  readonly declaredOn: string | null
  /** Per share, in `currency`. */
  readonly amount: string
  readonly currency: string
  /** Polygon's: CD regular, SC special, LT and ST capital gains. */
  readonly type: string
  /** Payments a year; 0 for one that stands alone. */
  readonly frequency: number | null
}

/** `next`: opaque, for the same method's `cursor`; null at the end. `readPages` bounds and checks the walk. */
export interface StockPage<Item> {
  readonly items: readonly Item[]
  readonly refused: readonly RefusedRow[]
  readonly next: string | null
}

/** What a key may see, found by asking. */
export interface Entitlement {
  readonly timeliness: Timeliness
  readonly snapshots: boolean
  /** Intraday bars of the running day. */
  readonly intraday: boolean
  /** Null: unknown until a stream was tried, since only connecting tells. */
  readonly stream: boolean | null
  /** What was refused, in the provider's words, for the operations page. */
  readonly refused: readonly { readonly what: string; readonly sentence: string }[]
  /** Null: not metered by the minute. */
  readonly requestsPerMinute: number | null
  readonly probedAt: Date
}

export type StreamChannel = 'minuteBars' | 'secondBars' | 'trades' | 'quotes'

export interface StreamTopic {
  readonly channel: StreamChannel
  /** `*`: all of them. */
  readonly ticker: string
}

export type StreamEvent =
  | { readonly kind: 'bar'; readonly span: 'minute' | 'second'; readonly bar: StockBar; readonly endAt: Date }
  | { readonly kind: 'trade'; readonly trade: StockTrade }
  | { readonly kind: 'quote'; readonly quote: StockQuote }

/** A time in which events may have been missed: to be filled over REST. */
export interface StreamGap {
  readonly from: Date
  readonly to: Date
  readonly why: 'reconnected' | 'slow_consumer' | 'bad_frame'
}

export interface StreamStatus {
  readonly state: 'connecting' | 'live' | 'waiting' | 'ended'
  readonly sentence: string
  readonly reconnects: number
  readonly dropped: number
  readonly refusedFrames: number
  readonly lastEventAt: Date | null
}

export interface StreamOptions {
  readonly topics: readonly StreamTopic[]
  /** What the plan gives: delayed prices have an address of their own. */
  readonly timeliness: 'realTime' | 'delayed'
  /**
   * Called with batches in order, never while an earlier call is unsettled. A consumer that does not keep up
   * loses the oldest events, and is told so by `onGap`. One that throws ends the stream.
   */
  readonly onEvents: (events: readonly StreamEvent[]) => Promise<void> | void
  readonly onGap: (gap: StreamGap) => Promise<void> | void
  readonly onStatus?: (status: StreamStatus) => void
  readonly signal: AbortSignal
}

/**
 * Why a stream ended for good: `stopped` by its caller, `auth_failed` (wrong key), `not_authorized` (the plan
 * has no stream or not these topics), `consumer_failed`. Everything else is reconnected.
 */
export interface StreamEnd {
  readonly code: 'stopped' | 'auth_failed' | 'not_authorized' | 'consumer_failed'
  readonly sentence: string
}

export interface StockStream {
  /** Replaces what is listened to; kept over reconnects. */
  setTopics(topics: readonly StreamTopic[]): void
  status(): StreamStatus
  /** Never rejects. */
  readonly ended: Promise<StreamEnd>
}

export interface StockProvider {
  readonly name: string
  /** True where the prices are made up. */
  readonly simulated: boolean
  /** Changes when the address or the key does. Holds no secret. */
  readonly configuredAs: string
  /** All tickers that match, or a page of the whole list; `active: false` asks for delisted ones. */
  tickers(
    query: { readonly search?: string; readonly active: boolean; readonly cursor?: string },
    call: StockCall,
  ): Promise<StockPage<StockTicker>>
  /** `from` and `to`: days in New York (YYYY-MM-DD), both included. Unadjusted. 50,000 bars at most. */
  range(
    query: { readonly ticker: string; readonly span: StockSpan; readonly from: string; readonly to: string },
    call: StockCall,
  ): Promise<StockBars>
  /** The whole market on one day (YYYY-MM-DD), about 12,000 rows. None on a holiday. Unadjusted. */
  groupedDay(date: string, call: StockCall): Promise<StockBars>
  previousClose(ticker: string, call: StockCall): Promise<StockBar | null>
  /** At most `SNAPSHOT_TICKERS_MAX` at a time. */
  snapshot(tickers: readonly string[], call: StockCall): Promise<StockSnapshots>
  marketStatus(call: StockCall): Promise<MarketStatus>
  upcoming(call: StockCall): Promise<readonly MarketHoliday[]>
  /** With an ex-date of `since` (YYYY-MM-DD) or later, also those of the future, oldest first. */
  splits(
    query: { readonly since: string; readonly cursor?: string },
    call: StockCall,
  ): Promise<StockPage<StockSplit>>
  dividends(
    query: { readonly since: string; readonly cursor?: string },
    call: StockCall,
  ): Promise<StockPage<StockDividend>>
  stream(options: StreamOptions): StockStream
  entitlement(call: StockCall): Promise<Entitlement>
}

export const SNAPSHOT_TICKERS_MAX = 250
