import { eventAt } from './polygon-frames.ts'
import type { StreamEvent, StreamGap, StreamOptions } from './stock-provider.ts'

export interface StreamQueue {
  push(events: readonly StreamEvent[]): void
  gap(gap: StreamGap): void
  readonly dropped: number
  /** Settles with the error of a consumer that threw; never resolves otherwise. */
  readonly failed: Promise<unknown>
  stop(): void
}

const BATCH_EVENTS_MAX = 2_000

/**
 * Between a socket that does not wait and a consumer that may: a bounded queue, handed over in batches, one at a
 * time. Too slow a consumer loses the oldest events, since newer prices are worth more, and is told which time to
 * fill in. Reports of gaps are merged by their cause, so they are bounded too.
 */
export function streamQueue(
  consumer: Pick<StreamOptions, 'onEvents' | 'onGap'>,
  eventsMax: number,
): StreamQueue {
  let waiting: StreamEvent[] = []
  let dropped = 0
  let pumping = false
  const stopping = new AbortController()
  const gaps = new Map<StreamGap['why'], StreamGap>()
  const failure = Promise.withResolvers<unknown>()
  const pump = async () => {
    while (!stopping.signal.aborted && (gaps.size > 0 || waiting.length > 0)) {
      const [gap] = gaps.values()
      // Events first: by the time the gap is filled, what came after it is there.
      if (waiting.length > 0) await consumer.onEvents(waiting.splice(0, BATCH_EVENTS_MAX))
      else if (gap !== undefined) {
        gaps.delete(gap.why)
        await consumer.onGap(gap)
      }
    }
  }
  const start = () => {
    if (pumping || stopping.signal.aborted) return
    pumping = true
    void pump()
      .catch((error: unknown) => {
        stopping.abort()
        failure.resolve(error)
      })
      .finally(() => {
        pumping = false
        // What arrived in the moment between the last look and here.
        if (waiting.length > 0 || gaps.size > 0) start()
      })
  }
  const addGap = (gap: StreamGap) => {
    const known = gaps.get(gap.why)
    gaps.set(gap.why, known === undefined ? gap : merged(known, gap))
  }
  return {
    push: (events) => {
      if (stopping.signal.aborted) return
      waiting.push(...events)
      if (waiting.length > eventsMax) {
        const lost = waiting.splice(0, waiting.length - eventsMax)
        dropped += lost.length
        addGap(spanOf(lost))
      }
      start()
    },
    gap: (gap) => {
      addGap(gap)
      start()
    },
    get dropped() {
      return dropped
    },
    failed: failure.promise,
    stop: () => {
      stopping.abort()
      waiting = []
      gaps.clear()
    },
  }
}

function spanOf(events: readonly StreamEvent[]): StreamGap {
  const moments = events.map(eventAt)
  const [from, to] = moments.reduce(
    ([low, high], moment) => [Math.min(low, moment), Math.max(high, moment)] as const,
    [Infinity, -Infinity] as const,
  )
  return { from: new Date(from), to: new Date(to), why: 'slow_consumer' }
}

function merged(first: StreamGap, second: StreamGap): StreamGap {
  return {
    from: first.from < second.from ? first.from : second.from,
    to: first.to > second.to ? first.to : second.to,
    why: first.why,
  }
}
