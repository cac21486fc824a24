import { accountParts, assetIdOf, PURPOSE, walletIdOf } from './account-id.ts'
import type { Posting } from './types.ts'

/**
 * What a journal moved, as its owner sees it: per asset, what came into the wallet less what left it, fees
 * included. An asset that only changed its place within the wallet (reserving and releasing) shows the change of
 * what is available instead. Never zero; in order of the postings.
 */
export function movedAmounts(postings: readonly Posting[], walletId: bigint): Map<number, bigint> {
  const inAll = new Map<number, bigint>()
  const available = new Map<number, bigint>()
  const add = (account: bigint, amount: bigint): void => {
    if (walletIdOf(account) !== walletId) return
    const assetId = assetIdOf(account)
    inAll.set(assetId, (inAll.get(assetId) ?? 0n) + amount)
    if (accountParts(account).purpose !== PURPOSE.available) return
    available.set(assetId, (available.get(assetId) ?? 0n) + amount)
  }
  for (const { from, to, amount } of postings) {
    add(from, -amount)
    add(to, amount)
  }
  const onlyWithin = [...inAll.values()].every((amount) => amount === 0n)
  const shown = onlyWithin ? available : inAll
  return new Map([...shown].filter(([, amount]) => amount !== 0n))
}
