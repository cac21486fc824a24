/** The history room's door: operations as their owner sees them. See README.md. */
export type { HistoryRoutesDeps, People, Person } from './deps.ts'
export { createIndexBuilder } from './index-builder.ts'
export type { IndexBuilder, IndexBuilderOptions, IndexOccasion } from './index-builder.ts'
export { historyRoutes } from './routes.ts'
