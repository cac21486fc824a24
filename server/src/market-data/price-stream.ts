import { setTimeout as sleep } from 'node:timers/promises'
import { followStream, type FollowTimings, type PriceStreamDeps } from './follow-stream.ts'
import type { StreamEnd } from './providers/stock-provider.ts'
import { ensureSource, mayStream, recordStreamAllowed, type StockSource } from './stock-source.ts'
import { releaseLease, takeLease } from './stream-lease.ts'

export interface PriceStreamOptions extends PriceStreamDeps {
  readonly newId: () => string
  readonly timings?: Partial<PriceStreamTimings>
}

export interface PriceStreamTimings extends FollowTimings {
  /** How long a process that died keeps the others from listening. */
  readonly leaseMs: number
  /** How often who does not listen looks whether it may. */
  readonly lookEveryMs: number
  /** After a failure of ours, such as the database being away. */
  readonly retryMs: number
}

const TIMINGS: PriceStreamTimings = {
  leaseMs: 5_000,
  renewEveryMs: 1_500,
  lookEveryMs: 1_000,
  interestEveryMs: 10_000,
  writeEveryMs: 500,
  quietAfterMs: 60_000,
  retryMs: 5_000,
  instrumentsMax: 1_000,
}

/** Live prices of the configured provider, into the same tables as polled ones. */
export interface PriceStream {
  /** From now on this process listens, or stands by for the one that does. */
  start(): void
  /** Writes what has come in, and hands over to whoever stands by. */
  stop(): Promise<void>
}

/**
 * Any number of processes may run one: a lease in the database decides who is connected. Whether there is anything
 * to connect to is known from the probe of the key, and a refusal is written down there, so that it is not asked
 * for again until the key or its plan is another.
 */
export function createPriceStream(deps: PriceStreamOptions): PriceStream {
  const timings = { ...TIMINGS, ...deps.timings }
  const holder = deps.newId()
  const stopping = new AbortController()
  const { signal } = stopping
  let running: Promise<void> | null = null
  const run = async () => {
    while (!signal.aborted) {
      const waitMs = await standBy(deps, timings, holder, signal).catch((error: unknown) => {
        deps.log.warn({ err: error }, 'live prices could not be taken in; tried again')
        return timings.retryMs
      })
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }
  return {
    start: () => {
      running ??= run()
    },
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

/** Listens if this process may. @returns how long to wait before looking again */
async function standBy(
  deps: PriceStreamDeps,
  timings: PriceStreamTimings,
  holder: string,
  signal: AbortSignal,
): Promise<number> {
  const source = await ensureSource(deps)
  if (!mayStream(source)) return timings.lookEveryMs
  const lease = { sourceId: source.id, holder, leaseMs: timings.leaseMs }
  const taken = await takeLease(deps.db, lease)
  if (taken === null) return timings.lookEveryMs
  let sentence = 'What takes the prices in has failed.'
  try {
    const end = await followStream(deps, timings, { source, lease, ...taken, signal })
    sentence = end.sentence
    await noteEnd(deps, source, end)
    return timings.lookEveryMs
  } finally {
    await releaseLease(deps.db, lease, sentence)
  }
}

async function noteEnd(deps: PriceStreamDeps, source: StockSource, end: StreamEnd): Promise<void> {
  const refused = end.code === 'not_authorized' || end.code === 'auth_failed'
  deps.log[refused ? 'warn' : 'info']({ code: end.code, sentence: end.sentence }, 'live prices ended')
  if (refused) await recordStreamAllowed(deps, source.id, { allowed: false, sentence: end.sentence })
}
