/** The back office's door. See README.md. */
export { adminRoutes } from './routes.ts'
export type { AdminDeps } from './routes.ts'
