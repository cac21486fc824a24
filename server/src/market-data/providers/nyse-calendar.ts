/**
 * The calendar of NYSE and Nasdaq by rule (NYSE Rule 7.2 and the published holiday tables): holidays, the days
 * on which they are observed, and the days that end at 13:00. What no rule tells (mourning, storms) is listed.
 */
export type CalendarDay = { readonly kind: 'full' | 'half' | 'closed'; readonly name: string | null }

const UNFORESEEN: Readonly<Record<string, string>> = {
  '2004-06-11': 'Day of mourning for Ronald Reagan',
  '2007-01-02': 'Day of mourning for Gerald Ford',
  '2012-10-29': 'Hurricane Sandy',
  '2012-10-30': 'Hurricane Sandy',
  '2018-12-05': 'Day of mourning for George H. W. Bush',
  '2025-01-09': 'Day of mourning for Jimmy Carter',
}

const FULL: CalendarDay = { kind: 'full', name: null }
const WEEKEND: CalendarDay = { kind: 'closed', name: 'Weekend' }

/** @param date YYYY-MM-DD in New York */
export function nyseDay(date: string): CalendarDay {
  const weekday = weekdayOf(date)
  if (weekday === 0 || weekday === 6) return WEEKEND
  return nyseSpecialDays(Number(date.slice(0, 4))).get(date) ?? FULL
}

const YEARS_KEPT_MAX = 200
const specialDaysByYear = new Map<number, ReadonlyMap<string, CalendarDay>>()

/** The working days of a year that are not as the others: closed, or half. By date, in no order. */
export function nyseSpecialDays(year: number): ReadonlyMap<string, CalendarDay> {
  const known = specialDaysByYear.get(year)
  if (known !== undefined) return known
  const unforeseen = Object.entries(UNFORESEEN).filter(([date]) => date.startsWith(`${year}-`))
  const days = new Map<string, CalendarDay>([
    ...[...halfDaysOf(year)].map(([date, name]) => [date, { kind: 'half', name }] as const),
    ...[...holidaysOf(year), ...unforeseen].map(([date, name]) => [date, { kind: 'closed', name }] as const),
  ])
  if (specialDaysByYear.size >= YEARS_KEPT_MAX) specialDaysByYear.clear()
  specialDaysByYear.set(year, days)
  return days
}

function holidaysOf(year: number): ReadonlyMap<string, string> {
  const holidays = new Map<string, string>([
    [nthWeekday(year, 1, 1, 3), 'Martin Luther King Jr. Day'],
    [nthWeekday(year, 2, 1, 3), 'Presidents’ Day'],
    [shift(easterSunday(year), -2), 'Good Friday'],
    [lastMonday(year, 5), 'Memorial Day'],
    [observed(iso(year, 7, 4)), 'Independence Day'],
    [nthWeekday(year, 9, 1, 1), 'Labor Day'],
    [nthWeekday(year, 11, 4, 4), 'Thanksgiving Day'],
    [observed(iso(year, 12, 25)), 'Christmas Day'],
  ])
  // A New Year's Day on a Saturday is not made up for: the Friday before closes the year's books.
  const newYear = iso(year, 1, 1)
  if (weekdayOf(newYear) !== 6) holidays.set(observed(newYear), 'New Year’s Day')
  if (year >= 2022) holidays.set(observed(iso(year, 6, 19)), 'Juneteenth')
  return holidays
}

/** 13:00: before Independence Day, after Thanksgiving, before Christmas; only where that day is a working day. */
function halfDaysOf(year: number): ReadonlyMap<string, string> {
  const halves = new Map<string, string>([[shift(nthWeekday(year, 11, 4, 4), 1), 'Day after Thanksgiving']])
  const independence = weekdayOf(iso(year, 7, 4))
  if (independence >= 2 && independence <= 5) halves.set(iso(year, 7, 3), 'Day before Independence Day')
  const christmas = weekdayOf(iso(year, 12, 25))
  if (christmas >= 2 && christmas <= 5) halves.set(iso(year, 12, 24), 'Christmas Eve')
  return halves
}

/** Saturday's holiday is kept on Friday, Sunday's on Monday. */
function observed(date: string): string {
  const weekday = weekdayOf(date)
  if (weekday === 6) return shift(date, -1)
  return weekday === 0 ? shift(date, 1) : date
}

/** Gregorian computus of Meeus, Jones and Butcher (Nature, 20 April 1876). */
function easterSunday(year: number): string {
  const a = year % 19
  const b = Math.floor(year / 100)
  const c = year % 100
  const d = Math.floor(b / 4)
  const e = b % 4
  const f = Math.floor((b + 8) / 25)
  const g = Math.floor((b - f + 1) / 3)
  const h = (19 * a + b - d - g + 15) % 30
  const i = Math.floor(c / 4)
  const k = c % 4
  const l = (32 + 2 * e + 2 * i - h - k) % 7
  const m = Math.floor((a + 11 * h + 22 * l) / 451)
  const month = Math.floor((h + l - 7 * m + 114) / 31)
  const day = ((h + l - 7 * m + 114) % 31) + 1
  return iso(year, month, day)
}

/** @param weekday 0 Sunday … 6 Saturday */
function nthWeekday(year: number, month: number, weekday: number, nth: number): string {
  const offset = (weekday - weekdayOf(iso(year, month, 1)) + 7) % 7
  return iso(year, month, 1 + offset + 7 * (nth - 1))
}

function lastMonday(year: number, month: number): string {
  const fourth = nthWeekday(year, month, 1, 4)
  const fifth = shift(fourth, 7)
  return fifth.slice(5, 7) === fourth.slice(5, 7) ? fifth : fourth
}

const weekdayOf = (date: string): number => new Date(`${date}T00:00:00Z`).getUTCDay()
const iso = (year: number, month: number, day: number): string =>
  `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
const shift = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
