/**
 * The moment when clocks of `timeZone` show `date` and `time`. Feeds that only name a day publish at a fixed
 * local hour, which daylight saving moves in UTC.
 * @param date YYYY-MM-DD  @param time HH:MM, not inside the hour that daylight saving skips or repeats
 */
export function zonedMoment(date: string, time: string, timeZone: string): Date {
  const asIfUtc = new Date(`${date}T${time}:00Z`)
  return new Date(asIfUtc.getTime() - offsetMs(asIfUtc, timeZone))
}

function offsetMs(at: Date, timeZone: string): number {
  const shown = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(at)
  return new Date(`${shown.replace(' ', 'T')}Z`).getTime() - at.getTime()
}

/** A calendar day that exists, as text. */
export function isCalendarDay(text: string): boolean {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : null
  return day !== null && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}
