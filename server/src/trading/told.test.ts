import { randomUUID } from 'node:crypto'
import { toldFromLedger } from '#test/told-from-ledger'
import { expect, test } from 'vitest'
import { companyDesk } from './company-fixture.ts'

const desk = await companyDesk()
const { announce, ask, nextDay, of, run, somebody, today, trade } = desk

test('who holds shares is told once of each fill, dividend and split, and of an order that a split ended', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '3')
  const body = { instrument: of.ticker, side: 'sell', type: 'limit', quantity: '1', limitPrice: '109' }
  const open = await ask(ewa, 'POST', '/orders', {
    body: { ...body, timeInForce: 'gtc' },
    key: randomUUID(),
  })
  await nextDay()
  await announce({ kind: 'dividend', on: today(), amount: '0.50', payOn: today() })
  await run()
  await nextDay()
  const split = today()
  await announce({ kind: 'split', on: split, from: '1', to: '4' })
  await run()

  const told = await toldFromLedger(desk, ewa)
  expect(told).toMatchObject([
    {
      kind: 'order_filled',
      detail: { instrument: of.ticker, side: 'buy', quantity: '3.000000000', price: '100' },
    },
    { kind: 'dividend', detail: { instrument: of.ticker, asset: 'USD', amount: '1.50' } },
    { kind: 'order_ended', detail: { orderId: open.body['id'], status: 'cancelled', reason: 'split' } },
    { kind: 'corporate_action', detail: { instrument: of.ticker, exDate: split, from: '1', to: '4' } },
  ])
  expect(await toldFromLedger(desk, ewa)).toEqual(told)
})
