import {
  assetIdOf,
  CUSTOMER_WALLET_ID_MIN,
  HOUSE_WALLET_ID,
  PURPOSE,
  accountParts,
  walletIdOf,
} from '#ledger'
import type { JournalRef, Posting } from '#ledger'

/**
 * The customer on the other side of a transfer, or of a transfer's reversal: of its first posting, which is the
 * last one in the mirror. The same rule as the ledger's index of pairs, so that a search by counterparty finds
 * what is shown with one.
 */
export function counterpartyOf(journal: JournalRef, walletId: bigint): bigint | null {
  const { kind, postings } = journal
  if (kind !== 'transfer' && kind !== 'reversal') return null
  const posting = kind === 'transfer' ? postings[0] : postings.at(-1)
  if (posting === undefined) return null
  const from = walletIdOf(posting.from)
  const to = walletIdOf(posting.to)
  if ((from !== walletId && to !== walletId) || from === to) return null
  const other = from === walletId ? to : from
  return other >= CUSTOMER_WALLET_ID_MIN ? other : null
}

/** What the wallet paid the house as a fee: of the first asset that it paid one in. */
export function feePaid(
  postings: readonly Posting[],
  walletId: bigint,
): { assetId: number; amount: bigint } | null {
  const fees = postings.filter(({ from, to }) => walletIdOf(from) === walletId && isHouseFees(to))
  const [first] = fees
  if (first === undefined) return null
  const assetId = assetIdOf(first.from)
  const sameAsset = fees.filter(({ from }) => assetIdOf(from) === assetId)
  return { assetId, amount: sameAsset.reduce((sum, { amount }) => sum + amount, 0n) }
}

function isHouseFees(account: bigint): boolean {
  return walletIdOf(account) === HOUSE_WALLET_ID && accountParts(account).purpose === PURPOSE.fees
}

export function touchesWallet(postings: readonly Posting[], walletId: bigint): boolean {
  return postings.some(({ from, to }) => walletIdOf(from) === walletId || walletIdOf(to) === walletId)
}

/** The assets of which the wallet's own accounts moved, even if only within it. */
export function touchedAssets(postings: readonly Posting[], walletId: bigint): Set<number> {
  return new Set(
    postings.filter((posting) => touchesWallet([posting], walletId)).map(({ from }) => assetIdOf(from)),
  )
}
