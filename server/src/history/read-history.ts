import type { Queryable } from '#db'
import { journalSeqsOfWallet } from '#ledger'
import type { HistoryRoutesDeps } from './deps.ts'

/**
 * Reads one wallet's history where it may: on the replica when that has the wallet's newest journal, which one look
 * at the primary's index of feeds tells. So a read after an acknowledgement includes it, on whichever process, with
 * nothing to be remembered between the two. Rejected: comparing how far both are as a whole, since under load a
 * replica is always a block behind, and then would never be read.
 */
export async function readHistory<T>(
  deps: HistoryRoutesDeps,
  walletId: bigint,
  work: (q: Queryable) => Promise<T>,
): Promise<T> {
  const { db, replica } = deps
  if (replica === null) return work(db)
  const newest = await newestSeq(db, walletId)
  const read = await replica.read(async (q) => (await newestSeq(q, walletId)) >= newest, work)
  return read === null ? work(db) : read.result
}

async function newestSeq(q: Queryable, walletId: bigint): Promise<bigint> {
  const [newest] = await journalSeqsOfWallet(q, { walletId, limit: 1 })
  return newest ?? 0n
}
