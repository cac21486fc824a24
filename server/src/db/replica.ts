import { openDatabase, type DatabaseOptions } from './database.ts'
import { DatabaseUnavailable, isServerError } from './errors.ts'
import type { DbLog } from './log.ts'
import type { Queryable } from './queryable.ts'

/** A copy of the database that follows it some time behind. Nothing is ever decided on it. */
export interface ReadReplica {
  /**
   * `work` on the replica, at one instant at which `isCurrent` has said that it has what the reader has to see.
   * Null when it lags behind that, or cannot be had: then the primary has to be read.
   */
  read<T>(
    isCurrent: (replica: Queryable) => Promise<boolean>,
    work: (replica: Queryable) => Promise<T>,
  ): Promise<{ readonly result: T } | null>
  close(): Promise<void>
}

export interface ReplicaOptions extends Omit<DatabaseOptions, 'statementTimeoutMs'> {
  readonly clock: () => Date
  readonly log: DbLog
}

/** Less patience than with the primary, which can answer instead. */
const STATEMENT_TIMEOUT_MS = 5_000
/** After a failure one reader at a time tries again, this often; the others are not kept waiting for it. */
const AVOIDED_MS = 30_000

export function openReplica(options: ReplicaOptions): ReadReplica {
  const { clock, log } = options
  const replica = openDatabase({ ...options, statementTimeoutMs: STATEMENT_TIMEOUT_MS })
  let avoidedUntilMs = 0

  return {
    async read(isCurrent, work) {
      const nowMs = clock().getTime()
      if (nowMs < avoidedUntilMs) return null
      const failedBefore = avoidedUntilMs > 0
      if (failedBefore) avoidedUntilMs = nowMs + AVOIDED_MS
      try {
        const read = await replica.snapshot(async (q) =>
          (await isCurrent(q)) ? { result: await work(q) } : null,
        )
        avoidedUntilMs = 0
        return read
      } catch (error) {
        if (!(error instanceof DatabaseUnavailable) && !isServerError(error)) throw error
        avoidedUntilMs = nowMs + AVOIDED_MS
        if (!failedBefore) log.warn({ err: error }, 'the read replica fails; the primary is read instead')
        return null
      }
    },
    close: () => replica.close(),
  }
}
