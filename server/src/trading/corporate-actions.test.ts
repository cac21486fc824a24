import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { companyDesk, DAY_MS } from './company-fixture.ts'
import { noteOrdersEnded } from './corporate-action-store.ts'
import { newYorkDay, newYorkDayStart } from './new-york-day.ts'
import { showPositions } from './show-positions.ts'
import { RATES } from './trading-fixture.ts'

const desk = await companyDesk()
const { announce, ask, clock, dollars, expectLotsToBeTheBalance, nextDay, operations, run } = desk
const { shares, somebody, today, trade } = desk

const limitSale = () => ({
  instrument: desk.of.ticker,
  side: 'sell',
  type: 'limit',
  quantity: '1',
  limitPrice: '109',
  timeInForce: 'gtc',
})

test('a split multiplies what was held, keeps its cost, cancels open orders and is posted once', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '3')
  const order = await ask(ewa, 'POST', '/orders', { body: limitSale(), key: randomUUID() })
  await nextDay()
  await announce({ kind: 'split', on: today(), from: '2', to: '3' })
  expect(await run()).toEqual({ posted: 1, failed: 0 })
  expect(await run()).toEqual({ posted: 0, failed: 0 })
  expect(await shares(ewa)).toBe('4.500000000')
  expect(await desk.show(ewa, String(order.body['id']))).toMatchObject({
    status: 'cancelled',
    reason: 'split',
  })
  const position = await expectLotsToBeTheBalance(ewa)
  expect(position?.fifo.held.costMinor).toBe(30_000n)
})

test('an action that is not due yet waits for its day', async () => {
  const ewa = await somebody({ USD: '1000.00' })
  await trade(ewa, 'buy', '1')
  const tomorrow = newYorkDay(new Date(clock.now().getTime() + DAY_MS))
  await announce({ kind: 'split', on: tomorrow, from: '1', to: '2' })
  expect(await run()).toEqual({ posted: 0, failed: 0 })
  await nextDay()
  expect(await run()).toEqual({ posted: 1, failed: 0 })
  expect(await shares(ewa)).toBe('2.000000000')
})

test('a dividend goes to who held at the start of the ex-date, on the pay date, also for shares sold since', async () => {
  const [ewa, late] = [await somebody({ USD: '10000.00' }), await somebody({ USD: '10000.00' })]
  await trade(ewa, 'buy', '10.5')
  await nextDay()
  const ex = today()
  const payOn = newYorkDay(new Date(clock.now().getTime() + 2 * DAY_MS))
  await announce({ kind: 'dividend', on: ex, amount: '0.245', payOn })
  await trade(ewa, 'sell', '10.5')
  await trade(late, 'buy', '7')
  expect(await run()).toEqual({ posted: 0, failed: 0 })
  await nextDay()
  await nextDay()
  const before = [await dollars(ewa), await dollars(late)]
  expect(await run()).toEqual({ posted: 1, failed: 0 })
  // 10.5 · 0.245 = 2.5725, rounded down.
  expect(Number(await dollars(ewa))).toBeCloseTo(Number(before[0]) + 2.57, 9)
  expect(await dollars(late)).toBe(before[1])
  const position = await expectLotsToBeTheBalance(ewa)
  expect([position?.dividendsMinor, position?.dividendsBaseMinor]).toEqual([257n, 237n])
})

test('a dividend is explained in history: the company’s days, what each share got and how many counted', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '4')
  await nextDay()
  await announce({ kind: 'dividend', on: today(), amount: '0.5', payOn: today() })
  await run()
  const [operation] = await operations(ewa, 'dividend')
  expect(operation?.['amounts']).toEqual([{ asset: 'USD', amount: '2.00' }])
  const full = await ask(ewa, 'GET', `/operations/${String(operation?.['id'])}`)
  expect(full.body['corporateAction']).toEqual(operation?.['corporateAction'])
  expect(full.body['corporateAction']).toEqual({
    instrument: desk.of.ticker,
    exDate: today(),
    payDate: today(),
    quantity: '4.000000000',
    perShare: '0.5',
    currency: 'USD',
    source: 'test-stocks',
    correction: false,
  })
})

test('a corrected dividend posts the difference, and takes back what was too much as far as it is there', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '10')
  await nextDay()
  const dividend = { kind: 'dividend', on: today(), payOn: today() } as const
  const before = Number(await dollars(ewa))
  const gained = async () => Math.round((Number(await dollars(ewa)) - before) * 100)
  const first = await announce({ ...dividend, amount: '0.10' })
  await run()
  expect(await gained()).toBe(100)
  const second = await announce({ ...dividend, amount: '0.12' }, first)
  await run()
  expect(await gained()).toBe(120)
  await announce({ ...dividend, amount: '0.05' }, second)
  await run()
  expect(await gained()).toBe(50)
  expect((await expectLotsToBeTheBalance(ewa))?.dividendsMinor).toBe(50n)
})

