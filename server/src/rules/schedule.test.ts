import type { RuleSchedule } from '@kantor/contract/api'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nextRunAfter, runsOfPastYear } from './schedule.ts'
import { momentOf, wallTimeAt } from './time-zone.ts'

const WARSAW = 'Europe/Warsaw'
const monthly = (day: number, more: object = {}): RuleSchedule => ({
  repeat: 'monthly',
  day,
  at: '09:00',
  timeZone: WARSAW,
  ...more,
})
const weekly = (weekday: number, more: object = {}): RuleSchedule => ({
  repeat: 'weekly',
  weekday,
  at: '09:00',
  timeZone: WARSAW,
  ...more,
})

/** The next runs, each after the one before, as text. */
function runs(schedule: RuleSchedule, after: string, count: number): string[] {
  const found: string[] = []
  let at: Date | null = new Date(after)
  for (let run = 0; run < count; run += 1) {
    at = nextRunAfter(schedule, at, run)
    if (at === null) break
    found.push(at.toISOString().replace(':00.000Z', 'Z'))
  }
  return found
}

describe('monthly', () => {
  test('on the 31st means the last day of every month, leap years included', () => {
    expect(runs(monthly(31), '2028-01-01T00:00:00Z', 5)).toEqual([
      '2028-01-31T08:00Z',
      '2028-02-29T08:00Z',
      '2028-03-31T07:00Z',
      '2028-04-30T07:00Z',
      '2028-05-31T07:00Z',
    ])
    expect(runs(monthly(31), '2026-02-01T00:00:00Z', 1)).toEqual(['2026-02-28T08:00Z'])
  })
  test('on the 29th or 30th is on that day where there is one', () => {
    expect(runs(monthly(30), '2026-01-15T00:00:00Z', 3)).toEqual([
      '2026-01-30T08:00Z',
      '2026-02-28T08:00Z',
      '2026-03-30T07:00Z',
    ])
  })
  test('does not begin before its first date, nor go on after its last', () => {
    const schedule = monthly(10, { from: '2026-03-11', until: '2026-05-09' })
    expect(runs(schedule, '2026-01-01T00:00:00Z', 5)).toEqual(['2026-04-10T07:00Z'])
  })
  test('ends when it has run as often as was said', () => {
    expect(runs(monthly(1, { count: 2 }), '2026-01-01T12:00:00Z', 5)).toHaveLength(2)
  })
})

describe('weekly', () => {
  test('is on its weekday, at the same time on the clocks there, in summer and in winter', () => {
    expect(runs(weekly(1), '2026-10-18T00:00:00Z', 3)).toEqual([
      '2026-10-19T07:00Z',
      '2026-10-26T08:00Z',
      '2026-11-02T08:00Z',
    ])
  })
  test('is not due again at the moment that it ran', () => {
    expect(runs(weekly(7), '2026-11-22T08:00:00Z', 1)).toEqual(['2026-11-29T08:00Z'])
    expect(runs(weekly(7), '2026-11-22T07:59:59.999Z', 1)).toEqual(['2026-11-22T08:00Z'])
  })
})

describe('once', () => {
  const once: RuleSchedule = { repeat: 'once', on: '2026-12-24', at: '18:30', timeZone: WARSAW }
  test.each([
    ['before', '2026-11-22T00:00:00Z', 0, '2026-12-24T17:30:00.000Z'],
    ['at its moment', '2026-12-24T17:30:00Z', 0, null],
    ['after its run, with the clock put back', '2026-11-22T00:00:00Z', 1, null],
  ])('%s', (_, after, run, expected) => {
    expect(nextRunAfter(once, new Date(after), run)?.toISOString() ?? null).toBe(expected)
  })
})

describe('a time on the clocks of a zone', () => {
  test.each([
    ['that is skipped in spring is as much later', '2026-03-29T02:30', WARSAW, '2026-03-29T01:30:00.000Z'],
    ['that comes twice in autumn is the first one', '2026-10-25T02:30', WARSAW, '2026-10-25T00:30:00.000Z'],
    ['skipped in New York', '2026-03-08T02:30', 'America/New_York', '2026-03-08T07:30:00.000Z'],
    ['twice in New York', '2026-11-01T01:30', 'America/New_York', '2026-11-01T05:30:00.000Z'],
    ['by half an hour', '2026-10-04T02:15', 'Australia/Lord_Howe', '2026-10-03T15:45:00.000Z'],
    ['at midnight that is skipped', '2026-09-06T00:00', 'America/Santiago', '2026-09-06T04:00:00.000Z'],
    ['on a day that was skipped', '2011-12-30T09:00', 'Pacific/Apia', '2011-12-30T19:00:00.000Z'],
    ['three quarters off', '2026-01-01T00:00', 'Asia/Kathmandu', '2025-12-31T18:15:00.000Z'],
    ['in UTC', '2026-01-01T00:00', 'UTC', '2026-01-01T00:00:00.000Z'],
  ])('%s', (_, wall, zone, expected) => {
    expect(momentOf(Date.parse(`${wall}:00Z`), zone).toISOString()).toBe(expected)
  })
})

