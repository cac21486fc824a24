import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { acmeDesk } from './trading-fixture.ts'

const desk = await acmeDesk()
const { order, clock, holds, somebody } = desk
await desk.list('GONE', 'delisted')
await desk.list('BARE')

describe('a refused order sets nothing aside', () => {
  const base = { instrument: 'ACME', side: 'buy', type: 'market', quantity: '1', timeInForce: 'day' }
  const limit = { ...base, type: 'limit' }
  test.each([
    ['an unknown ticker', { ...base, instrument: 'NOPE' }, 'instrument_not_found'],
    ['a delisted instrument', { ...base, instrument: 'GONE' }, 'instrument_delisted'],
    ['an instrument without a price', { ...base, instrument: 'BARE' }, 'price_unknown'],
    ['no shares', { ...base, quantity: '0' }, 'amount_not_positive'],
    ['less than no shares', { ...base, quantity: '-1' }, 'invalid_request'],
    ['ten digits of a share', { ...base, quantity: '0.0000000001' }, 'invalid_request'],
    [
      'an amount of more digits than the currency has',
      { ...base, quantity: undefined, notional: { asset: 'USD', amount: '1.001' } },
      'invalid_request',
    ],
    [
      'both a quantity and an amount',
      { ...base, notional: { asset: 'USD', amount: '1' } },
      'invalid_request',
    ],
    ['neither', { ...base, quantity: undefined }, 'invalid_request'],
    ['a limit order without a limit', limit, 'invalid_request'],
    ['a limit with more digits than prices have', { ...limit, limitPrice: '99.1234567' }, 'invalid_request'],
    ['a limit far above the market', { ...limit, limitPrice: '200' }, 'limit_wrong_side'],
    ['a limit of zero', { ...limit, limitPrice: '0' }, 'amount_not_positive'],
    ['a stop to buy below the market', { ...base, type: 'stop', stopPrice: '99' }, 'stop_wrong_side'],
    [
      'a stop to sell above the market',
      { ...base, side: 'sell', type: 'stop', stopPrice: '101' },
      'stop_wrong_side',
    ],
    ['a sale of what is not held', { ...base, side: 'sell' }, 'insufficient_funds'],
    ['a purchase beyond the balance', { ...base, quantity: '100' }, 'insufficient_funds'],
    ['a currency that is not held', { ...base, settleIn: 'JPY' }, 'insufficient_funds'],
    ['a currency that there is not', { ...base, settleIn: 'XXQ' }, 'unknown_asset'],
    ['paying in shares', { ...base, settleIn: 'ACME' }, 'unknown_asset'],
    ['a currency without a rate', { ...base, settleIn: 'CHF' }, 'rate_unknown'],
    [
      'an amount that the fee eats up',
      { ...base, quantity: undefined, notional: { asset: 'USD', amount: '1.00' } },
      'amount_too_small',
    ],
    ['more than any account can hold', { ...base, quantity: '99999999999' }, 'amount_too_large'],
    [
      'two settling currencies',
      { ...base, quantity: undefined, notional: { asset: 'USD', amount: '5' }, settleIn: 'PLN' },
      'invalid_request',
    ],
  ])('%s', async (_what, body, code) => {
    const anna = await somebody({ USD: '1000.00' })
    const answer = await desk.ask(anna, 'POST', '/orders', { body, key: randomUUID() })
    expect(answer.body['code'], answer.text).toBe(code)
    expect(await holds(anna, 'USD', 'available')).toBe('1000.00')
    const list = await desk.ask(anna, 'GET', '/orders')
    expect(list.body['items']).toEqual([])
    const preview = await desk.ask(anna, 'POST', '/orders/preview', { body })
    if (code !== 'insufficient_funds') expect(preview.body['code']).toBe(code)
  })

  test('at a price that is too old', async () => {
    const anna = await somebody({ USD: '1000.00' })
    clock.advance(1_000_000)
    const answer = await order(anna, { instrument: 'ACME', side: 'buy', quantity: '1' })
    expect(answer.status).toBe(503)
    expect(answer.body['code']).toBe('prices_stale')
    expect(await holds(anna, 'USD', 'reserved')).toBe('0.00')
  })
})
