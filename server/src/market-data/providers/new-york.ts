import { zonedMoment } from './zoned-time.ts'

/** Days that were asked about; a bound for hostile input, far above the 25,000 days since 1960. */
const DAYS_KEPT_MAX = 50_000
const midnights = new Map<string, number>()

const DAY_MS = 86_400_000

/** The moment, in ms, when YYYY-MM-DD begins in New York: where Polygon's days and weeks begin. */
export function newYorkMidnight(date: string): number {
  const known = midnights.get(date)
  if (known !== undefined) return known
  const midnight = zonedMoment(date, '00:00', 'America/New_York').getTime()
  if (midnights.size >= DAYS_KEPT_MAX) midnights.clear()
  midnights.set(date, midnight)
  return midnight
}

/** The calendar day in New York at that moment. Found from midnights that are kept: formatting costs 5 µs. */
export function newYorkDate(atMs: number): string {
  if (atMs !== last.atMs) last = { atMs, date: dateAt(atMs) }
  return last.date
}

/** All rows of a day have the same stamp. */
let last = { atMs: Number.NaN, date: '' }

function dateAt(atMs: number): string {
  // Four hours behind UTC in summer, five in winter: this guess is right but for an hour in winter.
  const guess = isoDay(atMs - 4 * 3_600_000)
  return atMs < newYorkMidnight(guess) ? dayAfter(guess, -1) : guess
}

/** YYYY-MM-DD, `days` later. */
export function dayAfter(date: string, days: number): string {
  return isoDay(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS)
}

function isoDay(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10)
}
