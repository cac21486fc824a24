import { describe, expect, it } from 'vitest'
import { isWeekend } from './weekend.ts'

describe('the weekend of the currency market', () => {
  it.each([
    ['Friday 16:59 in winter', '2026-01-16T21:59:59.999Z', false],
    ['Friday 17:00 in winter', '2026-01-16T22:00:00.000Z', true],
    ['Saturday', '2026-01-17T12:00:00.000Z', true],
    ['Sunday 17:59 in winter', '2026-01-18T22:59:59.999Z', true],
    ['Sunday 18:00 in winter', '2026-01-18T23:00:00.000Z', false],
    ['Friday 16:59 in summer', '2026-07-17T20:59:59.999Z', false],
    ['Friday 17:00 in summer', '2026-07-17T21:00:00.000Z', true],
    ['Sunday 18:00 in summer', '2026-07-19T22:00:00.000Z', false],
    ['Sunday 17:59, the day clocks go forward', '2026-03-08T21:59:59.999Z', true],
    ['Sunday 18:00, the day clocks go forward', '2026-03-08T22:00:00.000Z', false],
    ['Sunday 17:59, the day clocks go back', '2026-11-01T22:59:59.999Z', true],
    ['Sunday 18:00, the day clocks go back', '2026-11-01T23:00:00.000Z', false],
    ['Wednesday midnight in New York', '2026-11-18T05:00:00.000Z', false],
  ])('%s', (_, at, expected) => {
    expect(isWeekend(new Date(at))).toBe(expected)
  })
})
