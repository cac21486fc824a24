import { accountId, HOUSE_WALLET_ID, PURPOSE } from '#ledger'
import type { Posting } from '#ledger'

/** Money comes in from outside: from the house's funding account, which is what the outside has given us. */
export function depositPosting(walletId: bigint, assetId: number, amount: bigint): Posting {
  return {
    from: accountId({ walletId: HOUSE_WALLET_ID, assetId, purpose: PURPOSE.funding }),
    to: accountId({ walletId, assetId, purpose: PURPOSE.available }),
    amount,
  }
}
