import { randomUUIDv7 } from 'node:crypto'
import { DEFAULT_EXCHANGE_SETTINGS, readPairExposure } from '#exchange'
import { expect, test } from 'vitest'
import { createOrderEngine } from './order-engine.ts'
import { createOrderIntake } from './order-intake.ts'
import { orderRoutes } from './order-routes.ts'
import { settlementQuote } from './settlement-rate.ts'
import { acmeDesk, idOf, RATES } from './trading-fixture.ts'

const desk = await acmeDesk()
const { db, order, publishRates, show, somebody, tick } = desk
// 100 EUR of one pair, one way, at one rate: one ACME is 93 EUR.
const exchangeSettings = { ...DEFAULT_EXCHANGE_SETTINGS, exposureCustomerMinor: 10_000n }
const deps = { ...desk.engineDeps, exchangeSettings }
const engine = createOrderEngine(deps)
const serve = () => {
  const intake = createOrderIntake(deps)
  desk.serve(orderRoutes({ ...deps, prices: desk.prices, newId: randomUUIDv7, intake }))
}

async function dealt(walletId: bigint) {
  const [from, to] = [await deps.assets.byCode('PLN'), await deps.assets.byCode('USD')]
  const quote = await settlementQuote(deps, 'USD', 'PLN')
  if (from === null || to === null || 'refused' in quote) throw new Error('no rate')
  const pair = { fromAssetId: from.id, toAssetId: to.id, rateVersion: quote.rateVersion }
  const { own, overall } = await readPairExposure(db, pair, [walletId])
  return [own.get(walletId) ?? 0n, overall]
}

const purchase = (quantity: string, timeInForce = 'gtc') => ({
  instrument: 'ACME',
  side: 'buy',
  quantity,
  settleIn: 'PLN',
  timeInForce,
})

test('what a trade converts counts in the exchange’s caps, in euro cents, rounded up', async () => {
  serve()
  const anna = await somebody({ PLN: '5000.00' })
  const accepted = await order(anna, purchase('0.5'))
  expect(accepted.status, accepted.text).toBe(201)
  expect(await dealt(anna.walletId)).toEqual([0n, 0n])
  await tick({ last: '100', bid: '99.9', ask: '100.1' })
  expect(await engine.runOnce()).toBe(1)
  const { rows } = await db.query<{ settled: bigint }>(
    `select settled_minor as settled from trading.orders where id = $1`,
    [idOf(accepted)],
  )
  // PLN to EUR at 4.2719.
  const cents = BigInt(Math.ceil(Number(rows[0]?.settled) / 4.2719))
  expect(await dealt(anna.walletId)).toEqual([cents, cents])
})

test('an order that converts more than the exchange would is refused, and nothing is set aside', async () => {
  serve()
  const anna = await somebody({ PLN: '5000.00' })
  const refused = await order(anna, purchase('1.2'))
  expect([refused.status, refused.body['code']]).toEqual([422, 'exposure_limit'])
  expect(await desk.holds(anna, 'PLN', 'available')).toBe('5000.00')
})

test('orders that are each within the caps pass them no more together: the rest waits for the next rate', async () => {
  serve()
  const anna = await somebody({ PLN: '5000.00' })
  const [first, second] = [await order(anna, purchase('0.6')), await order(anna, purchase('0.6'))]
  expect([first.status, second.status]).toEqual([201, 201])
  // Accepted in the same millisecond, either may be first.
  const statuses = async () => {
    const shown = await Promise.all([first, second].map((one) => show(anna, idOf(one))))
    return shown.map(({ status }) => status).toSorted()
  }
  await tick({ last: '100', bid: '99.9', ask: '100.1' })
  expect(await engine.runOnce()).toBe(1)
  await tick({ last: '100', bid: '99.9', ask: '100.1' })
  expect(await engine.runOnce()).toBe(0)
  expect(await statuses()).toEqual(['filled', 'new'])
  await publishRates(RATES)
  await tick({ last: '100', bid: '99.9', ask: '100.1' })
  expect(await engine.runOnce()).toBe(1)
  expect(await statuses()).toEqual(['filled', 'filled'])
})
