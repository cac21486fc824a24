import { randomUUID } from 'node:crypto'
import type { Customer } from '#test/money-fixture'
import { beforeEach, expect, test } from 'vitest'
import { companyDesk } from './company-fixture.ts'

const desk = await companyDesk()
const { announce, ask, clock, expectLotsToBeTheBalance, nextDay, run, runRules, shares } = desk
const { somebody, today, trade } = desk

beforeEach(() => desk.ownerDb.query(`update rules.rules set state = 'cancelled'`))

/** So many shares a week, the first tomorrow morning. */
async function promise(from: Customer, to: Customer, amount: string): Promise<string> {
  const weekday = (clock.now().getUTCDay() + 1) % 7 || 7
  const schedule = { repeat: 'weekly', weekday, at: '10:00', timeZone: 'UTC' }
  const body = { to: `@${to.handle}`, asset: desk.of.ticker, amount, schedule }
  const answer = await ask(from, 'POST', '/standing-orders', { body, key: randomUUID() })
  expect(answer.status, answer.text).toBe(201)
  return `/standing-orders/${String(answer.body['id'])}`
}

async function nextWeek(): Promise<void> {
  for (let day = 0; day < 7; day += 1) await nextDay()
}

async function runsOf(of: Customer, path: string): Promise<unknown[]> {
  return (await ask(of, 'GET', `${path}/runs`)).body['items'] as unknown[]
}

test('a standing order of shares moves the oldest lots with their cost, each date once', async () => {
  const [ewa, edek] = [await somebody({ USD: '10000.00' }), await somebody()]
  await trade(ewa, 'buy', '2', '100')
  await trade(ewa, 'buy', '2', '150')
  const path = await promise(ewa, edek, '1.5')
  await nextDay()
  expect(await Promise.all([runRules(), runRules()]).then(([one, other]) => one + other)).toBe(1)
  expect(await runRules()).toBe(0)
  expect([await shares(ewa), await shares(edek)]).toEqual(['2.500000000', '1.500000000'])
  const received = await expectLotsToBeTheBalance(edek)
  const kept = await expectLotsToBeTheBalance(ewa)
  expect([received?.fifo.held.costMinor, kept?.fifo.held.costMinor]).toEqual([15_000n, 35_000n])
  await nextWeek()
  expect(await runRules()).toBe(1)
  // Half a share at 100, and one at 150.
  expect((await expectLotsToBeTheBalance(edek))?.fifo.held.costMinor).toBe(35_000n)
  expect((await expectLotsToBeTheBalance(ewa))?.fifo.held.costMinor).toBe(15_000n)
  expect(await runsOf(ewa, path)).toMatchObject([
    { run: 2, outcome: 'done' },
    { run: 1, outcome: 'done' },
  ])
})

test('without enough shares it is tried again, moves no lot, and is refused with its reason', async () => {
  const [ewa, edek] = [await somebody({ USD: '10000.00' }), await somebody()]
  await trade(ewa, 'buy', '1')
  const path = await promise(ewa, edek, '1.000000001')
  await nextDay()
  expect(await runRules()).toBe(1)
  expect((await ask(ewa, 'GET', path)).body).toMatchObject({
    lastTry: { reason: 'insufficient_funds' },
    runs: 0,
  })
  for (let hour = 0; hour < 24; hour += 1) {
    clock.advance(3_600_000)
    await runRules()
  }
  expect(await runsOf(ewa, path)).toMatchObject([
    { run: 1, outcome: 'refused', reason: 'insufficient_funds' },
  ])
  expect([await shares(ewa), await shares(edek)]).toEqual(['1.000000000', '0.000000000'])
  expect((await expectLotsToBeTheBalance(ewa))?.fifo.held.costMinor).toBe(10_000n)
})

test('shares that a sale has set aside are not there to be sent', async () => {
  const [ewa, edek] = [await somebody({ USD: '10000.00' }), await somebody()]
  await trade(ewa, 'buy', '2')
  const path = await promise(ewa, edek, '2')
  const sale = { instrument: desk.of.ticker, side: 'sell', type: 'limit', limitPrice: '109', quantity: '1' }
  const body = { ...sale, timeInForce: 'gtc' }
  const order = await ask(ewa, 'POST', '/orders', { body, key: randomUUID() })
  expect(order.status, order.text).toBe(201)
  await nextDay()
  await runRules()
  expect((await ask(ewa, 'GET', path)).body).toMatchObject({ lastTry: { reason: 'insufficient_funds' } })
  await desk.cancel(ewa, String(order.body['id']))
  clock.advance(15 * 60_000)
  await runRules()
  expect(await shares(edek)).toBe('2.000000000')
  expect((await expectLotsToBeTheBalance(edek))?.fifo.held.costMinor).toBe(20_000n)
})

test('after a split it sends as many shares as before, of the new ones, at their share of the cost', async () => {
  const [ewa, edek] = [await somebody({ USD: '10000.00' }), await somebody()]
  await trade(ewa, 'buy', '2')
  const path = await promise(ewa, edek, '1')
  await nextDay()
  await announce({ kind: 'split', on: today(), from: '1', to: '4' })
  await run()
  expect(await runRules()).toBe(1)
  expect([await shares(ewa), await shares(edek)]).toEqual(['7.000000000', '1.000000000'])
  expect((await expectLotsToBeTheBalance(edek))?.fifo.held.costMinor).toBe(2_500n)
  expect((await expectLotsToBeTheBalance(ewa))?.fifo.held.costMinor).toBe(17_500n)
  expect(await runsOf(ewa, path)).toMatchObject([{ outcome: 'done' }])
})

test('through a delisting it goes on: what is no longer traded still belongs to somebody', async () => {
  const [ewa, edek] = [await somebody({ USD: '10000.00' }), await somebody()]
  await trade(ewa, 'buy', '3')
  const path = await promise(ewa, edek, '1')
  await nextDay()
  await runRules()
  await announce({ kind: 'delisting', on: today(), lastPrice: '100' })
  await run()
  await desk.ownerDb.query(
    `update market_data.instruments set status = 'delisted', delisted_on = $2 where id = $1`,
    [desk.of.share, today()],
  )
  await nextWeek()
  expect(await runRules()).toBe(1)
  expect([await shares(ewa), await shares(edek)]).toEqual(['1.000000000', '2.000000000'])
  expect((await expectLotsToBeTheBalance(edek))?.fifo.held.costMinor).toBe(20_000n)
  expect(await runsOf(ewa, path)).toMatchObject([{ outcome: 'done' }, { outcome: 'done' }])
  expect((await ask(ewa, 'GET', path)).body).toMatchObject({ status: 'active', asset: desk.of.ticker })
})
