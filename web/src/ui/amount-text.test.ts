import { describe, expect, test } from 'vitest'
import { exceeds, isZeroAmount, readAmount, writeAmount } from './amount-text.ts'

describe('readAmount', () => {
  test.each([
    ['1,234.5', 2, 'en-GB', '1234.50'],
    ['1 234,5', 2, 'pl-PL', '1234.50'],
    ['3*19.99', 2, 'en-GB', '59.97'],
    ['10+5,50', 2, 'pl-PL', '15.50'],
    ['150000', 0, 'en-GB', '150000'],
  ])('%s is read at %i digits in %s', (text, scale, tag, amount) => {
    expect(readAmount(text, scale, tag)).toEqual({ state: 'amount', amount })
  })

  test.each([
    ['12.345', 2, 'digits'],
    ['10/3', 2, 'digits'],
    ['12.', 2, 'shape'],
    ['-5', 2, 'shape'],
    ['1e3', 2, 'shape'],
    ['١٢', 2, 'shape'],
    ['99999999999999999999', 2, 'too_large'],
  ])('%s at %i digits is refused as %s, never repaired', (text, scale, reason) => {
    expect(readAmount(text, scale, 'en-GB')).toEqual({ state: 'wrong', reason })
  })

  test('blanks are nothing yet', () => {
    expect(readAmount('  ', 2, 'en-GB')).toEqual({ state: 'empty' })
  })

  test.each(['en-GB', 'pl-PL'])('what a field shows in %s can be typed back', (tag) => {
    const shown = writeAmount('1234567.89', 2, tag)
    expect(readAmount(shown, 2, tag)).toEqual({ state: 'amount', amount: '1234567.89' })
  })
})

test('amounts are compared as amounts, not as text', () => {
  expect(exceeds('9.00', '10.00', 2)).toBe(false)
  expect(exceeds('10.01', '10.00', 2)).toBe(true)
  expect(exceeds('10.00', '10.00', 2)).toBe(false)
  expect(isZeroAmount('0.00')).toBe(true)
  expect(isZeroAmount('0.01')).toBe(false)
})
