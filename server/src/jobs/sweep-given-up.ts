import type { Queryable } from '#db'
import { deleteGivenUp } from './queries.ts'

/** As long as anybody will wish to see why, or to run it again. */
const KEEP_GIVEN_UP_DAYS = 30
const DAY_MS = 86_400_000
/** In steps, so that no statement holds on for long. */
const ROWS_PER_STEP = 5_000
const STEPS_MAX = 200

/**
 * Deletes jobs that used up their tries long ago, of which the back office lists the newest hundred only. Daily; what is
 * left over after so many steps is the next day's.
 */
export async function sweepGivenUp(q: Queryable, now: Date): Promise<void> {
  const before = new Date(now.getTime() - KEEP_GIVEN_UP_DAYS * DAY_MS)
  for (let steps = 0; steps < STEPS_MAX; steps += 1) {
    if ((await deleteGivenUp(q, before, ROWS_PER_STEP)) < ROWS_PER_STEP) return
  }
}
