import { randomUUID } from 'node:crypto'
import { formatAmount } from '@kantor/contract/money'
import { accountId, balanceOf, PURPOSE } from '#ledger'
import type { Customer } from '#test/money-fixture'
import { transferRoutes } from '#transfers'
import { showWallet } from '#wallets'
import { expect, test } from 'vitest'
import { createOrderEngine } from './order-engine.ts'
import { createOrderIntake } from './order-intake.ts'
import { orderRoutes } from './order-routes.ts'
import { createPositionBooks } from './position-books.ts'
import { positionRoutes } from './position-routes.ts'
import { readOpenLots, readPositions } from './position-store.ts'
import { RATES, tradingFixture } from './trading-fixture.ts'

const fixture = await tradingFixture({ aroundTheClock: true })
const { ask, clock, db, engineDeps, observe, prices, publishRates, rates, somebody } = fixture
const books = createPositionBooks(engineDeps)
const engine = createOrderEngine({ ...engineDeps, holdings: books })
const shown = { ...engineDeps, prices, baseCurrencyOf: () => Promise.resolve('EUR') }
fixture.serve([
  ...orderRoutes({ ...engineDeps, prices, newId: randomUUID, intake: createOrderIntake(engineDeps) }),
  ...positionRoutes(shown),
  ...transferRoutes({ ...fixture, moveHoldings: books.moveHoldings }),
])

await publishRates(RATES)
const aapl = await fixture.list('AAPL')

async function trade(of: Customer, side: 'buy' | 'sell', quantity: string, price: string) {
  clock.advance(1_000)
  await observe(aapl, { last: price, bid: price, ask: price })
  const answer = await ask(of, 'POST', '/orders', {
    body: { instrument: 'AAPL', side, type: 'market', quantity, timeInForce: 'day' },
    key: randomUUID(),
  })
  expect(answer.status, answer.text).toBe(201)
  clock.advance(1_000)
  await observe(aapl, { last: price, bid: price, ask: price })
  await engine.runOnce()
}

const send = (from: Customer, to: Customer, amount: string, key = randomUUID()) =>
  ask(from, 'POST', '/transfers', { body: { to: `@${to.handle}`, asset: 'AAPL', amount }, key })

async function expectLotsToBeTheBalance(of: Customer) {
  const [position] = await readPositions(db, of.walletId)
  const lots = await readOpenLots(db, of.walletId, aapl, 1_000)
  const balances = await Promise.all(
    [PURPOSE.available, PURPOSE.reserved].map((purpose) =>
      balanceOf(db, accountId({ walletId: of.walletId, assetId: aapl, purpose })),
    ),
  )
  const held = balances.reduce((sum, balance) => sum + balance, 0n)
  expect(lots.reduce((sum, { quantity }) => sum + quantity, 0n)).toBe(held)
  expect(position?.quantity ?? 0n).toBe(held)
}

const firstPosition = async (of: Customer) =>
  ((await ask(of, 'GET', '/positions')).body['items'] as Record<string, unknown>[])[0]

test('a purchase and a sale show cost, value and profit in both currencies, and switching the method is instant', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '10', '100')
  await trade(ewa, 'buy', '10', '200')
  await trade(ewa, 'sell', '10', '300')
  await expectLotsToBeTheBalance(ewa)
  const fifo = await firstPosition(ewa)
  // Fees are 0.25 %: 2.50 and 5.00 for buying, 7.50 for selling. The ten of 100 are gone.
  expect(fifo).toMatchObject({
    quantity: '10.000000000',
    costBasis: { asset: 'USD', amount: '2005.00' },
    averageCost: '200.5000000',
    marketValue: { asset: 'USD', amount: '3000.00' },
    price: '300',
    unrealised: { amount: '995.00' },
    realised: { amount: '1990.00' },
  })
  const { inBase: parts } = (fifo ?? {})['realised'] as { inBase: Record<string, string> }
  const cents = (text: string | undefined) => Math.round(Number(text) * 100)
  expect(
    cents(parts['price']) + cents(parts['currency']) + cents(parts['fees']) + cents(parts['dividends']),
  ).toBe(cents(parts['total']))
  const change = { body: { method: 'average' } }
  expect((await ask(ewa, 'PATCH', '/positions/settings', change)).status).toBe(200)
  // 3007.50 for 20 is 150.375 each.
  expect(await firstPosition(ewa)).toMatchObject({
    costBasis: { amount: '1503.75' },
    unrealised: { amount: '1496.25' },
    realised: { amount: '1488.75' },
  })
  expect((await ask(ewa, 'PATCH', '/positions/settings', { body: { method: 'lifo' } })).status).toBe(400)
})

