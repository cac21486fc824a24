import { beforeEach, expect, test, vi } from 'vitest'
import { openingPair, rememberPair } from './last-pair.ts'

const stored = new Map<string, string>()
beforeEach(() => {
  stored.clear()
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
  })
})

test.each([
  [{ from: 'CHF', to: 'JPY' }, ['EUR'], 'EUR', 'CHF/JPY'],
  [{}, ['PLN', 'USD'], 'EUR', 'PLN/USD'],
  [{}, ['PLN'], 'EUR', 'PLN/EUR'],
  [{}, [], 'EUR', 'EUR/USD'],
  [{ from: 'EUR', to: 'EUR' }, [], 'EUR', 'EUR/USD'],
  [{ to: 'EUR' }, ['EUR'], 'EUR', 'EUR/USD'],
])('asked %j, holding %j, base %s: opens %s', (asked, held, base, pair) => {
  const { from, to } = openingPair(asked, held, base)
  expect(`${from}/${to}`).toBe(pair)
})

test('the last pair comes first the next time, unless another was asked for', () => {
  rememberPair({ from: 'GBP', to: 'CHF' })
  expect(openingPair({}, ['EUR', 'PLN'], 'EUR')).toEqual({ from: 'GBP', to: 'CHF' })
  expect(openingPair({ from: 'EUR' }, ['EUR', 'PLN'], 'EUR')).toEqual({ from: 'EUR', to: 'PLN' })
})
