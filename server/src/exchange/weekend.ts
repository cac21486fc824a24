/** When the currency market sleeps: Friday 17:00 to Sunday 18:00 in New York, daylight saving included. */
const CLOSES_FRIDAY_HOUR = 17
const OPENS_SUNDAY_HOUR = 18

/** Making a formatter costs about a thousand times one formatting. */
const newYork = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  weekday: 'short',
  hour: '2-digit',
  hourCycle: 'h23',
})

/** Whether nobody makes a market in currencies at this moment, so that a rate may jump when they do again. */
export function isWeekend(at: Date): boolean {
  const parts = newYork.formatToParts(at)
  const weekday = parts.find((part) => part.type === 'weekday')?.value
  const hour = Number(parts.find((part) => part.type === 'hour')?.value)
  if (weekday === 'Fri') return hour >= CLOSES_FRIDAY_HOUR
  if (weekday === 'Sun') return hour < OPENS_SUNDAY_HOUR
  return weekday === 'Sat'
}
