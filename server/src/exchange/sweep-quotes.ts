import type { Queryable } from '#db'
import type { AgeLimits } from '#market-data'
import { deleteQuotesBefore } from './stored-quotes.ts'

const KEPT_LONGER_MS = 24 * 3_600_000

/**
 * Clears away quotes, and exposure that nothing was added to, once no rate that they count against can be dealt at any
 * more: else the caps on what is dealt at one version of a rate would begin afresh while it still is. A daily job.
 */
export async function sweepQuotes(db: Queryable, now: Date, ageLimits: AgeLimits): Promise<void> {
  const dealtAtMs = Math.max(ageLimits.hourlySeconds, ageLimits.dailySeconds) * 1_000
  await deleteQuotesBefore(db, new Date(now.getTime() - dealtAtMs - KEPT_LONGER_MS))
}
