import { DatabaseError } from 'pg'

/** The database cannot be reached, or was lost before anything was committed: nothing has happened. */
export class DatabaseUnavailable extends Error {
  override name = 'DatabaseUnavailable'
}

/**
 * The connection broke after COMMIT (or a lone statement) was sent and before its reply: it may have
 * happened. The caller must not report a failure; the client repeats the request with the same key.
 */
export class OutcomeUnknown extends DatabaseUnavailable {
  override name = 'OutcomeUnknown'
}

/** COMMIT was refused because a statement had failed and its error was not passed on: a bug of the caller. */
export class TransactionAborted extends Error {
  override name = 'TransactionAborted'
}

/** An answer of a living server about this statement. FATAL and PANIC end the connection: see errcodes. */
export function isServerError(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && error.severity === 'ERROR'
}

const SERIALIZATION_FAILURE = '40001'
const DEADLOCK_DETECTED = '40P01'

/** The server undid the transaction only because of others that ran at the same time. */
export function isConflict(error: unknown): boolean {
  return isServerError(error) && (error.code === SERIALIZATION_FAILURE || error.code === DEADLOCK_DETECTED)
}

const LOCK_NOT_AVAILABLE = '55P03'

/** It waited for a lock for as long as it may. */
export function isLockedOut(error: unknown): boolean {
  return isServerError(error) && error.code === LOCK_NOT_AVAILABLE
}

const QUERY_CANCELED = '57014'
const INSUFFICIENT_RESOURCES = '53'

/** Busy or away, and no fault of the request: answered with 503 and an invitation to try again. */
export function meansTryAgain(error: unknown): boolean {
  // Of a transaction whose ROLLBACK failed too: the first is why it was to be undone, which the server then did.
  if (error instanceof AggregateError) return meansTryAgain(error.errors[0])
  if (error instanceof DatabaseUnavailable || isConflict(error)) return true
  if (!isServerError(error)) return false
  const code = error.code ?? ''
  return isLockedOut(error) || code === QUERY_CANCELED || code.startsWith(INSUFFICIENT_RESOURCES)
}
