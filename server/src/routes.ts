import { adminRoutes } from '#admin'
import type { AdminDeps } from '#admin'
import { conversionRuleRoutes, exchangeRoutes } from '#exchange'
import type { ConversionRuleRoutesDeps, ExchangeDeps } from '#exchange'
import { historyRoutes } from '#history'
import type { HistoryRoutesDeps } from '#history'
import type { Route } from '#http'
import { instrumentRoutes, marketDataRoutes } from '#market-data'
import type { InstrumentRoutesDeps, MarketDataRoutesDeps } from '#market-data'
import { notificationRoutes, priceAlertRoutes, streamRoutes } from '#notifications'
import type { NotificationRoutesDeps, PriceAlertRoutesDeps, StreamRoutesDeps } from '#notifications'
import { orderRoutes, positionRoutes, watchlistRoutes, worthRoutes } from '#trading'
import type { OrderDeps, PositionRoutesDeps, ShowWorthDeps, WatchlistDeps } from '#trading'
import { standingOrderRoutes, transferRoutes } from '#transfers'
import type { StandingOrderRoutesDeps, TransferDeps } from '#transfers'
import { walletRoutes } from '#wallets'
import type { WalletDeps } from '#wallets'

export interface RouteDeps {
  /** Made by the identity room, which also authenticates. */
  readonly identityRoutes: readonly Route[]
  readonly wallets: WalletDeps
  readonly marketData: MarketDataRoutesDeps
  readonly instruments: InstrumentRoutesDeps
  readonly exchange: ExchangeDeps
  readonly conversionRules: ConversionRuleRoutesDeps
  readonly orders: OrderDeps
  readonly positions: PositionRoutesDeps & WatchlistDeps & ShowWorthDeps
  readonly transfers: TransferDeps
  readonly standingOrders: StandingOrderRoutesDeps
  readonly priceAlerts: PriceAlertRoutesDeps
  readonly history: HistoryRoutesDeps
  readonly notifications: NotificationRoutesDeps
  readonly stream: StreamRoutesDeps
  readonly admin: AdminDeps
}

/** Every route there is. What is not listed here does not exist. */
export function allRoutes(deps: RouteDeps): Route[] {
  return [
    ...deps.identityRoutes,
    ...walletRoutes(deps.wallets),
    ...marketDataRoutes(deps.marketData),
    ...instrumentRoutes(deps.instruments),
    ...exchangeRoutes(deps.exchange),
    ...conversionRuleRoutes(deps.conversionRules),
    ...orderRoutes(deps.orders),
    ...positionRoutes(deps.positions),
    ...watchlistRoutes(deps.positions),
    ...worthRoutes(deps.positions),
    ...transferRoutes(deps.transfers),
    ...standingOrderRoutes(deps.standingOrders),
    ...priceAlertRoutes(deps.priceAlerts),
    ...historyRoutes(deps.history),
    ...notificationRoutes(deps.notifications),
    ...streamRoutes(deps.stream),
    ...adminRoutes(deps.admin),
  ]
}
