import { expect, test } from 'vitest'
import { createMarketHours, sessionOfDay } from './market-hours.ts'
import { nyseDay } from './providers/nyse-calendar.ts'
import { isStale } from './price-book.ts'

// From the exchange's published tables (nyse.com/markets/hours-calendars and its archive).
const CLOSED = [
  '2021-01-01',
  '2021-04-02',
  '2021-07-05',
  '2021-12-24',
  '2022-01-17',
  '2022-04-15',
  '2022-06-20',
  '2022-12-26',
  '2023-01-02',
  '2023-04-07',
  '2023-06-19',
  '2023-07-04',
  '2024-03-29',
  '2024-05-27',
  '2024-11-28',
  '2025-01-01',
  '2025-01-09',
  '2025-01-20',
  '2025-02-17',
  '2025-04-18',
  '2025-06-19',
  '2025-09-01',
  '2026-01-01',
  '2026-01-19',
  '2026-02-16',
  '2026-04-03',
  '2026-05-25',
  '2026-06-19',
  '2026-07-03',
  '2026-09-07',
  '2026-11-26',
  '2026-12-25',
  '2027-03-26',
  '2027-06-18',
  '2027-07-05',
  '2027-12-24',
]
const HALF = [
  '2023-07-03',
  '2024-07-03',
  '2024-11-29',
  '2024-12-24',
  '2025-07-03',
  '2025-11-28',
  '2026-11-27',
  '2026-12-24',
]
const FULL = [
  '2021-06-18',
  '2021-12-31',
  '2022-01-03',
  '2022-07-01',
  '2026-07-02',
  '2027-12-31',
  '2026-10-12',
  '2026-11-11',
]

test.each(CLOSED)('%s is a holiday', (date) => {
  expect(nyseDay(date)).toMatchObject({ kind: 'closed', name: expect.not.stringMatching('Weekend') })
})
test.each(HALF)('%s ends at one', (date) => {
  expect(nyseDay(date).kind).toBe('half')
})
test.each(FULL)('%s is an ordinary day', (date) => {
  expect(nyseDay(date).kind).toBe('full')
})

test.each([
  // Winter, summer, and the weeks in which America has changed its clocks and Europe has not.
  ['2026-01-15', '2026-01-15T14:30:00.000Z', '2026-01-15T21:00:00.000Z'],
  ['2026-07-15', '2026-07-15T13:30:00.000Z', '2026-07-15T20:00:00.000Z'],
  ['2026-03-09', '2026-03-09T13:30:00.000Z', '2026-03-09T20:00:00.000Z'],
  ['2026-11-02', '2026-11-02T14:30:00.000Z', '2026-11-02T21:00:00.000Z'],
  ['2026-11-27', '2026-11-27T14:30:00.000Z', '2026-11-27T18:00:00.000Z'],
])('the session of %s is %s to %s', (date, opensAt, closesAt) => {
  const session = sessionOfDay(date, undefined)
  expect([session?.opensAt.toISOString(), session?.closesAt.toISOString()]).toEqual([opensAt, closesAt])
})

const hours = createMarketHours({
  db: { query: () => Promise.reject(new Error('not asked')) },
  clock: () => new Date('2026-11-20T12:00:00Z'),
  aroundTheClock: false,
  log: { warn: () => {} },
})

test('a closed market names its next session, over Thanksgiving too', () => {
  const thanksgiving = hours.session('XNAS', new Date('2026-11-26T15:00:00Z'))
  expect(thanksgiving).toEqual({
    open: false,
    opensAt: new Date('2026-11-27T14:30:00.000Z'),
    closesAt: new Date('2026-11-27T18:00:00.000Z'),
    halfDay: true,
  })
  expect(hours.session('XNAS', new Date('2026-11-27T18:00:00Z')).opensAt).toEqual(
    new Date('2026-11-30T14:30:00.000Z'),
  )
  expect(hours.session('XNAS', new Date('2026-11-27T17:59:59.999Z')).open).toBe(true)
  expect(hours.lastClosed('XNAS', new Date('2026-11-29T12:00:00Z'))).toEqual({
    date: '2026-11-27',
    closesAt: new Date('2026-11-27T18:00:00.000Z'),
  })
})

test.each([
  ['live, in session, a minute old', 'realTime', '2026-11-20T15:59:00Z', '2026-11-20T16:00:00Z', false],
  ['live, in session, an hour old', 'realTime', '2026-11-20T15:00:00Z', '2026-11-20T16:00:00Z', true],
  ['live, of the close, on Sunday', 'realTime', '2026-11-20T20:59:00Z', '2026-11-22T12:00:00Z', false],
  ['live, of Thursday, on Sunday', 'realTime', '2026-11-19T20:59:00Z', '2026-11-22T12:00:00Z', true],
  ['live, of Friday, at Monday’s opening', 'realTime', '2026-11-20T20:59:00Z', '2026-11-23T14:31:00Z', false],
  ['delayed by a quarter of an hour', 'delayed', '2026-11-20T15:40:00Z', '2026-11-20T16:00:00Z', false],
  ['end of day, of yesterday', 'endOfDay', '2026-11-19T21:00:00Z', '2026-11-20T20:00:00Z', false],
  [
    'end of day, of yesterday, after the close',
    'endOfDay',
    '2026-11-19T21:00:00Z',
    '2026-11-20T22:00:00Z',
    false,
  ],
  ['end of day, of three days ago', 'endOfDay', '2026-11-17T21:00:00Z', '2026-11-20T20:00:00Z', true],
] as const)('a price %s', (_name, timeliness, asOf, now, stale) => {
  expect(isStale(hours, { timeliness, asOf: new Date(asOf) }, new Date(now))).toBe(stale)
})
