import type { Instrument } from '#market-data'
import type { WalletAsset } from '#wallets'
import type { EngineDeps } from './engine-deps.ts'
import type { Candidate } from './order-store.ts'
import { settlementQuote } from './settlement-rate.ts'
import type { SettlementQuote } from './settlement-rate.ts'

/** What orders are judged by that is read before any lock is taken: rates, names, customers' base currencies. */
export interface Surroundings {
  readonly instruments: ReadonlyMap<number, Instrument>
  readonly assets: ReadonlyMap<number, WalletAsset>
  /** By `currencyId/settleId`; null: no rate to deal at. */
  readonly quotes: ReadonlyMap<string, SettlementQuote | null>
  readonly baseCurrencies: ReadonlyMap<bigint, string>
}

type Pair = Pick<Candidate, 'currencyId' | 'settleId'>

const pairOf = ({ currencyId, settleId }: Pair): string => `${currencyId}/${settleId}`

export async function readSurroundings(
  deps: EngineDeps,
  orders: readonly Candidate[],
): Promise<Surroundings> {
  const assets = await deps.assets.byIds([
    ...new Set(
      orders.flatMap(({ instrumentId, currencyId, settleId }) => [instrumentId, currencyId, settleId]),
    ),
  ])
  const instruments = new Map<number, Instrument>()
  const quotes = new Map<string, SettlementQuote | null>()
  for (const order of orders) {
    const { instrumentId, currencyId, settleId } = order
    if (!instruments.has(instrumentId)) {
      const instrument = await deps.instruments.byId(instrumentId)
      if (instrument !== null) instruments.set(instrumentId, instrument)
    }
    if (currencyId === settleId || quotes.has(pairOf(order))) continue
    const [currency, settle] = [assets.get(currencyId), assets.get(settleId)]
    if (currency === undefined || settle === undefined)
      throw new Error(`order ${order.id} is of unknown assets`)
    const quote = settle.frozen ? null : await settlementQuote(deps, currency.code, settle.code)
    quotes.set(pairOf(order), quote === null || 'refused' in quote ? null : quote)
  }
  const baseCurrencies = await deps.baseCurrenciesOf([...new Set(orders.map(({ walletId }) => walletId))])
  return { instruments, assets, quotes, baseCurrencies }
}

/** Null: no conversion, or no rate to deal at. */
export function quoteOf(known: Surroundings, order: Pair): SettlementQuote | null {
  return order.currencyId === order.settleId ? null : (known.quotes.get(pairOf(order)) ?? null)
}

export function assetOf({ assets }: Surroundings, assetId: number): WalletAsset {
  const asset = assets.get(assetId)
  if (asset === undefined) throw new Error(`asset ${assetId} is not among the assets`)
  return asset
}

export function codeOf(known: Surroundings, assetId: number): string {
  return assetOf(known, assetId).code
}
