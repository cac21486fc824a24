const HOUR_MS = 3_600_000

const day = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/New_York' })
const hour = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  hour: '2-digit',
  hourCycle: 'h23',
})

/** The calendar day in New York, YYYY-MM-DD: days of corporate actions are the exchange's. */
export function newYorkDay(at: Date): string {
  return day.format(at)
}

/** The moment when that day begins in New York. Clocks change at 2 in the night, so midnight is one of two. */
export function newYorkDayStart(date: string): Date {
  const inWinter = new Date(Date.parse(`${date}T00:00:00Z`) + 5 * HOUR_MS)
  return Number(hour.format(inWinter)) === 0 ? inWinter : new Date(inWinter.getTime() - HOUR_MS)
}
