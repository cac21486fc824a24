import type { RuleSchedule } from '@kantor/contract/api'
import { momentOf, wallTimeAt } from './time-zone.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const DAYS_A_WEEK = 7

/** A date without a zone, as the milliseconds of its midnight in UTC. */
const dateMs = (text: string): number => Date.parse(`${text}T00:00:00Z`)
const startOfDate = (wallMs: number): number => Math.floor(wallMs / DAY_MS) * DAY_MS

function timeOfDayMs(at: string): number {
  const [hours, minutes] = at.split(':').map(Number)
  return ((hours ?? 0) * 60 + (minutes ?? 0)) * MINUTE_MS
}

/** 1 Monday to 7 Sunday, as ISO 8601 counts. The epoch was a Thursday. */
const weekdayOf = (date: number): number => ((((date / DAY_MS + 3) % 7) + 7) % 7) + 1

/** The day of the month, or its last day where it has fewer: the 31st is 30 April. */
function dateInMonth(year: number, month: number, day: number): number {
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  return Date.UTC(year, month, Math.min(day, last))
}

/** Dates of the schedule from this one on, oldest first, without end. */
function* datesFrom(schedule: Exclude<RuleSchedule, { repeat: 'once' }>, first: number): Generator<number> {
  if (schedule.repeat === 'weekly') {
    const ahead = (schedule.weekday - weekdayOf(first) + DAYS_A_WEEK) % DAYS_A_WEEK
    for (let date = first + ahead * DAY_MS; ; date += DAYS_A_WEEK * DAY_MS) yield date
  }
  const start = new Date(first)
  for (let month = start.getUTCMonth(); ; month += 1) {
    const date = dateInMonth(start.getUTCFullYear(), month, schedule.day)
    if (date >= first) yield date
  }
}

/**
 * The first run after a moment, or null when there is none left.
 * @param runsSoFar how many runs have ended, for schedules that say how many there are
 */
export function nextRunAfter(schedule: RuleSchedule, after: Date, runsSoFar: number): Date | null {
  const { at, timeZone } = schedule
  const momentOn = (date: number) => momentOf(date + timeOfDayMs(at), timeZone)
  if (schedule.repeat === 'once') {
    const moment = momentOn(dateMs(schedule.on))
    return runsSoFar === 0 && moment > after ? moment : null
  }
  if (schedule.count !== undefined && runsSoFar >= schedule.count) return null
  // A skipped time is moved later, over midnight at most: the date before may still be to come.
  const earliest = startOfDate(wallTimeAt(after, timeZone)) - DAY_MS
  const first = schedule.from === undefined ? earliest : Math.max(earliest, dateMs(schedule.from))
  const last = schedule.until === undefined ? Infinity : dateMs(schedule.until)
  for (const date of datesFrom(schedule, first)) {
    if (date > last) return null
    const moment = momentOn(date)
    if (moment > after) return moment
  }
  return null
}

/** How far back a dry run looks: a year and a day, so that this date of last year is still in it. */
const YEAR_MS = 366 * DAY_MS
export const yearBefore = (now: Date): Date => new Date(now.getTime() - YEAR_MS)

/** When the schedule would have run in the year before this moment, oldest first, whenever it is to begin and to end. */
export function runsOfPastYear(schedule: RuleSchedule, now: Date): { from: Date; runs: Date[] } {
  const from = yearBefore(now)
  const runs: Date[] = []
  if (schedule.repeat === 'once') return { from, runs }
  const { from: _from, until: _until, count: _count, ...always } = schedule
  for (let at = nextRunAfter(always, from, 0); at !== null && at <= now; at = nextRunAfter(always, at, 0)) {
    runs.push(at)
  }
  return { from, runs }
}