const zones = fc.constantFrom(
  WARSAW,
  'America/New_York',
  'America/Sao_Paulo',
  'Australia/Lord_Howe',
  'Asia/Tehran',
  'Africa/Casablanca',
  'Pacific/Chatham',
  'America/Santiago',
  'Europe/Dublin',
  'UTC',
)
const times = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`)
const moments = fc.date({
  min: new Date('2015-01-01T00:00:00Z'),
  max: new Date('2040-01-01T00:00:00Z'),
  noInvalidDate: true,
})
const schedules: fc.Arbitrary<RuleSchedule> = fc.oneof(
  fc.record({
    repeat: fc.constant('weekly' as const),
    weekday: fc.integer({ min: 1, max: 7 }),
    at: times,
    timeZone: zones,
  }),
  fc.record({
    repeat: fc.constant('monthly' as const),
    day: fc.integer({ min: 1, max: 31 }),
    at: times,
    timeZone: zones,
  }),
)

/** The date on the clocks of the schedule's zone, by another way than the code's: what Swedish writes is ISO. */
function dateThere(at: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(at)
}

describe('whatever the zone, the clock and the calendar', () => {
  test('every date has exactly one run: dates of a month or weekday follow each other without a gap or a double', () => {
    fc.assert(
      fc.property(schedules, moments, (schedule, after) => {
        let at = after
        const dates: string[] = []
        for (let run = 0; run < 30; run += 1) {
          const next = nextRunAfter(schedule, at, run)
          if (next === null) throw new Error('it has no end')
          expect(next.getTime()).toBeGreaterThan(at.getTime())
          dates.push(dateThere(next, schedule.timeZone))
          at = next
        }
        const distances = dates.slice(1).map((date, index) => {
          const before = dates[index] ?? ''
          return schedule.repeat === 'weekly'
            ? (Date.parse(date) - Date.parse(before)) / 86_400_000
            : (Number(date.slice(0, 4)) - Number(before.slice(0, 4))) * 12 +
                Number(date.slice(5, 7)) -
                Number(before.slice(5, 7))
        })
        expect(new Set(distances)).toEqual(new Set([schedule.repeat === 'weekly' ? 7 : 1]))
      }),
      { numRuns: 150 },
    )
  })

  test('a run asked for from any moment between two is the later of the two', () => {
    fc.assert(
      fc.property(
        schedules,
        moments,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (schedule, after, share) => {
          const first = nextRunAfter(schedule, after, 0)
          const second = first && nextRunAfter(schedule, first, 0)
          if (first === null || second === null) throw new Error('it has no end')
          const span = second.getTime() - first.getTime() - 1
          const between = new Date(first.getTime() + Math.floor(share * span))
          expect(nextRunAfter(schedule, between, 0)).toEqual(second)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('clocks show the time that was asked for, unless they skip it', () => {
    fc.assert(
      fc.property(moments, zones, (at, zone) => {
        const wall = Math.floor(wallTimeAt(at, zone) / 60_000) * 60_000
        // What some moment shows is skipped by nobody.
        expect(wallTimeAt(momentOf(wall, zone), zone)).toBe(wall)
      }),
      { numRuns: 500 },
    )
  })
})

test('the past year of a schedule has its 52 or 53 weeks and twelve or thirteen months, whenever it begins', () => {
  const now = new Date('2026-11-22T12:00:00Z')
  expect(runsOfPastYear(weekly(5, { from: '2030-01-01' }), now).runs).toHaveLength(52)
  expect(runsOfPastYear(monthly(31, { count: 1 }), now).runs).toHaveLength(12)
  expect(
    runsOfPastYear({ repeat: 'once', on: '2026-01-01', at: '09:00', timeZone: WARSAW }, now).runs,
  ).toEqual([])
})
