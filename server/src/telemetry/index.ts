export { createLog } from './log.ts'
export type { Log } from './log.ts'
export { createMetrics } from './metrics.ts'
export type { Metrics, RequestMetrics } from './metrics.ts'
