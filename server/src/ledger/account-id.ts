/**
 * An account's id is computed from what the account is, never looked up:
 *
 *     walletId · 2²⁷  +  assetId · 2⁷  +  purpose          (36 + 20 + 7 = 63 bits)
 *
 * So a posting's asset and owners are arithmetic, a wallet's accounts are one range of the primary key,
 * and no room needs a look-up before it can post.
 */
export interface AccountParts {
  walletId: bigint
  assetId: number
  purpose: number
}

/** What an account is for. Customers use `available`, `reserved` and the pockets; the rest is the house's. */
export const PURPOSE = {
  available: 0,
  reserved: 1,
  funding: 16,
  conversion: 17,
  fees: 18,
  brokerage: 19,
  rounding: 20,
  withholding: 21,
  pocketFirst: 64,
  pocketLast: 127,
} as const

/** The wallet that is the other side of every deposit, conversion, fee and trade. */
export const HOUSE_WALLET_ID = 1n
/** Wallets below this number belong to the house: no floor, no feed. */
export const CUSTOMER_WALLET_ID_MIN = 1000n

const WALLET_ID_MAX = (1n << 36n) - 1n
const ASSET_ID_MAX = (1 << 20) - 1
const PURPOSE_MAX = (1 << 7) - 1

/** @throws RangeError when a part does not fit: a truncated part would name somebody else's account. */
export function accountId(parts: AccountParts): bigint {
  const { walletId, assetId, purpose } = parts
  if (walletId < 1n || walletId > WALLET_ID_MAX) throw new RangeError(`wallet id out of range: ${walletId}`)
  if (!Number.isInteger(assetId) || assetId < 1 || assetId > ASSET_ID_MAX) {
    throw new RangeError(`asset id out of range: ${assetId}`)
  }
  if (!Number.isInteger(purpose) || purpose < 0 || purpose > PURPOSE_MAX) {
    throw new RangeError(`purpose out of range: ${purpose}`)
  }
  return (walletId << 27n) | BigInt((assetId << 7) | purpose)
}

export function accountParts(id: bigint): AccountParts {
  return { walletId: id >> 27n, assetId: assetIdOf(id), purpose: Number(id & 127n) }
}

export function assetIdOf(id: bigint): number {
  return Number(id & 0x7ff_ffffn) >>> 7
}

export function walletIdOf(id: bigint): bigint {
  return id >> 27n
}

/** A customer's account never goes below zero; the house's may, being the other side of everything. */
export function floorOf(id: bigint): bigint | null {
  return walletIdOf(id) < CUSTOMER_WALLET_ID_MIN ? null : 0n
}
