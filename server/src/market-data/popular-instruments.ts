import type { Queryable } from '#db'
import type { Instrument } from './instrument-book.ts'
import { readInstrumentsByTurnover } from './instrument-queries.ts'

/** The most traded instruments, most first. */
export type PopularInstruments = (limit: number) => Promise<Instrument[]>

/** What a list may ask for at most. */
const KEPT = 50
/** Ranking 12,000 takes a tenth of a second of the database, and days change once a day. */
const KEPT_MS = 60_000

/** Ranked by the turnover of their last days as they are stored, once a minute for all who ask. */
export function createPopularInstruments(deps: {
  readonly db: Queryable
  readonly clock: () => Date
  /** Whose days count. */
  readonly provider: string
}): PopularInstruments {
  let kept: { readonly untilMs: number; readonly ranked: Promise<Instrument[]> } | null = null
  return async (limit) => {
    const nowMs = deps.clock().getTime()
    if (kept === null || kept.untilMs <= nowMs) {
      const ranked = readInstrumentsByTurnover(deps.db, deps.provider, KEPT)
      kept = { untilMs: nowMs + KEPT_MS, ranked }
      // A failure is that of who asked, and is not kept for others.
      ranked.catch(() => (kept = null))
    }
    return (await kept.ranked).slice(0, limit)
  }
}
