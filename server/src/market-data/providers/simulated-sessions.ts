import { dayAfter, newYorkMidnight } from './new-york.ts'
import { nyseDay } from './nyse-calendar.ts'

const HOUR_MS = 3_600_000

/** When a day is traded, in ms since 1970. */
export interface TradedHours {
  readonly opensAt: number
  readonly closesAt: number
  readonly halfDay: boolean
}

/**
 * The hours of that day (YYYY-MM-DD in New York), null when closed. Without session hours every day is traded from
 * midnight to midnight, so that whoever tries the program out never waits.
 */
export function tradedHours(date: string, sessionHours: boolean): TradedHours | null {
  if (!sessionHours) {
    return { opensAt: newYorkMidnight(date), closesAt: newYorkMidnight(dayAfter(date, 1)), halfDay: false }
  }
  const { kind } = nyseDay(date)
  if (kind === 'closed') return null
  const halfDay = kind === 'half'
  // Clocks change at night and on Sundays, so a weekday's hours are counted from its midnight.
  const midnight = newYorkMidnight(date)
  return { opensAt: midnight + 9.5 * HOUR_MS, closesAt: midnight + (halfDay ? 13 : 16) * HOUR_MS, halfDay }
}

/** 0 is Sunday. */
export function weekdayOf(date: string): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay()
}
