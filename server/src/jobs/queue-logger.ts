import { Logger } from 'graphile-worker'

/** The schema that belongs to graphile-worker. */
export const QUEUE_SCHEMA = 'graphile_worker'

/** pino's logger is one. */
export interface JobLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/**
 * The library's own messages in our log, at debug: what a job did is in jobs.runs and in lines of ours, and its
 * metadata holds whole payloads, which are not for logs.
 */
export function queueLogger(log: JobLog): Logger {
  return new Logger((scope) => (level, message) => {
    const fields = { scope: scope.label, task: scope.taskIdentifier, job: scope.jobId }
    if (level === 'error' || level === 'warning') log.warn(fields, message)
    else log.debug(fields, message)
  })
}
