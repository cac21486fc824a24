import { exchangeRoutes } from '#exchange'
import type { ExchangeDeps } from '#exchange'
import { historyRoutes } from '#history'
import type { HistoryDeps } from '#history'
import type { Route } from '#http'
import { instrumentRoutes, marketDataRoutes } from '#market-data'
import type { InstrumentRoutesDeps, MarketDataRoutesDeps } from '#market-data'
import { orderRoutes, positionRoutes, watchlistRoutes, worthRoutes } from '#trading'
import type { OrderDeps, PositionRoutesDeps, ShowWorthDeps, WatchlistDeps } from '#trading'
import { transferRoutes } from '#transfers'
import type { TransferDeps } from '#transfers'
import { walletRoutes } from '#wallets'
import type { WalletDeps } from '#wallets'

export interface RouteDeps {
  /** Made by the identity room, which also authenticates. */
  readonly identityRoutes: readonly Route[]
  readonly wallets: WalletDeps
  readonly marketData: MarketDataRoutesDeps
  readonly instruments: InstrumentRoutesDeps
  readonly exchange: ExchangeDeps
  readonly orders: OrderDeps
  readonly positions: PositionRoutesDeps & WatchlistDeps & ShowWorthDeps
  readonly transfers: TransferDeps
  readonly history: HistoryDeps
}

/** Every route there is. What is not listed here does not exist. */
export function allRoutes(deps: RouteDeps): Route[] {
  return [
    ...deps.identityRoutes,
    ...walletRoutes(deps.wallets),
    ...marketDataRoutes(deps.marketData),
    ...instrumentRoutes(deps.instruments),
    ...exchangeRoutes(deps.exchange),
    ...orderRoutes(deps.orders),
    ...positionRoutes(deps.positions),
    ...watchlistRoutes(deps.positions),
    ...worthRoutes(deps.positions),
    ...transferRoutes(deps.transfers),
    ...historyRoutes(deps.history),
  ]
}
