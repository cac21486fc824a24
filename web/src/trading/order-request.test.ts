import { orderRequest } from '@kantor/contract/api'
import { describe, expect, test } from 'vitest'
import { allowedTimes, requestOf, type TicketForm } from './order-request.ts'

const AAPL = { id: '10001', currency: 'USD' }
const form = (change: Partial<TicketForm> = {}): TicketForm => ({
  side: 'buy',
  type: 'market',
  measure: 'shares',
  amount: '1.5',
  settle: 'USD',
  limitPrice: '',
  stopPrice: '',
  timeInForce: 'day',
  ...change,
})

describe('the order that is sent', () => {
  test.each([
    ['shares', form(), { quantity: '1.5' }],
    ['money', form({ measure: 'money', amount: '50.00' }), { notional: { asset: 'USD', amount: '50.00' } }],
    ['another currency', form({ settle: 'EUR' }), { quantity: '1.5', settleIn: 'EUR' }],
    [
      'money counted in the currency that is paid',
      form({ measure: 'money', amount: '50', settle: 'EUR' }),
      { notional: { asset: 'EUR', amount: '50' } },
    ],
    ['a limit', form({ type: 'limit', limitPrice: '200.00' }), { quantity: '1.5', limitPrice: '200.00' }],
    ['a stop', form({ type: 'stop', stopPrice: '180.00' }), { quantity: '1.5', stopPrice: '180.00' }],
  ])('says %s, in the contract’s shape', (_name, filled, expected) => {
    const request = requestOf(filled, AAPL)
    expect(request).toEqual({
      instrument: '10001',
      side: 'buy',
      type: filled.type,
      timeInForce: 'day',
      ...expected,
    })
    expect(orderRequest.safeParse(request).success).toBe(true)
  })

  test('leaves out the price of a kind that was chosen before', () => {
    const request = requestOf(form({ limitPrice: '200.00', stopPrice: '180.00' }), AAPL)
    expect(request).not.toHaveProperty('limitPrice')
    expect(request).not.toHaveProperty('stopPrice')
  })

  test.each([
    ['no amount', form({ amount: '' })],
    ['no amount that can be read', form({ amount: null })],
    ['zero', form({ amount: '0.000000000' })],
    ['a limit without its price', form({ type: 'limit' })],
    ['a stop at zero', form({ type: 'stop', stopPrice: '0.00' })],
  ])('there is none with %s', (_name, filled) => {
    expect(requestOf(filled, AAPL)).toBeNull()
  })
})

test('a stop cannot be at once or not at all', () => {
  expect(allowedTimes('stop')).not.toContain('ioc')
  expect(allowedTimes('limit')).toContain('ioc')
})
