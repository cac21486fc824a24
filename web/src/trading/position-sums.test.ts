import type { Position } from '@kantor/contract/api'
import { describe, expect, test } from 'vitest'
import { profitParts, sumOf } from './position-sums.ts'

describe('sumOf', () => {
  test.each([
    ['adds gains and losses exactly', ['0.10', '0.20', '-0.35'], '-0.05'],
    ['is larger than a float can count', ['90071992547409.93', '0.01'], '90071992547409.94'],
    ['of nothing is nothing', [], '0.00'],
    ['with something unknown is unknown, not less', ['5.00', null], null],
    ['with something missing is unknown too', ['5.00', undefined], null],
  ])('%s', (_name, amounts, sum) => {
    expect(sumOf(amounts, 2)).toBe(sum)
  })
})

test('a profit is realised and unrealised together, part by part', () => {
  const inBase = (total: string, price: string) => ({
    total,
    price,
    currency: '-1.00',
    fees: '-0.50',
    dividends: '0.00',
  })
  const position = {
    unrealised: { amount: '10.00', inBase: inBase('8.50', '10.00') },
    realised: { amount: '5.00', inBase: inBase('3.50', '5.00') },
  } as Position
  expect(profitParts(position, 2)).toEqual({
    price: '15.00',
    currency: '-2.00',
    dividends: '0.00',
    fees: '-1.00',
    total: '12.00',
  })
  expect(profitParts({ ...position, unrealised: null }, 2).total).toBeNull()
})
