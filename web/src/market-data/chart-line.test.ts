import { describe, expect, test } from 'vitest'
import { chartLine, nearestSpot } from './chart-line.ts'

const points = (...closes: string[]) =>
  closes.map((close, n) => ({
    at: new Date(Date.UTC(2026, 10, 1 + n)).toISOString(),
    open: close,
    high: close,
    low: close,
    close,
  }))

describe('chartLine', () => {
  test('fills the width by time and the height between lowest and highest', () => {
    const line = chartLine(points('4.10', '4.30', '4.20'))
    expect(line?.spots).toEqual([
      { x: 0, y: 152 },
      { x: 300, y: 8 },
      { x: 600, y: 80 },
    ])
    expect(line?.path).toBe('M0 152L300 8L600 80')
    expect([line?.low.close, line?.high.close, line?.changeBps]).toEqual(['4.10', '4.30', 244])
  })

  test('a pair that stood still is a line in the middle', () => {
    expect(chartLine(points('1', '1'))?.spots.map(({ y }) => y)).toEqual([80, 80])
  })

  test('one point or none is no line', () => {
    expect(chartLine(points('4.10'))).toBeNull()
    expect(chartLine([])).toBeNull()
  })
})

test('the pointer finds the nearest point', () => {
  const spots = [{ x: 0 }, { x: 300 }, { x: 600 }]
  expect([0, 0.2, 0.3, 0.9, 1].map((share) => nearestSpot(spots, share))).toEqual([0, 0, 1, 2, 2])
})
