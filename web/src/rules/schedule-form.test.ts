import { expect, test } from 'vitest'
import { openingSchedule, scheduleOf } from './schedule-form.ts'

test('a schedule opens tomorrow at nine, over the end of a year too', () => {
  expect(openingSchedule('monthly', new Date(2026, 11, 31, 23, 59))).toEqual({
    repeat: 'monthly',
    on: '2027-01-01',
    weekday: '5',
    day: '1',
    at: '09:00',
  })
})

test.each([
  ['once', { repeat: 'once', on: '2027-01-01', at: '09:00', timeZone: 'UTC' }],
  ['weekly', { repeat: 'weekly', weekday: 5, at: '09:00', timeZone: 'UTC' }],
  ['monthly', { repeat: 'monthly', day: 1, at: '09:00', timeZone: 'UTC' }],
] as const)('%s asks for what it says and nothing else', (repeat, wanted) => {
  expect(scheduleOf(openingSchedule(repeat, new Date(2026, 11, 31)), 'UTC')).toEqual(wanted)
})

test('an empty field asks for nothing', () => {
  const form = openingSchedule('once', new Date(2026, 11, 31))
  expect(scheduleOf({ ...form, on: '' }, 'UTC')).toBeNull()
  expect(scheduleOf({ ...form, at: '' }, 'UTC')).toBeNull()
})
