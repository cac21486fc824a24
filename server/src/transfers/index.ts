/** The transfers room's door: money and shares from one customer to another. See README.md. */
export { transferRoutes } from './routes.ts'
export type { TransferDeps } from './routes.ts'
export type { MoveHoldings } from './post-shares.ts'
export { standingOrderRule } from './standing-order-rule.ts'
export { standingOrderRoutes } from './standing-order-routes.ts'
export type { StandingOrderRoutesDeps } from './standing-order-routes.ts'
