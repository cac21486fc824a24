import { setTimeout as sleep } from 'node:timers/promises'
import { reopenWishes } from './candle-wishes.ts'
import { ingestPrices } from './ingest-prices.ts'
import { newYorkDate } from './providers/new-york.ts'
import type { StockStream, StreamEnd, StreamGap, StreamTopic } from './providers/stock-provider.ts'
import { hurryPrices } from './stock-feeds.ts'
import { ensureSource, mayStream, recordStreamAllowed, type StockSource } from './stock-source.ts'
import type { StocksDeps } from './stocks-deps.ts'
import { storeCandles } from './store-candles.ts'
import { streamIntake, type StreamIntake } from './stream-intake.ts'
import { readInterest, type InstrumentsOfInterest, type StreamInterest } from './stream-interest.ts'
import { renewLease, type StreamReport } from './stream-lease.ts'

/** Minutes that wait to be written; past it the stream waits too, and says what it had to drop. */
const MINUTES_WAITING_MAX = 5_000
const MS_PER_PRICE = 10

export interface PriceStreamDeps extends StocksDeps {
  readonly interest: InstrumentsOfInterest
}

export interface FollowTimings {
  readonly renewEveryMs: number
  readonly interestEveryMs: number
  /** Prices are written no more often than this, and no more than a hundred a second. */
  readonly writeEveryMs: number
  /** Connected for so long without a price: polls no longer rely on it. */
  readonly quietAfterMs: number
  readonly instrumentsMax: number
}

export interface Watch {
  readonly source: StockSource
  readonly lease: { readonly sourceId: number; readonly holder: string; readonly leaseMs: number }
  /** Until when whoever listened before had heard something. */
  readonly lastEventAt: Date | null
  readonly signal: AbortSignal
}

/** Listens as the one process that does, until it is stopped, refused for good, or no longer the one. */
export async function followStream(
  deps: PriceStreamDeps,
  timings: FollowTimings,
  watch: Watch,
): Promise<StreamEnd> {
  const follower = new StreamFollower(deps, timings, watch)
  return follower.run()
}

class StreamFollower {
  readonly #deps: PriceStreamDeps
  readonly #timings: FollowTimings
  readonly #watch: Watch
  readonly #timeliness: 'realTime' | 'delayed'
  readonly #intake: StreamIntake
  /** This connection is to end, whatever the reason. */
  readonly #over = new AbortController()
  readonly #failed = Promise.withResolvers<never>()
  #interest: StreamInterest = { ids: new Map(), leftOut: 0 }
  #heldUntilMs: number
  #writing: Promise<void> | null = null
  #pricesSinceReport = 0
  #liveSinceMs: number | null = null
  #reported: StreamReport['state'] = 'connecting'
  #hasBeenLive = false

  constructor(deps: PriceStreamDeps, timings: FollowTimings, watch: Watch) {
    this.#deps = deps
    this.#timings = timings
    this.#watch = watch
    this.#heldUntilMs = performance.now() + watch.lease.leaseMs
    this.#timeliness = watch.source.entitlement?.timeliness === 'delayed' ? 'delayed' : 'realTime'
    this.#intake = streamIntake(deps.hours, this.#timeliness)
  }