test('of an action corrected before it was due, only the correction is posted', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '2')
  await nextDay()
  const wrong = await announce({ kind: 'split', on: today(), from: '1', to: '5' })
  await announce({ kind: 'split', on: today(), from: '1', to: '4' }, wrong)
  expect(await run()).toEqual({ posted: 1, failed: 0 })
  expect(await shares(ewa)).toBe('8.000000000')
})

test('a split that was posted wrongly is put right by its correction, with the cost unchanged', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '2')
  await nextDay()
  const wrong = await announce({ kind: 'split', on: today(), from: '1', to: '5' })
  await run()
  expect(await shares(ewa)).toBe('10.000000000')
  await announce({ kind: 'split', on: today(), from: '1', to: '4' }, wrong)
  await run()
  expect(await shares(ewa)).toBe('8.000000000')
  expect((await expectLotsToBeTheBalance(ewa))?.fifo.held.costMinor).toBe(20_000n)
})

test('a split known days late counts what was held then: shares bought since stay as they are', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '6')
  await nextDay()
  const ex = today()
  await trade(ewa, 'sell', '1', '50')
  await trade(ewa, 'buy', '10', '50')
  await nextDay()
  await announce({ kind: 'split', on: ex, from: '1', to: '2' })
  await run()
  // 6 were entitled to 6 more, also the one that was sold.
  expect(await shares(ewa)).toBe('21.000000000')
  await expectLotsToBeTheBalance(ewa)
  const dividend = { kind: 'dividend', amount: '1', payOn: today() } as const
  const before = Number(await dollars(ewa))
  await announce({ ...dividend, on: today() })
  await run()
  // The late shares count as there since their day.
  expect(Number(await dollars(ewa)) - before).toBeCloseTo(21, 9)
})

test('two workers at once post each holder’s part once', async () => {
  const holders = await Promise.all([1, 2, 3].map(() => somebody({ USD: '1000.00' })))
  for (const holder of holders) await trade(holder, 'buy', '1')
  await nextDay()
  await announce({ kind: 'split', on: today(), from: '1', to: '3' })
  const runs = await Promise.all([run(), run(), run()])
  expect(runs.reduce((sum, { posted }) => sum + posted, 0)).toBe(3)
  for (const holder of holders) expect(await shares(holder)).toBe('3.000000000')
})

test('a reverse split leaves less than a billionth of a share with the house', async () => {
  const ewa = await somebody({ USD: '1000.00' })
  await trade(ewa, 'buy', '1.000000001')
  await nextDay()
  await announce({ kind: 'split', on: today(), from: '10', to: '1' })
  await run()
  expect(await shares(ewa)).toBe('0.100000000')
  await expectLotsToBeTheBalance(ewa)
})

test('a delisting cancels open orders and leaves the shares where they are', async () => {
  const ewa = await somebody({ USD: '1000.00' })
  await trade(ewa, 'buy', '2')
  const order = await ask(ewa, 'POST', '/orders', { body: limitSale(), key: randomUUID() })
  await announce({ kind: 'delisting', on: today(), lastPrice: '100' })
  await run()
  expect(await desk.show(ewa, String(order.body['id']))).toMatchObject({
    status: 'cancelled',
    reason: 'delisted',
  })
  expect(await shares(ewa)).toBe('2.000000000')
})

test.each([
  ['2026-01-14', '2026-01-14T05:00:00.000Z'],
  ['2026-07-01', '2026-07-01T04:00:00.000Z'],
  ['2026-03-08', '2026-03-08T05:00:00.000Z'],
  ['2026-11-01', '2026-11-01T04:00:00.000Z'],
])('the day %s begins in New York at %s', (date, at) => {
  expect(newYorkDayStart(date).toISOString()).toBe(at)
})

test('shares cannot be sent on the day of a split until it is posted: a reverse one would miss them', async () => {
  const [ewa, jan] = [await somebody({ USD: '100000.00' }), await somebody()]
  await trade(ewa, 'buy', '100')
  await nextDay()
  await announce({ kind: 'split', on: today(), from: '10', to: '1' })
  await run({ clock: () => new Date(clock.now().getTime() - DAY_MS) })
  const body = { to: `@${jan.handle}`, asset: desk.of.ticker, amount: '10' }
  const early = await ask(ewa, 'POST', '/transfers', { body, key: randomUUID() })
  expect([early.status, early.body['code']]).toEqual([422, 'asset_frozen'])
  expect(await shares(ewa)).toBe('100.000000000')
  await run()
  await desk.send(ewa, jan, '10')
  expect([await shares(ewa), await shares(jan)]).toEqual(['0.000000000', '10.000000000'])
})

