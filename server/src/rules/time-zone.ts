/**
 * Wall clocks of time zones, by the data that `Intl` carries. A wall time is written as the milliseconds that the same
 * figures would have in UTC, so that dates are added and compared without a zone.
 */
const DAY_MS = 86_400_000

/** Making a formatter costs about a thousand times one formatting. There are some 600 zones and their older names. */
const FORMATTERS_MAX = 1_000
const formatters = new Map<string, Intl.DateTimeFormat>()

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone)
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone,
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      hourCycle: 'h23',
    })
    if (formatters.size >= FORMATTERS_MAX) formatters.clear()
    formatters.set(timeZone, formatter)
  }
  return formatter
}

/** What clocks show there at this moment. Whole seconds: no zone has had a fraction of one in its offset. */
export function wallTimeAt(at: Date, timeZone: string): number {
  const parts = new Map(
    formatterOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  )
  const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type))
  return Date.UTC(
    number('year'),
    number('month') - 1,
    number('day'),
    number('hour'),
    number('minute'),
    number('second'),
  )
}

function offsetAt(ms: number, timeZone: string): number {
  const whole = Math.floor(ms / 1_000) * 1_000
  return wallTimeAt(new Date(whole), timeZone) - whole
}

/**
 * The moment at which clocks there show this. A time that they show twice (an hour is put back) is the first of the
 * two; one that they skip is as much later as was skipped, 02:30 → 03:30: what RFC 5545 (3.3.5) says of both. So
 * every date has exactly one moment.
 */
export function momentOf(wallMs: number, timeZone: string): Date {
  // Offsets lie within a day of UTC, and no zone has changed its own twice within two days since 1970.
  const before = offsetAt(wallMs - DAY_MS, timeZone)
  const after = offsetAt(wallMs + DAY_MS, timeZone)
  const candidates = [wallMs - before, wallMs - after].toSorted((one, other) => one - other)
  const shown = candidates.find((ms) => ms + offsetAt(ms, timeZone) === wallMs)
  return new Date(shown ?? wallMs - before)
}
