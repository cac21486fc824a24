import type { Candle } from '@kantor/contract/api'
import { describe, expect, test } from 'vitest'
import { candleRequest, marksOf, RANGES, secondsOf, shownOf, summaryOf } from './chart-data.ts'

const candle = (at: string, low = '1', high = '2'): Candle => ({
  at,
  open: '1.5',
  high,
  low,
  close: '1.75',
  volume: '10',
})
const DAYS = ['2026-11-16', '2026-11-17', '2026-11-18'].map((day) => candle(`${day}T05:00:00.000Z`))

describe('candleRequest', () => {
  test('is the same request within a minute', () => {
    const early = candleRequest('1M', new Date('2026-11-22T12:00:01Z'))
    expect(candleRequest('1M', new Date('2026-11-22T12:00:59Z'))).toEqual(early)
    expect(early).toEqual({ span: 'day', from: '2026-10-22T12:00:00.000Z' })
  })

  test('asks for fewer than 1500 candles in every range', () => {
    const minutes = { minute: 1, fiveMinutes: 5, hour: 60, day: 1440, week: 10_080 }
    const now = new Date('2026-11-22T12:00:00Z')
    for (const range of RANGES) {
      const { span, from } = candleRequest(range, now)
      expect((now.getTime() - Date.parse(from)) / 60_000 / minutes[span]).toBeLessThan(1500)
    }
  })
})

test('one day is the last session, also on a Sunday', () => {
  const friday = candle('2026-11-20T20:55:00.000Z')
  const candles = [candle('2026-11-19T20:55:00.000Z'), candle('2026-11-20T14:30:00.000Z'), friday]
  expect(shownOf('1D', candles)).toEqual(candles.slice(1))
  expect(shownOf('1W', candles)).toEqual(candles)
  expect(shownOf('1D', [])).toEqual([])
})

describe('marksOf', () => {
  test.each([
    ['on its own day', '2026-11-17', '2026-11-17'],
    ['on the last one before, on a day without trade', '2026-11-21', '2026-11-18'],
  ])('marks a split %s', (_name, on, day) => {
    expect(marksOf(DAYS, [{ kind: 'split', on, text: '4:1' }])).toEqual([
      { kind: 'split', time: secondsOf(`${day}T05:00:00.000Z`) },
    ])
  })

  test('leaves out what was before the range, and all without candles', () => {
    const before = { kind: 'dividend', on: '2025-01-01', text: '0.24 USD' } as const
    expect(marksOf(DAYS, [before])).toEqual([])
    expect(marksOf([], [before])).toEqual([])
  })

  test('in the order of time, as the chart demands', () => {
    const marks = marksOf(DAYS, [
      { kind: 'dividend', on: '2026-11-18', text: '' },
      { kind: 'split', on: '2026-11-16', text: '' },
    ])
    expect(marks.map((mark) => mark.kind)).toEqual(['split', 'dividend'])
  })
})

test('the summary compares figures, not text', () => {
  const candles = [
    candle('2026-11-16T05:00:00.000Z', '9', '10'),
    candle('2026-11-17T05:00:00.000Z', '10', '9.5'),
  ]
  expect(summaryOf(candles)).toEqual({ first: '1.5', last: '1.75', low: '9', high: '10' })
  expect(summaryOf([])).toBeNull()
})
