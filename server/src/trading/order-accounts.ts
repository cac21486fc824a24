import { accountId, HOUSE_WALLET_ID, PURPOSE } from '#ledger'
import type { OrderTerms } from './order.ts'
import { reserveAssetOf } from './order.ts'

/** Every account that any transition of an order may touch: computed, so they can be locked before it is read. */
export interface OrderAccounts {
  readonly available: (assetId: number) => bigint
  readonly reserved: bigint
  readonly brokerage: (assetId: number) => bigint
  readonly conversion: (assetId: number) => bigint
  readonly fees: bigint
  /** Those that a fill touches. */
  readonly ofFill: readonly bigint[]
  /** Those that cancelling and expiring touch. */
  readonly ofEnd: readonly bigint[]
}

type Parts = Pick<OrderTerms, 'walletId' | 'instrumentId' | 'currencyId' | 'settleId' | 'side'>

export function accountsOf(order: Parts): OrderAccounts {
  const { walletId, instrumentId, currencyId, settleId } = order
  const own = (assetId: number, purpose: number) => accountId({ walletId, assetId, purpose })
  const house = (assetId: number, purpose: number) =>
    accountId({ walletId: HOUSE_WALLET_ID, assetId, purpose })
  const available = (assetId: number) => own(assetId, PURPOSE.available)
  const brokerage = (assetId: number) => house(assetId, PURPOSE.brokerage)
  const conversion = (assetId: number) => house(assetId, PURPOSE.conversion)
  const reserved = own(reserveAssetOf(order), PURPOSE.reserved)
  const fees = house(currencyId, PURPOSE.fees)
  const ofEnd = [reserved, available(reserveAssetOf(order))]
  const converts = settleId === currencyId ? [] : [conversion(currencyId), conversion(settleId)]
  const assets = [...new Set([instrumentId, currencyId, settleId])]
  const ofFill = [
    ...ofEnd,
    ...assets.map(available),
    ...[instrumentId, currencyId].map(brokerage),
    ...converts,
    fees,
  ]
  return { available, reserved, brokerage, conversion, fees, ofFill: [...new Set(ofFill)], ofEnd }
}