test('shares that are sent take their lots, their day and their cost along, once, also when asked again', async () => {
  const [ewa, edek] = [await somebody({ USD: '10000.00' }), await somebody()]
  await trade(ewa, 'buy', '4', '100')
  await trade(ewa, 'buy', '4', '200')
  const [opened] = await readOpenLots(db, ewa.walletId, aapl, 1)
  const key = randomUUID()
  expect((await send(ewa, edek, '5.5', key)).status).toBe(201)
  const again = await send(ewa, edek, '5.5', key)
  expect([again.status, again.headers['idempotency-replayed']]).toEqual([201, 'true'])
  const lots = await ask(edek, 'GET', '/positions/AAPL/lots')
  expect(lots.body['items']).toEqual([
    expect.objectContaining({
      quantity: '4.000000000',
      costBasis: { asset: 'USD', amount: '401.00' },
      from: 'transfer',
    }),
    expect.objectContaining({ quantity: '1.500000000', costBasis: { asset: 'USD', amount: '300.75' } }),
  ])
  expect((lots.body['items'] as { openedAt: string }[])[0]?.openedAt).toBe(opened?.openedAt.toISOString())
  expect(await firstPosition(ewa)).toMatchObject({ quantity: '2.500000000', realised: { amount: '0.00' } })
  await Promise.all([expectLotsToBeTheBalance(ewa), expectLotsToBeTheBalance(edek)])
})

test('more shares than there are, or those set aside for an order, are refused and nothing moves', async () => {
  const [ewa, edek] = [await somebody({ USD: '10000.00' }), await somebody()]
  expect((await send(edek, ewa, '1')).body['code']).toBe('insufficient_funds')
  await trade(ewa, 'buy', '4', '100')
  expect((await send(ewa, edek, '4.000000001')).body['code']).toBe('insufficient_funds')
  const limit = {
    instrument: 'AAPL',
    side: 'sell',
    type: 'limit',
    quantity: '3',
    limitPrice: '109',
    timeInForce: 'gtc',
  }
  expect((await ask(ewa, 'POST', '/orders', { body: limit, key: randomUUID() })).status).toBe(201)
  expect((await send(ewa, edek, '2')).body['code']).toBe('insufficient_funds')
  await expectLotsToBeTheBalance(ewa)
  expect(await readPositions(db, edek.walletId)).toEqual([])
})

test('two who send each other shares at the same time wait for each other, and every lot is somewhere once', async () => {
  const [ewa, edek] = [await somebody({ USD: '10000.00' }), await somebody({ USD: '10000.00' })]
  await trade(ewa, 'buy', '5', '100')
  await trade(edek, 'buy', '5', '100')
  const sent = Array.from({ length: 6 }, (_, index) =>
    index % 2 === 0 ? send(ewa, edek, '0.7') : send(edek, ewa, '0.3'),
  )
  expect((await Promise.all(sent)).map(({ status }) => status)).toEqual(Array(6).fill(201))
  await Promise.all([expectLotsToBeTheBalance(ewa), expectLotsToBeTheBalance(edek)])
  expect(await firstPosition(ewa)).toMatchObject({ quantity: '3.800000000' })
})

test('a wallet is worth its shares too; without a price they are named and left out', async () => {
  const ewa = await somebody({ USD: '1081.10' })
  await trade(ewa, 'buy', '1', '108.11')
  const usd = await fixture.available(ewa, 'USD')
  const priceOf = async (id: number) => {
    const price = prices.price(id)
    return price.unknown ? null : { price: price.last, currency: 'USD', asOf: price.asOf, stale: true }
  }
  const counted = await showWallet({ db, assets: fixture.assets, rates, priceOf }, ewa.walletId, 'EUR')
  const share = counted.balances.find(({ asset }) => asset === 'AAPL')
  expect(share).toMatchObject({ kind: 'instrument', available: '1.000000000', worth: '100.00' })
  expect(counted.stale).toEqual(['AAPL'])
  const cash = counted.balances.find(({ asset }) => asset === 'USD')
  expect(cash?.available).toBe(usd)
  expect(counted.worth).toBe(formatAmount(BigInt(Math.round(Number(cash?.worth) * 100)) + 10_000n, 2))
  const blind = await showWallet({ db, assets: fixture.assets, rates }, ewa.walletId, 'EUR')
  expect([blind.unknown, blind.worth]).toEqual([['AAPL'], cash?.worth])
})

test('an unknown instrument has no lots to show', async () => {
  const ewa = await somebody()
  expect((await ask(ewa, 'GET', '/positions/NOPE/lots')).body['code']).toBe('instrument_not_found')
  expect((await ask(ewa, 'GET', '/positions')).body).toEqual({
    method: 'fifo',
    baseCurrency: 'EUR',
    items: [],
    nextCursor: null,
  })
  expect((await ask(null, 'GET', '/positions')).status).toBe(401)
})

test('the lots of a position come in pages, oldest first, and no cursor leads elsewhere', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  for (const quantity of ['1', '2', '3']) await trade(ewa, 'buy', quantity, '100')
  const page = async (query: string) => (await ask(ewa, 'GET', `/positions/AAPL/lots?${query}`)).body
  const first = await page('limit=2')
  expect(first['items']).toMatchObject([{ quantity: '1.000000000' }, { quantity: '2.000000000' }])
  const second = await page(`limit=2&cursor=${String(first['nextCursor'])}`)
  expect(second).toMatchObject({ items: [{ quantity: '3.000000000' }], nextCursor: null })
  expect((await page('cursor=elsewhere'))['code']).toBe('invalid_cursor')
})
