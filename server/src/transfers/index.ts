/** The transfers room's door: money and shares from one customer to another. See README.md. */
export { transferRoutes } from './routes.ts'
export type { TransferDeps } from './routes.ts'
