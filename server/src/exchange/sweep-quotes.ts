import type { Queryable } from '#db'
import { deleteQuotesBefore } from './stored-quotes.ts'

const KEPT_AFTER_EXPIRY_MS = 24 * 3_600_000

/** Clears away quotes a day after they expired, and exposure that nothing added to for as long: a daily job. */
export async function sweepQuotes(db: Queryable, now: Date): Promise<void> {
  await deleteQuotesBefore(db, new Date(now.getTime() - KEPT_AFTER_EXPIRY_MS))
}
