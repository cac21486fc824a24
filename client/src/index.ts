export { ApiError } from './api-error.ts'
export type { FailureCode } from './api-error.ts'
export { createClient } from './create-client.ts'
export type { Client } from './create-client.ts'
export type {
  ItemOf,
  ListPath,
  ListQuery,
  Operation,
  PathsOf,
  Reply,
  StreamEvent,
  StreamQuery,
} from './api-types.ts'
export { newIdempotencyKey } from './settings.ts'
export type { ClientOptions } from './settings.ts'
