import type { ConnectionOptions, Queryable } from '#db'
import { longSnapshot } from './long-snapshot.ts'
import { verifyAssets } from './verify-assets.ts'
import { verifyChain } from './verify-chain.ts'
import { verifyEntries } from './verify-entries.ts'

/** Where the ledger stops being what it says it is. */
export interface LedgerBreak {
  /** Null when it concerns no block: an asset, an account without entries. */
  height: bigint | null
  what: string
}

export interface VerifyProgress {
  stage: 'chain' | 'entries'
  done: bigint
  total: bigint
}

export interface VerifyReport {
  /** The one of the lowest height, or null: everything holds. */
  firstBreak: LedgerBreak | null
  blocks: bigint
  journals: bigint
  entries: bigint
  accounts: bigint
  /** To be kept elsewhere: who rewrites the whole chain cannot rewrite a hash that was noted before. */
  head: { height: bigint; hash: string }
}

export interface VerifyRequest {
  onProgress?: (progress: VerifyProgress) => void
  /** A head noted earlier, which must still be in the chain. */
  expectedHead?: { height: bigint; hash: string }
}

/** Collects breaks and keeps the first, by height. */
export class BreakCollector {
  first: LedgerBreak | null = null

  report(height: bigint | null, what: string): void {
    const isFirst = this.first === null || (height !== null && (this.first.height ?? height + 1n) > height)
    if (isFirst) this.first = { height, what }
  }
}

/**
 * Recomputes everything from the journals: links and roots of the chain, entries, balances, sums, floors, reversals,
 * scales. Reads one snapshot, in bounded memory: the journals block by block, then the entries beside the journals
 * that they derive from, account by account, in two sorted streams.
 */
export async function verifyLedger(q: Queryable, request: VerifyRequest = {}): Promise<VerifyReport> {
  const breaks = new BreakCollector()
  const onProgress = request.onProgress ?? (() => {})
  const chain = await verifyChain(q, { breaks, onProgress, expectedHead: request.expectedHead ?? null })
  const entries = await verifyEntries(q, { breaks, onProgress, entriesExpected: chain.postings * 2n })
  await verifyAssets(q, { breaks, sumByAsset: entries.sumByAsset })
  return {
    firstBreak: breaks.first,
    blocks: chain.blocks,
    journals: chain.journals,
    entries: entries.entries,
    accounts: entries.accounts,
    head: { height: chain.head.height, hash: chain.head.hash.toString('hex') },
  }
}

/** On a connection of its own, which may take its time. */
export const runVerify = (options: ConnectionOptions & VerifyRequest): Promise<VerifyReport> =>
  longSnapshot(options, (q) => verifyLedger(q, options))
