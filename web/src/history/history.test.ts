import type { Operation } from '@kantor/contract/api'
import { describe, expect, test } from 'vitest'
import { groupByDay } from './group-by-day.ts'
import { EMPTY_FILTER, filterCount, filterOf, queryOf, requestOf } from './operations-filter.ts'

const at = (moment: Date, id: string): Operation => ({
  id,
  kind: 'deposit',
  status: 'posted',
  at: moment.toISOString(),
  amounts: [],
})

test('operations are grouped by the day where the customer is, in the order they came', () => {
  const groups = groupByDay([
    at(new Date(2026, 10, 22, 0, 5), 'c'),
    at(new Date(2026, 10, 21, 23, 55), 'b'),
    at(new Date(2026, 10, 21, 0, 0), 'a'),
  ])
  expect(groups.map(({ day, operations }) => [day, operations.map(({ id }) => id).join('')])).toEqual([
    ['2026-11-22', 'c'],
    ['2026-11-21', 'ba'],
  ])
})

describe('the filter', () => {
  test('survives the address', () => {
    const form = { ...EMPTY_FILTER, q: 'czynsz & prąd', kind: 'transfer', asset: 'EUR', amountMin: '5.00' }
    expect(filterOf(queryOf(form))).toEqual(form)
    expect(filterCount(form)).toBe(3)
  })

  test('ends a day at the midnight after it', () => {
    const request = requestOf({ ...EMPTY_FILTER, from: '2026-11-21', to: '2026-11-21' })
    expect(Date.parse(request.to ?? '') - Date.parse(request.from ?? '')).toBe(24 * 3600 * 1000)
  })

  test('leaves out what is half typed or needs another field, instead of being refused at every letter', () => {
    const half = {
      ...EMPTY_FILTER,
      counterparty: 'e',
      kind: 'nonsense',
      from: '2026-1',
      amountMin: '5.00',
      q: '  ',
    }
    expect(requestOf(half)).toEqual({})
    expect(requestOf({ ...EMPTY_FILTER, counterparty: ' @Edek ' })).toEqual({ counterparty: '@edek' })
  })

  test('ignores what an address should not hold', () => {
    expect(filterOf({ kind: ['a', 'b'], q: null, operation: 'x' })).toEqual(EMPTY_FILTER)
  })
})
