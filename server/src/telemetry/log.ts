import { pino } from 'pino'
import type { Logger } from 'pino'

export type Log = Logger

/** Fields that may hold a secret or personal data are cut out wherever they appear. */
const REDACTED = ['password', 'token', 'key', 'secret', 'email', 'authorization', 'cookie']

/** Structured JSON lines on stderr, so that stdout stays free for what a command prints. */
export function createLog(options: { level: string; name: string }): Log {
  return pino(
    {
      level: options.level,
      name: options.name,
      redact: REDACTED.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    pino.destination({ dest: 2, sync: false, minLength: 0 }),
  )
}
