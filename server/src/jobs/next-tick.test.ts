import { expect, test } from 'vitest'
import { nextTick } from './next-tick.ts'

test.each([
  ['*/5 * * * *', '2026-11-22T16:22:00Z', '2026-11-22T16:25:00.000Z'],
  // The minute that runs has had its tick.
  ['0 * * * *', '2026-11-22T16:00:00Z', '2026-11-22T17:00:00.000Z'],
  ['0 * * * *', '2026-11-22T16:59:59.999Z', '2026-11-22T17:00:00.000Z'],
  ['41 3 * * *', '2026-12-31T12:00:00Z', '2027-01-01T03:41:00.000Z'],
  ['30 2 * * 1', '2026-11-22T16:00:00Z', '2026-11-23T02:30:00.000Z'],
  ['0 0 29 2 *', '2027-03-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
  // In Warsaw there is no 02:30 on this day, and two of them on the other: in UTC there is one of each.
  ['30 1 * * *', '2026-03-29T00:59:00Z', '2026-03-29T01:30:00.000Z'],
  ['30 0 * * *', '2026-10-25T00:30:00Z', '2026-10-26T00:30:00.000Z'],
  ['0 0 30 2 *', '2026-01-01T00:00:00Z', undefined],
])('%s after %s is next at %s', (cron, after, next) => {
  expect(nextTick(cron, new Date(after))?.toISOString()).toBe(next)
})
