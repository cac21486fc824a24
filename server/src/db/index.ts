export { checkDurability, checkRole } from './check-server.ts'
export { clientConfig, openDatabase, type ConnectionOptions, type Database } from './database.ts'
export {
  DatabaseUnavailable,
  OutcomeUnknown,
  TransactionAborted,
  isConflict,
  isServerError,
  meansTryAgain,
} from './errors.ts'
export { startEmbedded, type EmbeddedServer } from './embedded.ts'
export { findRunningEmbedded } from './embedded-running.ts'
export type { DbLog } from './log.ts'
export { listen, type Listening } from './listen.ts'
export { checkMigrated, migrate } from './migrate.ts'
export type { NamedStatement, Queryable } from './queryable.ts'
export { openReplica, type ReadReplica } from './replica.ts'
export type { Tx } from './transaction.ts'
