/**
 * The moment when clocks of `timeZone` show `date` and `time`. Feeds that only name a day publish at a fixed
 * local hour, which daylight saving moves in UTC.
 * @param date YYYY-MM-DD  @param time HH:MM, not inside the hour that daylight saving skips or repeats
 */
export function zonedMoment(date: string, time: string, timeZone: string): Date {
  const asIfUtc = new Date(`${date}T${time}:00Z`)
  return new Date(asIfUtc.getTime() - offsetMs(asIfUtc, timeZone))
}

/** Making one costs half a millisecond, using it a few microseconds; there are as many as zones in our code. */
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  formats.set(timeZone, made)
  return made
}

function offsetMs(at: Date, timeZone: string): number {
  const shown = formatOf(timeZone).format(at)
  return new Date(`${shown.replace(' ', 'T')}Z`).getTime() - at.getTime()
}

/** A calendar day that exists, as text. */
export function isCalendarDay(text: string): boolean {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : null
  return day !== null && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}
