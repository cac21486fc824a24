import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatAmount, parseAmount, parseSignedAmount } from './amount.ts'
import { amounts, scales } from './test-amounts.ts'
import { isLess, plain } from './test-oracle.ts'

const GREATEST = '9223372036854775807'

describe('parseAmount', () => {
  test.each([
    ['0', 2, 0n],
    ['0.5', 2, 50n],
    ['0.05', 2, 5n],
    ['12.34', 2, 1234n],
    ['12', 2, 1200n],
    ['100', 0, 100n],
    ['1.234', 3, 1234n],
    ['0.000000001', 9, 1n],
    ['92233720368547758.07', 2, 9223372036854775807n],
    ['9223372036.854775807', 9, 9223372036854775807n],
    ['9223372036854775807', 0, 9223372036854775807n],
    ['9.223372036854775807', 18, 9223372036854775807n],
  ])('reads %s at scale %i', (text, scale, minor) => {
    expect(parseAmount(text, scale)).toEqual({ ok: true, minor })
  })

  test.each([
    '',
    ' ',
    '.',
    '-',
    '+',
    '+1',
    '-1',
    '-0',
    '1.',
    '.5',
    '1..2',
    '1.2.3',
    '1,5',
    '1 000',
    '1_000',
    '1\u00a0000',
    ' 1',
    '1 ',
    '1\n',
    '\t1',
    '\n',
    '00',
    '007',
    '00.5',
    '01',
    '-01',
    '1e3',
    '1E3',
    '1e',
    'e1',
    '0x10',
    '0b1',
    '1n',
    'NaN',
    'Infinity',
    'null',
    'undefined',
    '1/2',
    '1%',
    '$1',
    '1 EUR',
    '١٢',
    '１２',
    '१२',
    '1٫5',
    '1．5',
    '²',
    '½',
    '1\u200b',
    '\ufeff1',
    '1\u0000',
    '0'.repeat(41),
    '9'.repeat(41),
    `0.${'0'.repeat(39)}`,
  ])('refuses the shape of %j', (text) => {
    expect(parseAmount(text, 2)).toEqual({ ok: false, reason: 'shape' })
  })

  test('refuses a text of a million digits without working on it', () => {
    expect(parseAmount('1'.repeat(1_000_000), 2)).toEqual({ ok: false, reason: 'shape' })
    expect(parseSignedAmount(`-${'1'.repeat(1_000_000)}`, 2)).toEqual({ ok: false, reason: 'shape' })
  })

  test.each([
    ['0.001', 2],
    ['1.230', 2],
    ['1.000', 2],
    ['1.0', 0],
    ['0.0000000001', 9],
    ['99999999999999999999.123', 2],
  ])('refuses %s at scale %i for its digits, even zeros', (text, scale) => {
    expect(parseAmount(text, scale)).toEqual({ ok: false, reason: 'digits' })
  })

  test.each([
    ['9223372036854775808', 0],
    ['92233720368547758.08', 2],
    ['92233720368547759', 2],
    ['9223372036.854775808', 9],
    ['10', 18],
    ['9'.repeat(40), 2],
  ])('refuses %s at scale %i as too large', (text, scale) => {
    expect(parseAmount(text, scale)).toEqual({ ok: false, reason: 'too_large' })
  })

  test.each([-1, 1.5, 19, Number.NaN, Number.POSITIVE_INFINITY])('throws on the scale %d', (scale) => {
    expect(() => parseAmount('1', scale)).toThrow(RangeError)
    expect(() => parseSignedAmount('-1', scale)).toThrow(RangeError)
    expect(() => formatAmount(1n, scale)).toThrow(RangeError)
  })

  test('any text of digits is read as the digits say, moved by the scale', () => {
    const digits = fc.stringMatching(/^[0-9]{1,20}$/)
    fc.assert(
      fc.property(
        digits.map(plain),
        fc.option(fc.stringMatching(/^[0-9]{1,12}$/)),
        scales,
        (whole, decimals, scale) => {
          const read = parseAmount(decimals === null ? whole : `${whole}.${decimals}`, scale)
          const expected = plain(whole + (decimals ?? '').padEnd(scale, '0'))
          if ((decimals ?? '').length > scale) expect(read).toEqual({ ok: false, reason: 'digits' })
          else if (isLess(GREATEST, expected)) expect(read).toEqual({ ok: false, reason: 'too_large' })
          else expect(read.ok && read.minor.toString()).toBe(expected)
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('no text at all makes it throw, and what it accepts has only digits and one point', () => {
    const nearNumbers = fc.string({ unit: fc.constantFrom(...'0123456789.,-+eE _x٣ \n'), maxLength: 45 })
    fc.assert(
      fc.property(
        fc.oneof(nearNumbers, fc.string(), fc.string({ unit: 'binary' })),
        scales,
        (text, scale) => {
          if (parseAmount(text, scale).ok) expect(text).toMatch(/^[0-9]+(\.[0-9]+)?$/)
        },
      ),
      { numRuns: 5000 },
    )
  })
})

describe('parseSignedAmount', () => {
  test.each([
    ['-0.05', 2, -5n],
    ['-12', 2, -1200n],
    ['12.34', 2, 1234n],
    ['0', 2, 0n],
    ['-9223372036854775808', 0, -9223372036854775808n],
    ['9223372036854775807', 0, 9223372036854775807n],
  ])('reads %s at scale %i', (text, scale, minor) => {
    expect(parseSignedAmount(text, scale)).toEqual({ ok: true, minor })
  })

  test.each([
    ['-0', 2, 'shape'],
    ['-0.00', 2, 'shape'],
    ['-0.000', 2, 'shape'],
    ['--1', 2, 'shape'],
    ['-+1', 2, 'shape'],
    ['- 1', 2, 'shape'],
    ['-', 2, 'shape'],
    ['-.5', 2, 'shape'],
    ['-01', 2, 'shape'],
    ['\u22121', 2, 'shape'],
    [`-${'1'.repeat(40)}`, 0, 'shape'],
    ['-0.001', 2, 'digits'],
    ['-9223372036854775809', 0, 'too_large'],
    ['9223372036854775808', 0, 'too_large'],
  ])('refuses %s at scale %i: %s', (text, scale, reason) => {
    expect(parseSignedAmount(text, scale)).toEqual({ ok: false, reason })
  })
})

describe('formatAmount', () => {
  test.each([
    [1234n, 2, '12.34'],
    [10n, 2, '0.10'],
    [0n, 2, '0.00'],
    [0n, 0, '0'],
    [100n, 0, '100'],
    [-5n, 2, '-0.05'],
    [-100n, 0, '-100'],
    [-1n, 9, '-0.000000001'],
    [1500n, 3, '1.500'],
    [9223372036854775807n, 2, '92233720368547758.07'],
    [-9223372036854775808n, 2, '-92233720368547758.08'],
  ])('writes %s at scale %i as %s', (minor, scale, text) => {
    expect(formatAmount(minor, scale)).toBe(text)
  })

  test('what it writes is read back as the same amount, of either sign', () => {
    fc.assert(
      fc.property(amounts, fc.boolean(), fc.integer({ min: 0, max: 18 }), (amount, negative, scale) => {
        const minor = negative ? -amount : amount
        expect(parseSignedAmount(formatAmount(minor, scale), scale)).toEqual({ ok: true, minor })
        if (minor >= 0n) expect(parseAmount(formatAmount(minor, scale), scale)).toEqual({ ok: true, minor })
      }),
      { numRuns: 3000 },
    )
  })
})
