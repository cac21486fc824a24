import { dayAfter, newYorkMidnight } from './new-york.ts'

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
  if (weekdayOf(date) === 0 || weekdayOf(date) === 6) return null
  const holiday = simulatedHolidays(Number(date.slice(0, 4))).get(date)
  if (holiday?.status === 'closed') return null
  const halfDay = holiday !== undefined
  // Clocks change at night and on Sundays, so a weekday's hours are counted from its midnight.
  const midnight = newYorkMidnight(date)
  return { opensAt: midnight + 9.5 * HOUR_MS, closesAt: midnight + (halfDay ? 13 : 16) * HOUR_MS, halfDay }
}

export interface SimulatedHoliday {
  readonly name: string
  readonly status: 'closed' | 'earlyClose'
}

const yearsKnown = new Map<number, ReadonlyMap<string, SimulatedHoliday>>()

/**
 * The holidays and half days of a year by the rules of the New York Stock Exchange
 * (https://www.nyse.com/markets/hours-calendars). The simulated market keeps today's rules in all years.
 */
export function simulatedHolidays(year: number): ReadonlyMap<string, SimulatedHoliday> {
  const known = yearsKnown.get(year)
  if (known !== undefined) return known
  const holidays = new Map([...closedDays(year), ...halfDays(year)])
  yearsKnown.set(year, holidays)
  return holidays
}

function closedDays(year: number): [string, SimulatedHoliday][] {
  const newYear = day(year, 1, 1)
  const days: [string, string][] = [
    // A New Year's Day on a Saturday is not made up for: the last Friday of a year ends the books.
    ...(weekdayOf(newYear) === 6 ? [] : [[observed(newYear), 'New Year’s Day'] as [string, string]]),
    [nthWeekday(year, 1, 1, 3), 'Martin Luther King Jr. Day'],
    [nthWeekday(year, 2, 1, 3), 'Presidents’ Day'],
    [dayAfter(easterSunday(year), -2), 'Good Friday'],
    [lastMonday(year, 5), 'Memorial Day'],
    [observed(day(year, 6, 19)), 'Juneteenth'],
    [observed(day(year, 7, 4)), 'Independence Day'],
    [nthWeekday(year, 9, 1, 1), 'Labor Day'],
    [nthWeekday(year, 11, 4, 4), 'Thanksgiving'],
    [observed(day(year, 12, 25)), 'Christmas'],
  ]
  return days.map(([date, name]) => [date, { name, status: 'closed' }])
}

function halfDays(year: number): [string, SimulatedHoliday][] {
  const eves = [day(year, 7, 3), day(year, 12, 24)].filter((eve) => [1, 2, 3, 4].includes(weekdayOf(eve)))
  return [dayAfter(nthWeekday(year, 11, 4, 4), 1), ...eves].map((date) => [
    date,
    { name: 'Early close', status: 'earlyClose' },
  ])
}

/** On a Saturday: the Friday before. On a Sunday: the Monday after. */
function observed(date: string): string {
  const weekday = weekdayOf(date)
  return weekday === 6 ? dayAfter(date, -1) : weekday === 0 ? dayAfter(date, 1) : date
}

function nthWeekday(year: number, month: number, weekday: number, nth: number): string {
  const first = day(year, month, 1)
  return dayAfter(first, ((weekday - weekdayOf(first) + 7) % 7) + (nth - 1) * 7)
}

function lastMonday(year: number, month: number): string {
  const last = dayAfter(day(year, month + 1, 1), -1)
  return dayAfter(last, -((weekdayOf(last) + 6) % 7))
}

/** Gregorian Easter, by the anonymous algorithm (Meeus, Astronomical Algorithms, chapter 8). */
function easterSunday(year: number): string {
  const [a, b, c] = [year % 19, Math.floor(year / 100), year % 100]
  const d = Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3)
  const e = (19 * a + b - Math.floor(b / 4) - d + 15) % 30
  const f = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - e - (c % 4)) % 7
  const g = Math.floor((a + 11 * e + 22 * f) / 451)
  const sum = e + f - 7 * g + 114
  return day(year, Math.floor(sum / 31), (sum % 31) + 1)
}

function day(year: number, month: number, date: number): string {
  return new Date(Date.UTC(year, month - 1, date)).toISOString().slice(0, 10)
}

/** 0 is Sunday. */
export function weekdayOf(date: string): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay()
}
