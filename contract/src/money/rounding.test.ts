import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bpsDown, feeUp } from './fee.ts'
import { fitsInt8, INT8_MAX, INT8_MIN } from './int8.ts'
import { divideDown, divideHalfEven, divideUp } from './rounding.ts'
import { amounts, positiveAmounts } from './test-amounts.ts'
import { longDivision, product, sum } from './test-oracle.ts'

describe('divideDown, divideUp, divideHalfEven', () => {
  test('agree with floor, ceiling and nearest-even on every small quotient of either sign', () => {
    for (let numerator = -60; numerator <= 60; numerator += 1) {
      for (let denominator = 1; denominator <= 24; denominator += 1) {
        const exact = numerator / denominator
        const [dividend, divisor] = [BigInt(numerator), BigInt(denominator)]
        expect(divideDown(dividend, divisor)).toBe(BigInt(Math.floor(exact)))
        expect(divideUp(dividend, divisor)).toBe(BigInt(Math.ceil(exact)))
        const floor = Math.floor(exact)
        const isTie = 2 * (numerator - floor * denominator) === denominator
        const even = floor % 2 === 0 ? floor : floor + 1
        expect(divideHalfEven(dividend, divisor)).toBe(BigInt(isTie ? even : Math.round(exact)))
      }
    }
  })

  test('agree with long division by hand on great numbers', () => {
    fc.assert(
      fc.property(amounts, amounts, positiveAmounts, (first, second, divisor) => {
        const dividend = product(first.toString(), second.toString())
        const { quotient, rest } = longDivision(dividend, divisor.toString())
        expect(divideDown(first * second, divisor).toString()).toBe(quotient)
        expect(divideUp(first * second, divisor).toString()).toBe(
          rest === '0' ? quotient : sum(quotient, '1'),
        )
      }),
      { numRuns: 1500 },
    )
  })

  test.each([0n, -1n])('refuse the denominator %s', (denominator) => {
    expect(() => divideDown(1n, denominator)).toThrow(RangeError)
    expect(() => divideUp(1n, denominator)).toThrow(RangeError)
    expect(() => divideHalfEven(1n, denominator)).toThrow(RangeError)
  })
})

describe('fitsInt8', () => {
  test.each([
    [0n, true],
    [INT8_MAX, true],
    [INT8_MAX + 1n, false],
    [INT8_MIN, true],
    [INT8_MIN - 1n, false],
  ])('of %s is %s', (minor, fits) => {
    expect(fitsInt8(minor)).toBe(fits)
  })

  test('its bounds are PostgreSQL’s', () => {
    expect([INT8_MIN, INT8_MAX]).toEqual([-9223372036854775808n, 9223372036854775807n])
  })
})

describe('feeUp and bpsDown', () => {
  test.each([
    [10_000n, 25n, 25n, 25n],
    [10_001n, 25n, 26n, 25n],
    [1n, 1n, 1n, 0n],
    [0n, 50n, 0n, 0n],
    [999n, 0n, 0n, 0n],
    [3n, 5000n, 2n, 1n],
    [9_223_372_036_854_775_807n, 10_000n, 9_223_372_036_854_775_807n, 9_223_372_036_854_775_807n],
  ])('of %s at %s bps are %s and %s', (amount, bps, up, down) => {
    expect(feeUp(amount, bps)).toBe(up)
    expect(bpsDown(amount, bps)).toBe(down)
  })

  test('differ by at most one unit, and only where the share is not whole', () => {
    fc.assert(
      fc.property(amounts, fc.bigInt({ min: 0n, max: 20_000n }), (amount, bps) => {
        const { quotient, rest } = longDivision(product(amount.toString(), bps.toString()), '10000')
        expect(bpsDown(amount, bps).toString()).toBe(quotient)
        expect(feeUp(amount, bps)).toBe(bpsDown(amount, bps) + (rest === '0' ? 0n : 1n))
      }),
    )
  })

  test('refuse negative amounts and rates', () => {
    expect(() => feeUp(-1n, 1n)).toThrow(RangeError)
    expect(() => feeUp(1n, -1n)).toThrow(RangeError)
    expect(() => bpsDown(-1n, 1n)).toThrow(RangeError)
    expect(() => bpsDown(1n, -1n)).toThrow(RangeError)
  })
})
