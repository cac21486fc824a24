import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Rate } from './rate.ts'
import { applyBps, compareRates, crossRate, formatRate, invertRate, parseRate, rateOf } from './rate.ts'
import { rates } from './test-amounts.ts'
import { isLess, plain, product, sum, tenTo } from './test-oracle.ts'

function rateFrom(text: string): Rate {
  const read = parseRate(text)
  if (!read.ok) throw new Error(`${text} is no rate: ${read.reason}`)
  return read.rate
}

/** Whether first·second = third·fourth, worked by hand: how two ratios are compared without dividing. */
function sameProducts(first: bigint, second: bigint, third: bigint, fourth: bigint): boolean {
  return product(first.toString(), second.toString()) === product(third.toString(), fourth.toString())
}

describe('parseRate', () => {
  test.each([
    ['1', 1n, 1n],
    ['1.0', 1n, 1n],
    ['4.35', 87n, 20n],
    ['4.249966', 2124983n, 500000n],
    ['0.000178', 89n, 500000n],
    ['1.78e-4', 89n, 500000n],
    ['1.78E-04', 89n, 500000n],
    ['178e-6', 89n, 500000n],
    ['1e3', 1000n, 1n],
    ['1.5e+3', 1500n, 1n],
    ['1.5e1', 15n, 1n],
    ['0.1e1', 1n, 1n],
    ['22679.016703', 22679016703n, 1000000n],
    ['1e18', 10n ** 18n, 1n],
    ['1e-18', 1n, 10n ** 18n],
  ])('reads %s exactly', (text, numerator, denominator) => {
    expect(parseRate(text)).toEqual({ ok: true, rate: { numerator, denominator } })
  })

  test.each([
    '',
    ' ',
    'NaN',
    'Infinity',
    '-Infinity',
    'null',
    '+1',
    '.5',
    '5.',
    '007',
    '01.5',
    '1,5',
    '1 000',
    ' 1',
    '1 ',
    '1\n',
    '0x1',
    '1e',
    '1e+',
    'e5',
    '1e1.5',
    '1.2.3',
    '--1',
    '１',
    '٣',
    '1n',
  ])('refuses the shape of %j', (text) => {
    expect(parseRate(text)).toEqual({ ok: false, reason: 'shape' })
  })

  test.each(['0', '0.0', '0e5', '-0', '-1', '-1.5', '-1e-4', '0.000000'])(
    'refuses %s as no price',
    (text) => {
      expect(parseRate(text)).toEqual({ ok: false, reason: 'not_positive' })
    },
  )

  test.each([
    '1e19',
    '1.000001e18',
    '1e-19',
    '9.99e-19',
    '1e100',
    '1e-100',
    '1e999999999',
    '1e-999999999',
    '9'.repeat(65),
    `0.${'1'.repeat(63)}`,
    '1e99',
    '1e-99',
  ])('refuses %s as out of bounds', (text) => {
    expect(parseRate(text)).toEqual({ ok: false, reason: 'out_of_bounds' })
  })

  test('refuses a text of a million digits without working on it', () => {
    expect(parseRate('1'.repeat(1_000_000))).toEqual({ ok: false, reason: 'out_of_bounds' })
    expect(parseRate(`1e${'9'.repeat(1_000_000)}`)).toEqual({ ok: false, reason: 'out_of_bounds' })
  })

  test('reads any decimal in either notation as exactly what it says', () => {
    const digits = fc.bigInt({ min: 1n, max: 10n ** 15n })
    fc.assert(
      fc.property(digits, fc.integer({ min: 0, max: 12 }), (value, places) => {
        const padded = value.toString().padStart(places + 1, '0')
        const decimal = places === 0 ? padded : `${padded.slice(0, -places)}.${padded.slice(-places)}`
        const rate = rateFrom(decimal)
        expect(sameProducts(rate.numerator, BigInt(tenTo(places)), rate.denominator, value)).toBe(true)
        expect(rateFrom(`${value}e-${places}`)).toEqual(rate)
        expect(rateFrom(`${value}E-${places}`)).toEqual(rate)
      }),
      { numRuns: 2000 },
    )
  })

  test('reads every JSON number that JavaScript prints, and refuses it only out of bounds', () => {
    const positive = fc.double({ min: 1e-15, max: 1e15, noNaN: true })
    fc.assert(
      fc.property(positive, (value) => {
        const rate = rateFrom(JSON.stringify(value))
        expect(Number(formatRate(rate, 20, 'halfEven'))).toBe(value)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('rates', () => {
  test('are reduced, so that equal ones have equal parts', () => {
    fc.assert(
      fc.property(rates, fc.bigInt({ min: 1n, max: 10n ** 9n }), (rate, factor) => {
        expect(rateOf(rate.numerator * factor, rate.denominator * factor)).toEqual(rate)
      }),
    )
  })

  test.each([
    [0n, 1n],
    [1n, 0n],
    [-1n, 1n],
    [1n, -1n],
    [-1n, -1n],
  ])('%s/%s is refused', (numerator, denominator) => {
    expect(() => rateOf(numerator, denominator)).toThrow(RangeError)
  })

  test('a cross rate is the exact quotient of the two stored rates', () => {
    expect(crossRate(rateFrom('4'), rateFrom('1.2'))).toEqual({ numerator: 3n, denominator: 10n })
    fc.assert(
      fc.property(rates, rates, (toA, toB) => {
        const { numerator, denominator } = crossRate(toA, toB)
        expect(
          sameProducts(
            numerator,
            toB.denominator * toA.numerator,
            denominator,
            toB.numerator * toA.denominator,
          ),
        ).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test('crossing there and back, or over a third asset, loses nothing', () => {
    const parity = rateOf(1n, 1n)
    fc.assert(
      fc.property(rates, rates, rates, (toA, toB, toC) => {
        expect(invertRate(crossRate(toA, toB))).toEqual(crossRate(toB, toA))
        expect(crossRate(toA, toA)).toEqual(parity)
        expect(crossRate(parity, toB)).toEqual(toB)
        const overC = crossRate(invertRate(crossRate(toA, toC)), crossRate(toC, toB))
        expect(overC).toEqual(crossRate(toA, toB))
      }),
    )
  })

  test.each([
    ['4.40', 0n, '4.4', '4.4'],
    ['4.40', 50n, '4.378', '4.422'],
    ['1', 1n, '0.9999', '1.0001'],
    ['2', 9999n, '0.0002', '3.9998'],
  ])('%s with a margin of %s bps is %s for a seller and %s for a buyer', (mid, bps, bid, ask) => {
    expect(applyBps(rateFrom(mid), bps, 'down')).toEqual(rateFrom(bid))
    expect(applyBps(rateFrom(mid), bps, 'up')).toEqual(rateFrom(ask))
  })

  test.each([-1n, 10_000n, 10_001n])('a margin of %s bps is refused', (bps) => {
    expect(() => applyBps(rateOf(1n, 1n), bps, 'down')).toThrow(RangeError)
    expect(() => applyBps(rateOf(1n, 1n), bps, 'up')).toThrow(RangeError)
  })

  test('bid < mid < ask at every margin above zero', () => {
    fc.assert(
      fc.property(rates, fc.bigInt({ min: 1n, max: 9_999n }), (mid, bps) => {
        expect(compareRates(applyBps(mid, bps, 'down'), mid)).toBe(-1)
        expect(compareRates(applyBps(mid, bps, 'up'), mid)).toBe(1)
        expect(compareRates(mid, mid)).toBe(0)
      }),
    )
  })
})

describe('formatRate', () => {
  test.each([
    ['4.35', 6, '4.35000', '4.35000', '4.35000'],
    ['4.249966', 4, '4.249', '4.250', '4.250'],
    ['0.000178', 2, '0.00017', '0.00018', '0.00018'],
    ['9.996', 3, '9.99', '10.0', '10.0'],
    ['0.9996', 3, '0.999', '1.00', '1.00'],
    ['99.96', 3, '99.9', '100', '100'],
    ['999.6', 3, '999', '1000', '1000'],
    ['99960', 3, '99900', '100000', '100000'],
    ['123456', 3, '123000', '124000', '123000'],
    ['123456', 6, '123456', '123456', '123456'],
    ['1.25', 2, '1.2', '1.3', '1.2'],
    ['1.35', 2, '1.3', '1.4', '1.4'],
    ['2.5', 1, '2', '3', '2'],
    ['1', 1, '1', '1', '1'],
    ['10', 3, '10.0', '10.0', '10.0'],
    ['0.1', 3, '0.100', '0.100', '0.100'],
    ['1e-18', 1, '0.000000000000000001', '0.000000000000000001', '0.000000000000000001'],
  ])('writes %s with %i digits as %s down, %s up, %s half-even', (text, digits, down, up, halfEven) => {
    const rate = rateFrom(text)
    expect(formatRate(rate, digits, 'down')).toBe(down)
    expect(formatRate(rate, digits, 'up')).toBe(up)
    expect(formatRate(rate, digits, 'halfEven')).toBe(halfEven)
  })

  test('down is never above the rate, up never below, and they are less than one last digit apart', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 1, max: 30 }), (rate, digits) => {
        const below = formatRate(rate, digits, 'down')
        const above = formatRate(rate, digits, 'up')
        const significant = plain(below.replace('.', '')).length
        if (below.includes('.')) expect(significant).toBe(digits)
        else expect(significant).toBeGreaterThanOrEqual(digits)
        expect(isGreater(below, rate)).toBe(false)
        expect(isGreater(oneStepUp(below, digits), rate)).toBe(true)
        const exact = below === above
        expect(exact).toBe(!isGreater(above, rate))
        expect([below, above]).toContain(formatRate(rate, digits, 'halfEven'))
      }),
      { numRuns: 1500 },
    )
  })

  test.each([0, -1, 41, 1.5, Number.NaN])('refuses %d digits', (digits) => {
    expect(() => formatRate(rateOf(1n, 1n), digits, 'down')).toThrow(RangeError)
  })
})

/** Whether a decimal text is greater than a rate: text·denominator > numerator, by hand. */
function isGreater(text: string, rate: Rate): boolean {
  const places = text.includes('.') ? text.length - text.indexOf('.') - 1 : 0
  const left = product(plain(text.replace('.', '')), rate.denominator.toString())
  return isLess(product(rate.numerator.toString(), tenTo(places)), left)
}

/** The text with one added to its last significant place. */
function oneStepUp(text: string, significantDigits: number): string {
  const places = text.includes('.') ? text.length - text.indexOf('.') - 1 : 0
  const digits = plain(text.replace('.', ''))
  const step = places > 0 ? '1' : tenTo(digits.length - significantDigits)
  const raised = sum(digits, step).padStart(places + 1, '0')
  return places === 0 ? raised : `${raised.slice(0, -places)}.${raised.slice(-places)}`
}