  async run(): Promise<StreamEnd> {
    const { provider } = this.#deps
    // Whoever listened before may have gone without a word: until this one is live, prices are asked for.
    await hurryPrices(this.#deps, this.#watch.source.id)
    await this.#readInterest()
    const stream = provider.stream({
      topics: topicsOf(this.#interest),
      timeliness: this.#timeliness,
      onEvents: async (events) => {
        this.#intake.take(events, this.#interest.ids)
        if (this.#intake.waiting() > MINUTES_WAITING_MAX) await this.#guarded(this.#write())
      },
      onGap: (gap) => this.#guarded(this.#fill(gap)),
      signal: AbortSignal.any([this.#watch.signal, this.#over.signal]),
    })
    const loops = [
      this.#every(this.#timings.renewEveryMs, () => this.#report(stream)),
      this.#every(this.#timings.interestEveryMs, () => this.#retune(stream)),
      this.#every(this.#timings.writeEveryMs, () => this.#write(), this.#pauseBetweenWrites),
    ]
    try {
      return await Promise.race([this.#failed.promise, stream.ended])
    } finally {
      this.#over.abort()
      await Promise.allSettled([stream.ended, ...loops])
      // What came in until now was heard, and the next one begins where this one ends.
      await this.#write()
      await this.#tell(stream, 'waiting')
    }
  }

  /** Does it again and again until this connection is over. */
  async #every(ms: number, work: () => Promise<void>, pauseMs = () => ms): Promise<void> {
    const { signal } = this.#over
    while (!signal.aborted) {
      await sleep(pauseMs(), undefined, { signal, ref: false }).catch(() => {})
      if (!signal.aborted) await this.#guarded(work())
    }
  }

  /** A failure of ours ends the connection, and is passed on to whoever begins it again. */
  async #guarded(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#failed.reject(error)
      this.#over.abort()
    }
  }

  readonly #pauseBetweenWrites = (): number =>
    Math.max(this.#timings.writeEveryMs, this.#interest.ids.size * MS_PER_PRICE)

  async #readInterest(): Promise<void> {
    const { db, clock, interest } = this.#deps
    this.#interest = await readInterest(db, interest, {
      max: this.#timings.instrumentsMax,
      now: clock(),
    })
  }

  async #retune(stream: StockStream): Promise<void> {
    const source = await ensureSource(this.#deps)
    // Another key, another plan: what is heard may be another feed, so it begins anew.
    if (!mayStream(source) || source.entitlement?.timeliness !== this.#timeliness) return this.#over.abort()
    const before = this.#interest
    await this.#readInterest()
    const same = before.ids.size === this.#interest.ids.size
    if (same && [...this.#interest.ids.keys()].every((ticker) => before.ids.has(ticker))) return
    stream.setTopics(topicsOf(this.#interest))
  }

  /** One write at a time: a price must not overtake an older one. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeNow().finally(() => (this.#writing = null))
    return this.#writing
  }

  async #writeNow(): Promise<void> {
    const { prices, minutes } = this.#intake.empty()
    // Paused past its lease, as a stopped process is: another one listens by now.
    if (performance.now() > this.#heldUntilMs) return this.#over.abort()
    const { db, log } = this.#deps
    const { id } = this.#watch.source
    if (minutes.length > 0) await storeCandles(db, id, 'minute', minutes)
    if (prices.length === 0) return
    const taken = await ingestPrices(this.#deps, id, prices)
    this.#pricesSinceReport += taken.stored
    if (taken.lastRefusal !== null)
      log.warn({ sentence: taken.lastRefusal }, 'a streamed price was not taken')
  }

  async #report(stream: StockStream): Promise<void> {
    const state = this.#stateOf(stream)
    const isLost = state !== 'live' && this.#reported === 'live'
    if (state === 'live' && !this.#hasBeenLive) await this.#beginLive()
    await this.#tell(stream, state)
    if (isLost) await hurryPrices(this.#deps, this.#watch.source.id)
  }

  /** Let in: that is known of the plan now, and what nobody heard before this process came is filled in. */
  async #beginLive(): Promise<void> {
    this.#hasBeenLive = true
    const { source, lastEventAt: from } = this.#watch
    if (source.entitlement?.stream !== true)
      await recordStreamAllowed(this.#deps, source.id, { allowed: true })
    if (from !== null) await this.#fill({ from, to: this.#deps.clock(), why: 'reconnected' })
  }

  async #tell(stream: StockStream, state: StreamReport['state']): Promise<void> {
    const { reconnects, dropped, refusedFrames, lastEventAt, sentence } = stream.status()
    const sentMs = performance.now()
    const prices = this.#pricesSinceReport
    const held = await renewLease(this.#deps.db, this.#watch.lease, {
      state,
      sentence: state === 'quiet' ? 'Connected, but no prices come.' : sentence,
      instruments: this.#interest.ids.size,
      leftOut: this.#interest.leftOut,
      reconnects,
      dropped,
      refused: refusedFrames,
      prices,
      lastEventAt,
    })
    this.#reported = state
    this.#pricesSinceReport -= prices
    // Counted from before the question was sent: the database may have answered late, never early.
    if (held) this.#heldUntilMs = sentMs + this.#watch.lease.leaseMs
    else this.#over.abort()
  }

  #stateOf(stream: StockStream): StreamReport['state'] {
    const { state, lastEventAt } = stream.status()
    if (state !== 'live') {
      this.#liveSinceMs = null
      return state
    }
    this.#liveSinceMs ??= performance.now()
    const heardMs = lastEventAt === null ? Infinity : this.#deps.clock().getTime() - lastEventAt.getTime()
    const quietMs = Math.min(performance.now() - this.#liveSinceMs, heardMs)
    return quietMs > this.#timings.quietAfterMs ? 'quiet' : 'live'
  }

  /** Minutes are wished for and fetched by jobs, within the shared budget; the price of now is asked for at once. */
  async #fill({ from, to, why }: StreamGap): Promise<void> {
    const { db, clock, log } = this.#deps
    const { source } = this.#watch
    log.info({ from, to, why, instruments: this.#interest.ids.size }, 'live prices had a gap; it is filled')
    await reopenWishes(db, source.id, {
      instrumentIds: [...this.#interest.ids.values()],
      span: 'minute',
      since: newYorkDate(from.getTime()),
      now: clock(),
    })
    await hurryPrices(this.#deps, source.id)
  }
}

/** Seconds are what prices are made of, minutes what charts are. Every trade would be thousands a second. */
function topicsOf({ ids }: StreamInterest): StreamTopic[] {
  return [...ids.keys()].flatMap((ticker): StreamTopic[] => [
    { channel: 'secondBars', ticker },
    { channel: 'minuteBars', ticker },
  ])
}
