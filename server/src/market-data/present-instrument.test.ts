import { expect, test } from 'vitest'
import { dayRangeOf } from './present-instrument.ts'
import { storedRate } from './stock-prices.ts'

const day = { at: new Date('2026-03-02T05:00:00Z'), low: '99.5', high: '101' }

test.each([
  { what: 'within it', last: '100.25', at: '2026-03-02T16:00:00Z', low: '99.5', high: '101' },
  { what: 'above it', last: '101.07', at: '2026-03-02T16:00:00Z', low: '99.5', high: '101.07' },
  { what: 'below it', last: '9.95', at: '2026-03-02T16:00:00Z', low: '9.95', high: '101' },
  { what: 'of another day', last: '120', at: '2026-03-03T05:00:00Z', low: '99.5', high: '101' },
])('a day’s range holds the newest price of the day: $what', ({ last, at, low, high }) => {
  expect(dayRangeOf(day, { last: storedRate(last), asOf: new Date(at) })).toEqual({ low, high })
})

test('a day’s range stays as it is while the price is unknown', () => {
  expect(dayRangeOf(day, null)).toEqual({ low: '99.5', high: '101' })
})
