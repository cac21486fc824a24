import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluateAmountInput } from './amount-input.ts'
import { formatAmount } from './amount.ts'
import { displayAmount } from './display.ts'
import { amounts, scales } from './test-amounts.ts'

const NBSP = '\u00a0'
const NARROW = '\u202f'

/** Every separator and grouping that `Intl` has: comma, point, blanks, apostrophe, Indian groups, own digits. */
const LOCALES =
  'en en-GB pl de de-CH de-AT fr es pt pt-PT it cs uk en-IN hi ja ar-EG fa bn sv da nl tr he en-ZA'.split(' ')

describe('displayAmount', () => {
  test.each([
    [123_456n, 2, 'en', '1,234.56'],
    [123_456n, 2, 'pl', '1234,56'],
    [1_234_567n, 2, 'pl', `12${NBSP}345,67`],
    [123_456n, 2, 'de', '1.234,56'],
    [123_456n, 2, 'fr', `1${NARROW}234,56`],
    [1_234_567_890n, 2, 'en-IN', '1,23,45,678.90'],
    [123_456n, 2, 'ar-EG', '1,234.56'],
    [0n, 2, 'en', '0.00'],
    [-5n, 2, 'en', '-0.05'],
    [100n, 0, 'ja', '100'],
    [1_500n, 3, 'en', '1.500'],
    [9_223_372_036_854_775_807n, 2, 'en', '92,233,720,368,547,758.07'],
    [9_223_372_036_854_775_807n, 9, 'en', '9,223,372,036.854775807'],
    [-9_223_372_036_854_775_808n, 0, 'en', '-9,223,372,036,854,775,808'],
  ])('shows %s at scale %i in %s as %s', (minor, scale, locale, text) => {
    expect(displayAmount(minor, scale, locale)).toBe(text)
  })

  test.each([
    ['auto', '5.00', '0.00', '-5.00'],
    ['always', '+5.00', '+0.00', '-5.00'],
    ['exceptZero', '+5.00', '0.00', '-5.00'],
    ['never', '5.00', '0.00', '5.00'],
  ] as const)('with sign %s', (sign, plus, zero, minus) => {
    expect([500n, 0n, -500n].map((minor) => displayAmount(minor, 2, 'en', { sign }))).toEqual([
      plus,
      zero,
      minus,
    ])
  })

  test.each([
    [1_500_000_000n, '1.5'],
    [1_000_000_000n, '1'],
    [1n, '0.000000001'],
    [0n, '0'],
    [1_234_000_000_000n, '1,234'],
  ])('trims a quantity of %s billionths to %s', (minor, text) => {
    expect(displayAmount(minor, 9, 'en', { trimZeros: true })).toBe(text)
  })

  test('shows exactly the digits of the amount, at any size', () => {
    fc.assert(
      fc.property(amounts, scales, (minor, scale) => {
        expect(displayAmount(minor, scale, 'en').replaceAll(',', '')).toBe(formatAmount(minor, scale))
      }),
      { numRuns: 2000 },
    )
  })

  test('what a locale shows can be typed back in that locale', () => {
    fc.assert(
      fc.property(
        amounts,
        scales,
        fc.constantFrom(...LOCALES),
        fc.boolean(),
        (minor, scale, locale, trimZeros) => {
          const shown = displayAmount(minor, scale, locale, { trimZeros })
          expect(evaluateAmountInput(shown, scale, locale)).toEqual({ ok: true, minor })
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('refuses a malformed locale', () => {
    expect(() => displayAmount(1n, 2, 'not a locale')).toThrow(RangeError)
  })

  test('stays right after more kinds of figures than it keeps formatters for', () => {
    for (let scale = 0; scale <= 18; scale += 1) {
      for (const locale of LOCALES) displayAmount(1n, scale, locale)
    }
    expect(displayAmount(123_456n, 2, 'en')).toBe('1,234.56')
  })
})