test('a split is known before its day, so that shares can be sent until then', async () => {
  const [ewa, jan] = [await somebody({ USD: '100000.00' }), await somebody()]
  await trade(ewa, 'buy', '100')
  const tomorrow = newYorkDay(new Date(clock.now().getTime() + DAY_MS))
  await announce({ kind: 'split', on: tomorrow, from: '10', to: '1' })
  await run()
  await desk.send(ewa, jan, '100')
  await nextDay()
  expect(await run()).toEqual({ posted: 1, failed: 0 })
  expect([await shares(ewa), await shares(jan)]).toEqual(['0.000000000', '10.000000000'])
})

test('an order for a share that nobody holds is cancelled by its split too', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await desk.observeShare({ last: '100', bid: '100', ask: '100' })
  const stop = { side: 'buy', type: 'stop', quantity: '10', stopPrice: '120', timeInForce: 'gtc' }
  const order = await ask(ewa, 'POST', '/orders', {
    body: { ...stop, instrument: desk.of.ticker },
    key: randomUUID(),
  })
  await nextDay()
  await announce({ kind: 'split', on: today(), from: '10', to: '1' })
  await run()
  clock.advance(1_000)
  await desk.observeShare({ last: '1000', bid: '1000', ask: '1000' })
  expect(await desk.fillOrders()).toBe(0)
  expect(await desk.show(ewa, String(order.body['id']))).toMatchObject({
    status: 'cancelled',
    reason: 'split',
  })
  expect(await dollars(ewa)).toBe('10000.00')
})

test('old shares that were offered since a split’s orders were ended are taken too', async () => {
  const ewa = await somebody({ USD: '100000.00' })
  await trade(ewa, 'buy', '100')
  await nextDay()
  const id = await announce({ kind: 'split', on: today(), from: '10', to: '1' })
  await run({ clock: () => new Date(clock.now().getTime() - DAY_MS) })
  // As if the run were broken off between ending orders and posting.
  await noteOrdersEnded(desk.db, { actionId: id }, clock.now())
  await desk.observeShare({ last: '1000', bid: '1000', ask: '1000' })
  const order = await desk.give(ewa, 'sell', '100')
  expect(await run()).toEqual({ posted: 1, failed: 0 })
  expect(await shares(ewa)).toBe('10.000000000')
  expect(await desk.show(ewa, String(order.body['id']))).toMatchObject({
    status: 'cancelled',
    reason: 'split',
  })
  await expectLotsToBeTheBalance(ewa)
})

test('between a split and the first price of its day shares are worth what they were, and are dealt by new prices', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '10')
  const nextMidnight = newYorkDayStart(newYorkDay(new Date(clock.now().getTime() + DAY_MS))).getTime()
  clock.set(new Date(nextMidnight - 60_000))
  await desk.observeShare({ last: '100', bid: '100', ask: '100' })
  clock.set(new Date(nextMidnight + 60_000))
  await desk.publishRates(RATES)
  await announce({ kind: 'split', on: today(), from: '1', to: '4' })
  await run()
  await desk.prices.refresh()
  const baseCurrencyOf = () => Promise.resolve('EUR')
  const { items } = await showPositions(
    { ...desk.engineDeps, prices: desk.prices, baseCurrencyOf },
    ewa.walletId,
  )
  expect(items.at(-1)).toMatchObject({
    quantity: '40.000000000',
    marketValue: { asset: 'USD', amount: '1000.00' },
    price: '25',
  })
  const body = { side: 'sell', type: 'limit', quantity: '1', timeInForce: 'gtc', instrument: desk.of.ticker }
  const fair = await ask(ewa, 'POST', '/orders/preview', { body: { ...body, limitPrice: '26' } })
  expect([fair.status, fair.body['price']]).toEqual([200, '26'])
})

test('a split that was called off before its day ends no order and gives nobody shares; the new day does', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '10')
  const order = await ask(ewa, 'POST', '/orders', { body: limitSale(), key: randomUUID() })
  const inDays = (days: number) => newYorkDay(new Date(clock.now().getTime() + days * DAY_MS))
  const split = { kind: 'split', from: '1', to: '2' } as const
  const first = await announce({ ...split, on: inDays(1) })
  await run()
  await announce({ ...split, on: inDays(1), withdrawn: true }, first)
  await announce({ ...split, on: inDays(2) })
  await nextDay()
  expect(await run()).toEqual({ posted: 0, failed: 0 })
  expect(await desk.show(ewa, String(order.body['id']))).toMatchObject({ status: 'new' })
  await nextDay()
  expect(await run()).toEqual({ posted: 1, failed: 0 })
  expect(await shares(ewa)).toBe('20.000000000')
})
