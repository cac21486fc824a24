import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluateAmountInput } from './amount-input.ts'
import { formatAmount } from './amount.ts'
import { longDivision, product, sum } from './test-oracle.ts'

describe('evaluateAmountInput', () => {
  test.each([
    ['3*19.99', 'en', '59.97'],
    ['10+5.5', 'en', '15.50'],
    ['10+5.5', 'pl', '15.50'],
    ['10+5,50', 'pl', '15.50'],
    ['1 234,56', 'pl', '1234.56'],
    ['1\u00a0234,56', 'pl', '1234.56'],
    ['1234,56', 'pl', '1234.56'],
    ['12 345 678,9', 'pl', '12345678.90'],
    ['1 234 + 5', 'pl', '1239.00'],
    ['1,234.56', 'en', '1234.56'],
    ['1,234', 'en', '1234.00'],
    ['1234.5', 'en', '1234.50'],
    ['1.234,56', 'de', '1234.56'],
    ['1.234', 'de', '1234.00'],
    ['19,99', 'de', '19.99'],
    ['1’234.50', 'de-CH', '1234.50'],
    ["1'234.50", 'de-CH', '1234.50'],
    ['12,34,567.50', 'en-IN', '1234567.50'],
    ['1\u202f234,5', 'fr', '1234.50'],
    [' 10  +  5 ', 'en', '15.00'],
    ['2+3*4', 'en', '14.00'],
    ['2*3+4*5', 'en', '26.00'],
    ['20-2*3-4', 'en', '10.00'],
    ['10/4', 'en', '2.50'],
    ['100/3*3', 'en', '100.00'],
    ['1/8*4', 'en', '0.50'],
    ['5-10+6', 'en', '1.00'],
    ['5-5', 'en', '0.00'],
    ['19.999+0.001', 'en', '20.00'],
    ['2×3÷4−1', 'en', '0.50'],
    ['0', 'en', '0.00'],
    ['0.5', 'en', '0.50'],
    ['92,233,720,368,547,758.07', 'en', '92233720368547758.07'],
    ['92233720368547758.08-0.01', 'en', '92233720368547758.07'],
  ])('reads %j in %s as %s', (text, locale, expected) => {
    const read = evaluateAmountInput(text, 2, locale)
    expect(read.ok && formatAmount(read.minor, 2)).toBe(expected)
  })

  test.each([
    ['', 'en'],
    ['   ', 'en'],
    ['abc', 'en'],
    ['1,5', 'en'],
    ['0,123', 'en'],
    ['1,23', 'en'],
    ['1,2345', 'en'],
    ['12345,678', 'en'],
    ['1,23,456', 'en'],
    ['1,2,345', 'en'],
    [',123', 'en'],
    ['1,,234', 'en'],
    ['1.234,56', 'en'],
    ['1 234', 'en'],
    ['19.99', 'de'],
    ['1,234.56', 'de'],
    ['1 23', 'pl'],
    ['1 2345', 'pl'],
    ['1  234', 'pl'],
    ['1,234,567', 'en-IN'],
    ['.5', 'en'],
    ['5.', 'en'],
    ['1..5', 'en'],
    ['007', 'en'],
    ['00', 'en'],
    ['-5', 'en'],
    ['+5', 'en'],
    ['5-10', 'en'],
    ['0-0.01', 'en'],
    ['1--1', 'en'],
    ['1+', 'en'],
    ['*2', 'en'],
    ['1**2', 'en'],
    ['1//2', 'en'],
    ['1/0', 'en'],
    ['1/0.00', 'en'],
    ['0/0', 'en'],
    ['(1+2)*3', 'en'],
    ['1e3', 'en'],
    ['0x10', 'en'],
    ['10%', 'en'],
    ['2^3', 'en'],
    ['alert(1)', 'en'],
    ['1;2', 'en'],
    ['١٢', 'ar-EG'],
    ['１２', 'ja'],
    ['Infinity', 'en'],
    ['1'.repeat(101), 'en'],
  ])('refuses %j in %s', (text, locale) => {
    expect(evaluateAmountInput(text, 2, locale)).toEqual({ ok: false, reason: 'shape' })
  })

  test('refuses a sum of a million characters without working on it', () => {
    expect(evaluateAmountInput(`${'1+'.repeat(500_000)}1`, 2, 'en')).toEqual({ ok: false, reason: 'shape' })
  })

  test.each([
    ['10/3', 2],
    ['0.333*3', 2],
    ['1.234', 2],
    ['1/8', 2],
    ['0.5', 0],
    ['1/1024', 9],
  ])('refuses %s at scale %i instead of rounding it', (text, scale) => {
    expect(evaluateAmountInput(text, scale, 'en')).toEqual({ ok: false, reason: 'digits' })
  })

  test.each(['92233720368547758.08', '9'.repeat(100), '99999999999999999*99999999999999999'])(
    'refuses %s as too large',
    (text) => {
      expect(evaluateAmountInput(text, 2, 'en')).toEqual({ ok: false, reason: 'too_large' })
    },
  )

  test('throws on a scale that no asset has, and on a malformed locale', () => {
    expect(() => evaluateAmountInput('1', 19, 'en')).toThrow(RangeError)
    expect(() => evaluateAmountInput('1', 2, 'not a locale')).toThrow(RangeError)
  })

  test('sums of products come out as worked by hand', () => {
    const numbers = fc.nat({ max: 99_999 }).map(String)
    const products = fc.array(numbers, { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(fc.array(products, { minLength: 1, maxLength: 4 }), (terms) => {
        const text = terms.map((factors) => factors.join('*')).join(' + ')
        const byHand = terms.map((factors) => factors.reduce(product, '1')).reduce(sum, '0')
        const read = evaluateAmountInput(text, 0, 'en')
        expect(read.ok && read.minor.toString()).toBe(byHand)
      }),
      { numRuns: 2000 },
    )
  })

  test('a quotient is exact or refused', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1_000_000 }), fc.integer({ min: 1, max: 5_000 }), (dividend, divisor) => {
        const { quotient, rest } = longDivision(`${dividend}00`, String(divisor))
        const read = evaluateAmountInput(`${dividend}/${divisor}`, 2, 'en')
        if (rest === '0') expect(read.ok && read.minor.toString()).toBe(quotient)
        else expect(read).toEqual({ ok: false, reason: 'digits' })
      }),
      { numRuns: 2000 },
    )
  })

  test('answers any text without throwing, in any locale, whatever it is', () => {
    const typed = fc.string({
      unit: fc.constantFrom(..."0123456789.,' +-*/\u00a0\u202f×÷−e("),
      maxLength: 110,
    })
    const locale = fc.constantFrom('en', 'pl', 'de', 'de-CH', 'en-IN', 'fr', 'ar-EG')
    fc.assert(
      fc.property(fc.oneof(typed, fc.string({ unit: 'binary' })), locale, (text, inLocale) => {
        const read = evaluateAmountInput(text, 2, inLocale)
        if (read.ok) expect(read.minor >= 0n).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })
})
