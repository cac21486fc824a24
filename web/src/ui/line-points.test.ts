import { expect, test } from 'vitest'
import { linePoints } from './line-points.ts'

test.each([
  ['rises from the bottom left to the top right', ['1', '2', '3'], '0.0,19.0 50.0,10.0 100.0,1.0'],
  ['a flat one runs through the middle', ['5', '5'], '0.0,10.0 100.0,10.0'],
  ['what hardly moves is drawn nearly flat', ['10000', '10001'], '0.0,10.4 100.0,9.6'],
  ['a single value is a line too', ['5'], '0.0,10.0 100.0,10.0'],
  ['nothing draws nothing', [], ''],
  ['what is no number is left out', ['1', 'x', '3'], '0.0,19.0 100.0,1.0'],
])('%s', (_name, values, points) => {
  expect(linePoints(values, 100, 20)).toBe(points)
})
