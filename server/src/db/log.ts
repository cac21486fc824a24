/** What this room says of its doings; pino's logger is one, and a test's recorder may be. */
export interface DbLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}
