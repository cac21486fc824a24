import { setTimeout as sleep } from 'node:timers/promises'
import { newYorkDate } from './new-york.ts'
import { minutesUntil, priceText, stockBar } from './simulated-bars.ts'
import { simulatedListings, type SimulatedListing } from './simulated-listings.ts'
import type { SimulatedPrices } from './simulated-prices.ts'
import type {
  StockQuote,
  StockStream,
  StreamEnd,
  StreamEvent,
  StreamOptions,
  StreamStatus,
  StreamTopic,
} from './stock-provider.ts'
import { streamQueue } from './stream-queue.ts'

export interface SimulatedStreamAccess {
  readonly prices: SimulatedPrices
  readonly clock: () => Date
  readonly everyMs: number
  readonly quoteOf: (ticker: string, last: number, atMs: number) => StockQuote
}

const MINUTE_MS = 60_000
/** After a longer sleep of the machine the minutes are a gap, as with a connection that was cut. */
const MINUTES_BEHIND_MAX = 10
const EVENTS_QUEUED_MAX = 50_000

/** Live prices of the simulated market: looks at the clock and says what has happened since it last did. */
export function simulatedStream(access: SimulatedStreamAccess, options: StreamOptions): StockStream {
  const queue = streamQueue(options, EVENTS_QUEUED_MAX)
  let topics = [...options.topics]
  let lastAt = access.clock().getTime()
  let status: StreamStatus = {
    state: 'live',
    sentence: 'Live, simulated.',
    reconnects: 0,
    dropped: 0,
    refusedFrames: 0,
    lastEventAt: null,
  }
  const tick = () => {
    const now = access.clock().getTime()
    if (now <= lastAt) return
    if (now - lastAt > MINUTES_BEHIND_MAX * MINUTE_MS) {
      queue.gap({ from: new Date(lastAt), to: new Date(now), why: 'reconnected' })
      lastAt = now - MINUTE_MS
    }
    const since = lastAt
    const events = topics.flatMap((topic) => eventsOf(access, topic, since, now))
    lastAt = now
    if (events.length === 0) return
    status = { ...status, lastEventAt: new Date(now) }
    queue.push(events)
  }
  const run = async (): Promise<StreamEnd> => {
    options.onStatus?.(status)
    const failed = queue.failed.then(() => true)
    while (!options.signal.aborted) {
      const pause = sleep(access.everyMs, false, { signal: options.signal, ref: false }).catch(() => false)
      if (await Promise.race([pause, failed])) {
        return { code: 'consumer_failed', sentence: 'What takes the prices in has failed.' }
      }
      if (!options.signal.aborted) tick()
    }
    return { code: 'stopped', sentence: 'Stopped on our side.' }
  }
  const ended = run().then((end) => {
    queue.stop()
    status = { ...status, state: 'ended', sentence: end.sentence }
    options.onStatus?.(status)
    return end
  })
  return {
    setTopics: (to) => {
      topics = [...to]
    },
    status: () => ({ ...status, dropped: queue.dropped }),
    ended,
  }
}

function eventsOf(
  access: SimulatedStreamAccess,
  topic: StreamTopic,
  since: number,
  now: number,
): StreamEvent[] {
  const listings = simulatedListings.filter(({ ticker }) => topic.ticker === '*' || topic.ticker === ticker)
  return listings.flatMap((listing) => eventsOfListing(access, topic.channel, listing, since, now))
}

function eventsOfListing(
  access: SimulatedStreamAccess,
  channel: StreamTopic['channel'],
  listing: SimulatedListing,
  since: number,
  now: number,
): StreamEvent[] {
  const { ticker } = listing
  if (channel === 'minuteBars') return minutesBetween(access.prices, listing, since, now)
  const last = access.prices.last(listing, now)
  // Nothing is traded while the market is closed.
  if (last === null || last.atMs !== now) return []
  const moment = { asOf: new Date(now), asOfNs: BigInt(now) * 1_000_000n }
  if (channel === 'quotes') return [{ kind: 'quote', quote: access.quoteOf(ticker, last.price, now) }]
  if (channel === 'trades') {
    return [{ kind: 'trade', trade: { ticker, price: priceText(last.price), size: '100', ...moment } }]
  }
  const flat = { open: last.price, high: last.price, low: last.price, close: last.price, volume: 100 }
  const bar = stockBar(ticker, { startAt: now - (now % 1000), ...flat }, false)
  return [{ kind: 'bar', span: 'second', bar, endAt: new Date(bar.startAt.getTime() + 1000) }]
}

/** The minutes that ended after `since` and by `now`. */
function minutesBetween(
  prices: SimulatedPrices,
  listing: SimulatedListing,
  since: number,
  now: number,
): StreamEvent[] {
  if (Math.floor(since / MINUTE_MS) === Math.floor(now / MINUTE_MS)) return []
  const dates = new Set([newYorkDate(since - MINUTE_MS), newYorkDate(now)])
  return [...dates]
    .flatMap((date) => minutesUntil(prices, listing, date, new Date(now)))
    .filter(({ startAt }) => startAt + MINUTE_MS > since)
    .map((minute) => ({
      kind: 'bar',
      span: 'minute',
      bar: stockBar(listing.ticker, minute, false),
      endAt: new Date(minute.startAt + MINUTE_MS),
    }))
}
