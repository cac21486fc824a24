import { expect, test } from 'vitest'
import { companyDesk, DAY_MS } from './company-fixture.ts'
import { newYorkDay, newYorkDayStart } from './new-york-day.ts'

const desk = await companyDesk()
const { announce, clock, dollars, expectLotsToBeTheBalance, fillOrders, give, nextDay, operations, run } =
  desk
const { send, shares, somebody, today, trade } = desk

const HOUR_MS = 3_600_000

/** The close of that day in New York, which a feed by the end of the day has only later. */
const closeOf = (day: string) => new Date(newYorkDayStart(day).getTime() + 16 * HOUR_MS)
const ingestClose = (day: string) =>
  desk.observeShare({ last: '100', asOf: closeOf(day), timeliness: 'endOfDay' })

/** What a customer's dollars grew by meanwhile, in cents. */
async function gained(by: Parameters<typeof dollars>[0], work: () => Promise<unknown>): Promise<number> {
  const before = Number(await dollars(by))
  await work()
  return Math.round((Number(await dollars(by)) - before) * 100)
}

test('a purchase at the close before the ex-date is entitled, though the close came in on the ex-date', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await ingestClose(newYorkDay(new Date(clock.now().getTime() - DAY_MS)))
  await give(ewa, 'buy', '10', 'gtc')
  const traded = today()
  await nextDay()
  await announce({ kind: 'dividend', on: today(), amount: '0.50', payOn: today() })
  await ingestClose(traded)
  expect(await fillOrders()).toBe(1)
  expect(await gained(ewa, run)).toBe(500)
})

test('a sale at the close before the ex-date is not, though the shares were there when the day began', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '10')
  await give(ewa, 'sell', '4', 'gtc')
  const traded = today()
  await nextDay()
  await announce({ kind: 'dividend', on: today(), amount: '0.50', payOn: today() })
  await ingestClose(traded)
  expect(await fillOrders()).toBe(1)
  expect(await gained(ewa, run)).toBe(300)
})

test('a purchase at the close of the ex-date is too late, and a sale then keeps the dividend', async () => {
  const [buyer, seller] = [await somebody({ USD: '10000.00' }), await somebody({ USD: '10000.00' })]
  await trade(seller, 'buy', '10')
  await nextDay()
  const ex = today()
  await announce({ kind: 'dividend', on: ex, amount: '0.50', payOn: ex })
  await ingestClose(newYorkDay(new Date(clock.now().getTime() - DAY_MS)))
  await give(buyer, 'buy', '3', 'gtc')
  await give(seller, 'sell', '10', 'gtc')
  await nextDay()
  await ingestClose(ex)
  expect(await fillOrders()).toBe(2)
  expect([await gained(buyer, run), await gained(seller, run)]).toEqual([0, 0])
  expect((await operations(seller, 'dividend')).map(({ amounts }) => amounts)).toEqual([
    [{ asset: 'USD', amount: '5.00' }],
  ])
})

test('a close that comes in after the dividend was paid gives the buyer the rest and takes it back from the seller', async () => {
  const [buyer, seller] = [await somebody({ USD: '10000.00' }), await somebody({ USD: '10000.00' })]
  await trade(buyer, 'buy', '2')
  await trade(seller, 'buy', '10')
  await give(buyer, 'buy', '3', 'gtc')
  await give(seller, 'sell', '4', 'gtc')
  const traded = today()
  await nextDay()
  await announce({ kind: 'dividend', on: today(), amount: '0.50' })
  expect(await run()).toEqual({ posted: 2, failed: 0 })
  await ingestClose(traded)
  expect(await fillOrders()).toBe(2)
  expect(await run()).toEqual({ posted: 2, failed: 0 })
  expect(await run()).toEqual({ posted: 0, failed: 0 })
  const paid = async (to: typeof buyer) =>
    (await operations(to, 'dividend')).map(({ amounts, corporateAction }) => [amounts, corporateAction])
  const said = (quantity: string, correction: boolean) => expect.objectContaining({ quantity, correction })
  expect(await paid(buyer)).toEqual([
    [[{ asset: 'USD', amount: '1.50' }], said('5.000000000', true)],
    [[{ asset: 'USD', amount: '1.00' }], said('2.000000000', false)],
  ])
  expect(await paid(seller)).toEqual([
    [[{ asset: 'USD', amount: '-2.00' }], said('6.000000000', true)],
    [[{ asset: 'USD', amount: '5.00' }], said('10.000000000', false)],
  ])
  expect((await expectLotsToBeTheBalance(buyer))?.dividendsMinor).toBe(250n)
  expect((await expectLotsToBeTheBalance(seller))?.dividendsMinor).toBe(300n)
})

test('shares that were sent on the ex-date are still their giver’s for that dividend', async () => {
  const [giver, friend] = [await somebody({ USD: '10000.00' }), await somebody()]
  await trade(giver, 'buy', '10')
  await send(giver, friend, '4')
  await nextDay()
  await announce({ kind: 'dividend', on: today(), amount: '0.50', payOn: today() })
  await send(giver, friend, '5')
  expect(await gained(giver, run)).toBe(300)
  expect(await dollars(friend)).toBe('2.00')
})

test('a split known late makes a dividend that was paid on too few shares whole', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '10')
  await nextDay()
  const splitOn = today()
  await nextDay()
  await announce({ kind: 'dividend', on: today(), amount: '0.10', payOn: today() })
  expect(await gained(ewa, run)).toBe(100)
  await nextDay()
  await announce({ kind: 'split', on: splitOn, from: '1', to: '3' })
  expect(await gained(ewa, run)).toBe(200)
  expect(await shares(ewa)).toBe('30.000000000')
  expect(await run()).toEqual({ posted: 0, failed: 0 })
})

test('a split counts what was dealt before its day, though the close came in when it was already known', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '2')
  await give(ewa, 'buy', '3', 'gtc')
  const traded = today()
  await nextDay()
  const ex = today()
  await ingestClose(traded)
  expect(await fillOrders()).toBe(1)
  // Dealt in new shares already, before anybody knew.
  await trade(ewa, 'buy', '7', '50')
  await announce({ kind: 'split', on: ex, from: '1', to: '2' })
  await run()
  expect(await shares(ewa)).toBe('17.000000000')
  await expectLotsToBeTheBalance(ewa)
})

test('a price of new shares fills no order that was given in old ones, also before the split is posted', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '10')
  const stop = { instrument: desk.of.ticker, side: 'sell', type: 'stop', quantity: '10', stopPrice: '90' }
  const order = await desk.order(ewa, { ...stop, timeInForce: 'gtc' })
  expect(order.status, order.text).toBe(201)
  const tomorrow = newYorkDay(new Date(clock.now().getTime() + DAY_MS))
  await announce({ kind: 'split', on: tomorrow, from: '1', to: '4' })
  // Known before its day, as splits are.
  await run()
  await nextDay()
  await desk.observeShare({ last: '25' })
  expect(await fillOrders()).toBe(0)
  await run()
  expect(await desk.show(ewa, String(order.body['id']))).toMatchObject({
    status: 'cancelled',
    reason: 'split',
  })
  expect(await shares(ewa)).toBe('40.000000000')
})
