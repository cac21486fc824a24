import { expect, test } from 'vitest'
import { missingWidth, splitFraction } from './fraction.ts'

test.each([
  ['.55', ['.55', '']],
  ['', ['', '']],
  ['.250', ['.250', '']],
  ['.51230000', ['.51', '230000']],
])('%j is drawn as %j', (fraction, parts) => {
  expect(splitFraction(fraction)).toEqual(parts)
})

test('every figure of a list ends where its fraction would, had it the widest', () => {
  const all = ['.55', '', '.51230000']
  expect(all.map((own) => missingWidth(own, all))).toEqual([
    'calc(3.90ch + 0.00em)',
    'calc(5.90ch + 0.28em)',
    'calc(0.00ch + 0.00em)',
  ])
  expect(missingWidth('.55', ['.55', '.10'])).toBe('calc(0.00ch + 0.00em)')
})
