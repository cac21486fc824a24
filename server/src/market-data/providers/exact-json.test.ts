import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseRate } from '@kantor/contract/money'
import { JsonNumber, parseExactJson, plainDecimal } from './exact-json.ts'

describe('plainDecimal', () => {
  test.each([
    ['1.157093', '1.157093'],
    ['1.78e-4', '0.000178'],
    ['1.78E-4', '0.000178'],
    ['1e2', '100'],
    ['1.5e+1', '15'],
    ['16936.249978', '16936.249978'],
    ['0', '0'],
    ['0.000', '0.000'],
    ['12e-1', '1.2'],
    ['120e-1', '12.0'],
    ['0.5e1', '5'],
    ['1e400', null],
    ['1e-400', null],
    ['-1', null],
    ['NaN', null],
    ['', null],
    ['1'.repeat(41), null],
  ])('%s is %s', (source, text) => {
    expect(plainDecimal(source)).toBe(text)
  })

  test('has exactly the value of the number it was written as', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10n ** 12n }),
        fc.integer({ min: 0, max: 8 }),
        fc.integer({ min: -8, max: 5 }),
        (digits, places, exponent) => {
          const text = digits.toString().padStart(places + 1, '0')
          const source = `${text.slice(0, text.length - places)}${places > 0 ? `.${text.slice(-places)}` : ''}e${exponent}`
          expect(parseRate(plainDecimal(source) ?? '')).toEqual(parseRate(source))
        },
      ),
    )
  })
})

test('numbers keep the text they were sent as, however deep they are', () => {
  const parsed = parseExactJson('{"a":[{"b":1.15709300000000001}],"c":1e400,"d":"1.5"}')
  expect(parsed).toEqual({
    a: [{ b: new JsonNumber('1.15709300000000001') }],
    c: new JsonNumber('1e400'),
    d: '1.5',
  })
})

test.each(['{"a":NaN}', '{"a":Infinity}', '<html>', '', '{"a":1'])('%s is not JSON', (text) => {
  expect(() => parseExactJson(text)).toThrow('not JSON')
})
