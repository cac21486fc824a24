import { setTimeout as sleep } from 'node:timers/promises'
import { topicText } from './polygon-frames.ts'
import { openSession, type Session, type SessionEnd, type StreamTimings } from './polygon-session.ts'
import type { StockStream, StreamEnd, StreamGap, StreamOptions, StreamStatus } from './stock-provider.ts'
import { streamQueue } from './stream-queue.ts'

export type { StreamTimings } from './polygon-session.ts'

export interface PolygonStreamAccess {
  /** `wss://socket.polygon.io`, or `wss://delayed.polygon.io`; `/stocks` is added where there is no path. */
  readonly url: string
  readonly apiKey: string
  readonly clock: () => Date
  readonly random: () => number
  readonly timings?: Partial<StreamTimings>
}

const TIMINGS: StreamTimings = {
  handshakeMs: 10_000,
  pingEveryMs: 15_000,
  silentMaxMs: 40_000,
  retryFirstMs: 1_000,
  retryMaxMs: 60_000,
  crowdedMs: 60_000,
  eventsQueuedMax: 50_000,
}

/** A connection that lasted so long was a good one: the next starts without the waits of earlier failures. */
const STEADY_MS = 60_000
/** Bars are sent after their minute ends, and late trades may amend the one before. */
const GAP_MARGIN_MS = 120_000

/** Live prices: connects, listens, and comes back until it is stopped or told that it never will be let in. */
export function polygonStream(access: PolygonStreamAccess, options: StreamOptions): StockStream {
  const stream = new PolygonStream(access, options)
  const ended = stream.run()
  return { ended, setTopics: (topics) => stream.setTopics(topics), status: () => stream.status }
}

class PolygonStream {
  readonly #access: PolygonStreamAccess
  readonly #options: StreamOptions
  readonly #timings: StreamTimings
  readonly #queue: ReturnType<typeof streamQueue>
  readonly #stopped = new AbortController()
  #topics: StreamOptions['topics']
  #session: Session | null = null
  /** Until when nothing can have been missed: what came before a sign of life has arrived. Null before the first. */
  #coveredUntil: Date | null = null
  #liveSince: number | null = null
  #failures = 0
  #status: StreamStatus = {
    state: 'connecting',
    sentence: 'Connecting.',
    reconnects: 0,
    dropped: 0,
    refusedFrames: 0,
    lastEventAt: null,
  }

  constructor(access: PolygonStreamAccess, options: StreamOptions) {
    this.#access = access
    this.#options = options
    this.#timings = { ...TIMINGS, ...access.timings }
    this.#topics = checkedTopics(options.topics)
    this.#queue = streamQueue(options, this.#timings.eventsQueuedMax)
  }

  get status(): StreamStatus {
    return { ...this.#status, dropped: this.#queue.dropped }
  }

  setTopics(topics: StreamOptions['topics']): void {
    this.#topics = checkedTopics(topics)
    this.#session?.retune()
  }

  async run(): Promise<StreamEnd> {
    const consumerFailed = this.#queue.failed.then((): StreamEnd => {
      return { code: 'consumer_failed', sentence: 'What takes the prices in has failed.' }
    })
    const end = await Promise.race([this.#keepConnected(), consumerFailed])
    this.#stopped.abort()
    this.#queue.stop()
    this.#say({ state: 'ended', sentence: end.sentence })
    return end
  }

  async #keepConnected(): Promise<StreamEnd> {
    const signal = AbortSignal.any([this.#options.signal, this.#stopped.signal])
    for (;;) {
      const end = await this.#connect(signal)
      if (end.kind === 'final') return end.end
      const waitMs = this.#waitAfter(end)
      this.#say({
        state: 'waiting',
        sentence: `${end.sentence} Connecting again in ${Math.ceil(waitMs / 1000)} s.`,
        reconnects: this.#status.reconnects + 1,
      })
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  async #connect(signal: AbortSignal): Promise<SessionEnd> {
    this.#liveSince = null
    this.#say({ state: 'connecting', sentence: 'Connecting.' })
    this.#session = openSession({
      url: socketAddress(this.#access.url),
      apiKey: this.#access.apiKey,
      timings: this.#timings,
      topics: () => this.#topics,
      signal,
      onLive: () => this.#goLive(),
      onHeard: () => {
        this.#coveredUntil = this.#access.clock()
      },
      onEvents: (events) => {
        this.#status = { ...this.#status, lastEventAt: this.#access.clock() }
        this.#queue.push(events)
      },
      onRefused: (entries, whole) => {
        this.#status = { ...this.#status, refusedFrames: this.#status.refusedFrames + entries }
        if (whole) this.#queue.gap(this.#gapUntilNow(this.#access.clock(), 'bad_frame'))
      },
    })
    const end = await this.#session.ended
    this.#session = null
    return end
  }

  #goLive(): void {
    const now = this.#access.clock()
    if (this.#coveredUntil !== null) this.#queue.gap(this.#gapUntilNow(this.#coveredUntil, 'reconnected'))
    this.#coveredUntil = now
    this.#liveSince = performance.now()
    this.#say({ state: 'live', sentence: 'Live.' })
  }

  #gapUntilNow(from: Date, why: StreamGap['why']): StreamGap {
    return { from: new Date(from.getTime() - GAP_MARGIN_MS), to: this.#access.clock(), why }
  }

  /** Doubling waits, up to a bound; half of each is drawn, so that processes cut off together do not return together. */
  #waitAfter(end: SessionEnd): number {
    const steady = this.#liveSince !== null && performance.now() - this.#liveSince >= STEADY_MS
    this.#failures = steady ? 0 : this.#failures
    const doubled = this.#timings.retryFirstMs * 2 ** Math.min(this.#failures, 20)
    const bound =
      end.kind === 'crowded' ? this.#timings.crowdedMs : Math.min(doubled, this.#timings.retryMaxMs)
    this.#failures += 1
    return bound * (0.5 + this.#access.random() / 2)
  }

  #say(news: Partial<StreamStatus>): void {
    this.#status = { ...this.#status, ...news }
    this.#options.onStatus?.(this.status)
  }
}

/** @throws RangeError here, at who gives them, and not later in the middle of a connection */
function checkedTopics(topics: StreamOptions['topics']): StreamOptions['topics'] {
  for (const topic of topics) topicText(topic)
  return [...topics]
}

function socketAddress(text: string): string {
  const url = new URL(text)
  if (url.pathname === '/' || url.pathname === '') url.pathname = '/stocks'
  return url.href
}
