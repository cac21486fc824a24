import { parseCronItem } from 'graphile-worker'

const MINUTE_MS = 60_000
/** A leap year: what does not come round within it (30 February) never does. */
const MINUTES_MAX = 366 * 24 * 60

/**
 * The first minute after a moment that a schedule names, in UTC, where no hour is skipped or comes twice; null when
 * there is none within a year. By the reader of the queue's own library, so that it cannot say otherwise than the
 * queue does. Looks minute by minute: 50 ns each, and ours come round within a week.
 */
export function nextTick(cron: string, after: Date): Date | null {
  const { match } = parseCronItem({ task: 'tick', match: cron })
  const first = Math.floor(after.getTime() / MINUTE_MS) + 1
  for (let minute = first; minute < first + MINUTES_MAX; minute += 1) {
    const at = new Date(minute * MINUTE_MS)
    const named = match({
      min: at.getUTCMinutes(),
      hour: at.getUTCHours(),
      date: at.getUTCDate(),
      month: at.getUTCMonth() + 1,
      dow: at.getUTCDay(),
    })
    if (named) return at
  }
  return null
}
