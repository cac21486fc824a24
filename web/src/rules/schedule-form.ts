import type { RuleSchedule } from '@kantor/contract/api'

/** A schedule as it is being put together; texts, since that is what fields hold. */
export interface ScheduleForm {
  repeat: RuleSchedule['repeat']
  on: string
  weekday: string
  day: string
  at: string
}

/** The zone that the clocks of this device show. */
export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone

/** Tomorrow at nine: nothing that is planned should happen while it is being planned. */
export function openingSchedule(repeat: RuleSchedule['repeat'], now = new Date()): ScheduleForm {
  const tomorrow = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, 12)
  const on = [tomorrow.getFullYear(), tomorrow.getMonth() + 1, tomorrow.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-')
  const weekday = tomorrow.getDay() === 0 ? 7 : tomorrow.getDay()
  return { repeat, on, weekday: String(weekday), day: String(tomorrow.getDate()), at: '09:00' }
}

/** What the server is asked for; null while a field is empty. */
export function scheduleOf(
  { repeat, on, weekday, day, at }: ScheduleForm,
  zone = ownZone(),
): RuleSchedule | null {
  if (!/^\d{2}:\d{2}$/u.test(at)) return null
  const clock = { at, timeZone: zone }
  if (repeat === 'weekly') return { repeat, weekday: Number(weekday), ...clock }
  if (repeat === 'monthly') return { repeat, day: Number(day), ...clock }
  return /^\d{4}-\d{2}-\d{2}$/u.test(on) ? { repeat, on, ...clock } : null
}
