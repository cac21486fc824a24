import type { StockPrice } from '@kantor/contract/api'
import { lastCloses, type AdjustedClose } from './instrument-figures.ts'
import { presentPrice, type PresentDeps } from './present-instrument.ts'
import { newYorkDate } from './providers/new-york.ts'

/** Prices as lists show them, for who asks every moment. */
export interface ShownPrices {
  /** Those that are known, by instrument. At most two queries, mostly none. */
  shown(instrumentIds: readonly number[]): Promise<ReadonlyMap<number, StockPrice>>
}

/** Closes change once a day; a split or a late candle may wait this long to show in a change. */
const CLOSES_SECONDS = 300
const INSTRUMENTS_MAX = 8_192

export function createShownPrices(deps: PresentDeps): ShownPrices {
  const kept = new Map<number, { closes: readonly AdjustedClose[]; readAtMs: number }>()

  const readMissing = async (ids: readonly number[]): Promise<void> => {
    const nowMs = deps.clock().getTime()
    const missing = ids.filter((id) => (kept.get(id)?.readAtMs ?? 0) < nowMs - CLOSES_SECONDS * 1000)
    if (missing.length === 0) return
    const day = { provider: deps.prices.source, today: newYorkDate(nowMs) }
    const read = await lastCloses(deps.db, missing, day)
    if (kept.size + missing.length > INSTRUMENTS_MAX) kept.clear()
    for (const [id, closes] of read) kept.set(id, { closes, readAtMs: nowMs })
  }
  return {
    async shown(ids) {
      await readMissing(ids)
      const shown = ids.map(
        (id) => [id, presentPrice(deps.prices.price(id), kept.get(id)?.closes ?? [])] as const,
      )
      return new Map(shown.flatMap(([id, price]) => (price === null ? [] : [[id, price] as const])))
    },
  }
}
