import type { Instrument, Order, Orders, Rates, StreamEventData, Wallet } from '@kantor/contract/api'
import { expect, test } from 'vitest'
import { instrumentsWith, openOrdersWith, ratesWith, walletWith } from './patch.ts'

const NOW_MS = Date.parse('2026-03-01T12:00:30.000Z')
const at = '2026-03-01T12:00:00.000Z'

test('balances change in place, and what was not told of stays', () => {
  const line = (asset: string, available: string) =>
    ({ asset, kind: 'currency', name: asset, available, reserved: '0.00', worth: '1' }) as const
  const wallet: Wallet = {
    baseCurrency: 'EUR',
    worth: '1',
    unknown: [],
    ratesAsOf: null,
    stale: [],
    balances: [line('EUR', '10.00'), line('PLN', '5.00')],
  }
  const told = { balances: [{ asset: 'EUR', available: '8.00', reserved: '2.00' }] }
  const { balances } = walletWith(wallet, told)
  expect(balances[0]).toMatchObject({ asset: 'EUR', name: 'EUR', available: '8.00', reserved: '2.00' })
  expect(balances[1]).toEqual(wallet.balances[1])
})

const order = (id: string, status: Order['status'], filledQuantity = '0') =>
  ({ id, status, filledQuantity }) as Order
const list = (...items: Order[]): Orders => ({ items, nextCursor: null })

test.each<[string, Orders, Order, Orders]>([
  [
    'a new order comes first',
    list(order('1', 'new')),
    order('2', 'new'),
    list(order('2', 'new'), order('1', 'new')),
  ],
  [
    'a part of it filled changes it where it is',
    list(order('2', 'new'), order('1', 'new')),
    order('1', 'partiallyFilled', '3'),
    list(order('2', 'new'), order('1', 'partiallyFilled', '3')),
  ],
  [
    'an ended one leaves',
    list(order('2', 'new'), order('1', 'new')),
    order('2', 'cancelled'),
    list(order('1', 'new')),
  ],
  [
    'an ended one that was not there changes nothing',
    list(order('1', 'new')),
    order('9', 'filled'),
    list(order('1', 'new')),
  ],
])('%s', (_what, held, told, wanted) => {
  expect(openOrdersWith(held, told)).toEqual(wanted)
})

const price: StreamEventData<'price'> = {
  instrument: '10001',
  ticker: 'AAPL',
  last: '201.5',
  bid: null,
  ask: null,
  change: '1.5',
  changePercent: '0.75',
  asOf: at,
  source: 'simulated',
  stale: false,
  timeliness: 'realTime',
  delaySeconds: null,
}

test('a price changes its instrument alone, with its age', () => {
  const items = [
    { id: '10001', name: 'Apple', price: null },
    { id: '10002', name: 'Other', price: null },
  ] as unknown as Instrument[]
  const changed = instrumentsWith({ items }, price, NOW_MS).items
  expect(changed[0]).toMatchObject({ name: 'Apple', price: { last: '201.5', change: '1.5', ageSeconds: 30 } })
  expect(changed[0]?.price).not.toHaveProperty('ticker')
  expect(changed[1]).toBe(items[1])
})

test('a list that a price does not concern is the same list', () => {
  const held = { items: [] as Instrument[] }
  expect(instrumentsWith(held, price, NOW_MS)).toBe(held)
})

test('a rate changes the board of its base alone', () => {
  const rate = {
    counter: 'PLN',
    mid: '4.2',
    asOf: at,
    fetchedAt: at,
    source: 'NBP',
    ageSeconds: 9,
    stale: false,
  }
  const board = (base: string): Rates => ({
    base,
    simulated: false,
    items: [rate],
    unknown: [],
    nextCursor: null,
  })
  const { ageSeconds: _age, ...told } = { ...rate, mid: '4.3', base: 'EUR' }
  expect(ratesWith(board('EUR'), told, NOW_MS).items).toEqual([{ ...rate, mid: '4.3', ageSeconds: 30 }])
  const other = board('USD')
  expect(ratesWith(other, told, NOW_MS)).toBe(other)
})
