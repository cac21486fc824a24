import { exposureOf, lockConversionRoom } from '#exchange'
import type { ConversionRoom, Converter } from '#exchange'
import type { Tx } from '#db'
import type { RateBook } from '#market-data'
import type { WalletAsset } from '#wallets'
import type { EngineDeps } from './engine-deps.ts'
import type { FillDraft } from './order-state.ts'
import type { Order } from './order.ts'
import type { SettlementQuote } from './settlement-rate.ts'

/** Null: the order settles in the instrument's currency, or there is no rate to deal at. */
export type QuoteOf = (order: Order) => SettlementQuote | null

/** Room in the exchange's caps for the conversions of these orders, which a trade must not be a way around. */
export function roomForFills(
  deps: EngineDeps,
  tx: Tx,
  orders: readonly Order[],
  quoteOf: QuoteOf,
): Promise<ConversionRoom> {
  const converters = orders.flatMap((order) => {
    const quote = quoteOf(order)
    return quote === null ? [] : [converterOf(order, quote)]
  })
  return lockConversionRoom(tx, converters, deps.exchangeSettings, deps.clock())
}

/** A purchase converts the settling currency into the instrument's, a sale the other way. */
export function converterOf(
  { walletId, side, settleId, currencyId }: Order,
  { rateVersion }: SettlementQuote,
): Converter {
  const [fromAssetId, toAssetId] = side === 'buy' ? [settleId, currencyId] : [currencyId, settleId]
  return { walletId, fromAssetId, toAssetId, rateVersion }
}

/** What a fill converts, in euro cents; null: unknown. */
export function exposureOfFill(
  rates: RateBook,
  { side }: Order,
  fill: Pick<FillDraft, 'settledMinor' | 'valueMinor' | 'feeMinor'>,
  assets: { readonly currency: WalletAsset; readonly settle: WalletAsset },
): bigint | null {
  return side === 'buy'
    ? exposureOf(rates, assets.settle, fill.settledMinor)
    : exposureOf(rates, assets.currency, fill.valueMinor - fill.feeMinor)
}
