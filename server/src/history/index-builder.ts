import type { Database } from '#db'
import { indexNextChunk } from './index-chunk.ts'

/** Why a wallet is considered: the more its index is missed, the sooner it is built. */
const OCCASIONS = {
  /** A search had to look through the end of the history without the index. */
  searched: { operationsLeast: 256, pauseMs: 2_000 },
  /** A history was opened, and may be searched next. Short ones are quick without an index. */
  read: { operationsLeast: 4_096, pauseMs: 60_000 },
} as const
export type IndexOccasion = keyof typeof OCCASIONS

/** Past this, wallets are considered when they are next asked for. */
const WAITING_MAX = 100
const REMEMBERED_MAX = 10_000

export interface IndexBuilder {
  /** Has the wallet's index built in the background, if enough of its operations are missing in it. */
  consider(walletId: bigint, occasion: IndexOccasion): void
  /** Resolves when nothing is left to build. */
  idle(): Promise<void>
  /** Takes no more and finishes the chunk at hand. */
  close(): Promise<void>
}

export interface IndexBuilderOptions {
  readonly db: Database
  readonly clock: () => Date
  /** What went wrong costs nobody an answer: it is tried again at the next occasion. */
  readonly onError: (error: unknown) => void
}

/**
 * Builds the wallets' indexes, one wallet at a time, in this process. Only wallets whose owners look at their
 * history get one, so that those who only pay and are paid cost no space; and nothing waits for it, since a search
 * reads what is not indexed from the ledger.
 */
export function createIndexBuilder({ db, clock, onError }: IndexBuilderOptions): IndexBuilder {
  const waiting = new Map<bigint, number>()
  const nextAtMs = new Map<string, number>()
  let working: Promise<void> | null = null
  const closing = new AbortController()

  const work = async (): Promise<void> => {
    for (let next = first(waiting); next !== null && !closing.signal.aborted; next = first(waiting)) {
      const [walletId, operationsLeast] = next
      waiting.delete(walletId)
      try {
        while (!closing.signal.aborted && (await indexNextChunk(db, walletId, { operationsLeast })));
      } catch (error) {
        onError(error)
      }
    }
    working = null
  }
  const isDue = (walletId: bigint, occasion: IndexOccasion): boolean => {
    const key = `${occasion}:${walletId}`
    const nowMs = clock().getTime()
    if ((nextAtMs.get(key) ?? 0) > nowMs) return false
    if (nextAtMs.size >= REMEMBERED_MAX) nextAtMs.clear()
    nextAtMs.set(key, nowMs + OCCASIONS[occasion].pauseMs)
    return true
  }
  return {
    consider: (walletId, occasion) => {
      if (closing.signal.aborted || waiting.size >= WAITING_MAX || !isDue(walletId, occasion)) return
      const { operationsLeast } = OCCASIONS[occasion]
      waiting.set(walletId, Math.min(operationsLeast, waiting.get(walletId) ?? operationsLeast))
      working ??= work()
    },
    idle: () => working ?? Promise.resolve(),
    close: async () => {
      closing.abort()
      await working
    },
  }
}

function first<Key, Value>(map: ReadonlyMap<Key, Value>): [Key, Value] | null {
  const { value } = map.entries().next()
  return value ?? null
}
