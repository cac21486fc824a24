import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { freezeAsset } from '#ledger'
import { cancelOpenOrders } from './expire-orders.ts'
import { acmeDesk, idOf, RATES } from './trading-fixture.ts'

const desk = await acmeDesk()
const { order, observe, engine, clock, show, holds, somebody, acme, tick } = desk

describe('time in force', () => {
  test('immediate or cancel ends with the first price, filled or not', async () => {
    const anna = await somebody({ USD: '1000.00' })
    const accepted = await order(anna, {
      instrument: 'ACME',
      side: 'buy',
      type: 'limit',
      limitPrice: '99',
      quantity: '1',
      timeInForce: 'ioc',
    })
    await tick({ last: '100', bid: '99.9', ask: '100.1' })
    await engine.runOnce()
    expect(await show(anna, idOf(accepted))).toMatchObject({ status: 'cancelled', reason: 'notMarketable' })
    expect(await holds(anna, 'USD', 'available')).toBe('1000.00')
  })

  test('a day order expires with the session, but not before its last prices may have come', async () => {
    const anna = await somebody({ USD: '1000.00' })
    const body = { instrument: 'ACME', side: 'buy', type: 'limit', limitPrice: '95', quantity: '1' }
    const accepted = await order(anna, body)
    const closesAt = new Date(clock.now().toISOString().slice(0, 10) + 'T21:00:00.000Z')
    clock.set(new Date(closesAt.getTime() + 60_000))
    await engine.runOnce()
    expect(await show(anna, idOf(accepted))).toMatchObject({ status: 'new' })
    clock.set(new Date(closesAt.getTime() + 121_000))
    await engine.runOnce()
    expect(await show(anna, idOf(accepted))).toMatchObject({ status: 'expired', reason: 'sessionEnded' })
    expect(await holds(anna, 'USD', 'available')).toBe('1000.00')
  })

  test('while the market is closed a day order is queued and says until when; what trades before does not fill it', async () => {
    const anna = await somebody({ USD: '1000.00' })
    await tick({ last: '100', bid: '99.9', ask: '100.1', asOf: new Date('2026-01-14T20:59:30Z') })
    clock.set('2026-01-14T23:00:00Z')
    await desk.publishRates(RATES)
    const refused = await order(anna, { instrument: 'ACME', side: 'buy', quantity: '1', timeInForce: 'ioc' })
    expect(refused.body['code']).toBe('market_closed')
    const accepted = await order(anna, { instrument: 'ACME', side: 'buy', quantity: '1' })
    expect(accepted.body['queuedUntil'], accepted.text).toBe('2026-01-15T14:30:00.000Z')
    clock.set('2026-01-15T14:00:00Z')
    await observe(acme, { last: '100' })
    expect(await engine.runOnce()).toBe(0)
    clock.set('2026-01-15T14:30:01Z')
    await observe(acme, { last: '101' })
    expect(await engine.runOnce()).toBe(1)
    expect(await show(anna, idOf(accepted))).toMatchObject({ status: 'filled', averagePrice: '101.0505' })
  })
})

describe('cancelling', () => {
  const waiting = {
    instrument: 'ACME',
    side: 'buy',
    type: 'limit',
    limitPrice: '95',
    quantity: '1',
    timeInForce: 'gtc',
  }

  test('gives back everything, once; another customer’s order is not there', async () => {
    const [anna, boris] = [await somebody({ USD: '1000.00' }), await somebody()]
    const id = idOf(await order(anna, waiting))
    expect((await desk.cancel(boris, id)).status).toBe(404)
    const answers = await Promise.all([1, 2, 3].map(() => desk.cancel(anna, id)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409])
    expect(await holds(anna, 'USD', 'available')).toBe('1000.00')
    expect(await show(anna, id)).toMatchObject({ status: 'cancelled', reason: 'byCustomer' })
  })

  test('races with a fill: exactly one wins', async () => {
    const outcomes = new Set<unknown>()
    for (let round = 0; round < 12; round += 1) {
      const anna = await somebody({ USD: '1000.00' })
      const id = idOf(await order(anna, { instrument: 'ACME', side: 'buy', quantity: '1' }))
      await tick({ last: '100', bid: '99.9', ask: '100' })
      const [cancelled] = await Promise.all([desk.cancel(anna, id), engine.runOnce(), engine.runOnce()])
      await engine.runOnce()
      const { status } = await show(anna, id)
      expect(status).toBe(cancelled.status === 200 ? 'cancelled' : 'filled')
      expect(await holds(anna, 'USD', 'available')).toBe(status === 'filled' ? '899.00' : '1000.00')
      outcomes.add(status)
    }
  })

  test('of every open order of an instrument, before a split', async () => {
    const anna = await somebody({ USD: '1000.00' })
    const ids = [idOf(await order(anna, waiting)), idOf(await order(anna, waiting))]
    const instrumentId = acme
    await cancelOpenOrders(desk.engineDeps, { instrumentId }, 'split')
    for (const id of ids) expect(await show(anna, id)).toMatchObject({ status: 'cancelled', reason: 'split' })
    expect(await holds(anna, 'USD', 'available')).toBe('1000.00')
  })
})

test('a retried order is accepted once and answers the same, also when it has been filled since', async () => {
  const anna = await somebody({ USD: '1000.00' })
  const body = { instrument: 'ACME', side: 'buy', quantity: '1' }
  const key = randomUUID()
  const answers = await Promise.all(Array.from({ length: 20 }, () => order(anna, body, key)))
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  expect(await holds(anna, 'USD', 'reserved')).toBe('106.11')
  await tick({ last: '100' })
  await engine.runOnce()
  const again = await order(anna, body, key)
  expect(again.text).toBe(answers[0]?.text)
  expect(again.headers['idempotency-replayed']).toBe('true')
  const other = await order(anna, { ...body, quantity: '2' }, key)
  expect(other.body['code']).toBe('idempotency_key_reused')
})

test('a retried order is told of its first answer even when prices have grown too old to order at', async () => {
  const anna = await somebody({ USD: '1000.00' })
  const body = { instrument: 'ACME', side: 'buy', quantity: '1' }
  const key = randomUUID()
  const first = await order(anna, body, key)
  clock.advance(1_000_000)
  expect((await order(anna, body)).body['code']).toBe('prices_stale')
  const again = await order(anna, body, key)
  expect([again.status, again.text]).toEqual([201, first.text])
  expect(await holds(anna, 'USD', 'reserved')).toBe('106.11')
})

test('a sale for an amount at a far stop sets aside the shares that it takes there', async () => {
  const anna = await somebody()
  const sale = { instrument: 'ACME', side: 'sell', type: 'stop', stopPrice: '1', timeInForce: 'gtc' }
  const body = { ...sale, notional: { asset: 'USD', amount: '10.00' } }
  // 10.00 and the least fee at 1.00 a share, and 5 % more for a price that falls on.
  const preview = await desk.ask(anna, 'POST', '/orders/preview', { body })
  expect(preview.body, preview.text).toMatchObject({ reserve: { asset: 'ACME', amount: '11.000000000' } })
  await desk.giveShares(anna, acme, '5')
  expect((await order(anna, body)).body['code']).toBe('insufficient_funds')
  await desk.giveShares(anna, acme, '95')
  expect((await order(anna, body)).body['reserved']).toEqual({ asset: 'ACME', amount: '11.578947369' })
})

test('on a feed that is behind, a cancelled order is filled by a price of before the wish, and by none of after it', async () => {
  const [anna, boris] = [await somebody({ USD: '1000.00' }), await somebody({ USD: '1000.00' })]
  const slow = await desk.list('BEHIND')
  const minutesLater = (minutes: number) => clock.advance(minutes * 60_000)
  const told = (last: string, minutesAgo: number) =>
    observe(slow, {
      last,
      timeliness: 'delayed',
      asOf: new Date(clock.now().getTime() - minutesAgo * 60_000),
    })
  await told('10', 15)
  const market = idOf(await order(anna, { instrument: 'BEHIND', side: 'buy', quantity: '1' }))
  const limit = { instrument: 'BEHIND', side: 'buy', type: 'limit', limitPrice: '9', quantity: '1' }
  const waiting = idOf(await order(boris, { ...limit, timeInForce: 'gtc' }))
  minutesLater(5)
  const cancelAskedAt = clock.now().toISOString()
  const asked = await desk.cancel(anna, market)
  expect([asked.status, asked.body], asked.text).toMatchObject([200, { status: 'new', cancelAskedAt }])
  await desk.cancel(boris, waiting)
  minutesLater(13)
  expect((await desk.cancel(anna, market)).text).toBe(asked.text)
  await told('10.1', 15)
  await engine.runOnce()
  expect(await show(anna, market)).toMatchObject({ status: 'filled' })
  minutesLater(5)
  await told('8', 15)
  await engine.runOnce()
  expect(await show(boris, waiting)).toMatchObject({ status: 'new', cancelAskedAt })
  minutesLater(26)
  await engine.runOnce()
  expect(await show(boris, waiting)).toMatchObject({ status: 'new' })
  minutesLater(2)
  await engine.runOnce()
  expect(await show(boris, waiting)).toMatchObject({ status: 'cancelled', reason: 'byCustomer' })
  expect(await holds(boris, 'USD', 'available')).toBe('1000.00')
  expect((await desk.cancel(boris, waiting)).body['code']).toBe('order_not_open')
})

test('on an end-of-day feed an order is cancelled at once before the close, and not between the close and its price', async () => {
  const anna = await somebody({ USD: '1000.00' })
  const daily = await desk.list('DAILY')
  const dayBefore = new Date(
    Date.parse(clock.now().toISOString().slice(0, 10) + 'T21:00:00Z') - 24 * 3_600_000,
  )
  await observe(daily, { last: '10', timeliness: 'endOfDay', asOf: dayBefore })
  const body = { instrument: 'DAILY', side: 'buy', quantity: '1', timeInForce: 'gtc' }
  const early = idOf(await order(anna, body))
  expect((await desk.cancel(anna, early)).body).toMatchObject({ status: 'cancelled', cancelAskedAt: null })
  const late = idOf(await order(anna, body))
  const closesAt = new Date(dayBefore.getTime() + 24 * 3_600_000)
  clock.set(new Date(closesAt.getTime() + 60_000))
  expect((await desk.cancel(anna, late)).body).toMatchObject({ status: 'new' })
  clock.advance(3 * 3_600_000)
  await observe(daily, { last: '10.2', timeliness: 'endOfDay', asOf: closesAt })
  await engine.runOnce()
  expect(await show(anna, late)).toMatchObject({ status: 'filled' })
  clock.set(new Date(closesAt.getTime() + 19 * 3_600_000))
})

test('a preview says what the order then costs, and keeps nothing', async () => {
  const anna = await somebody({ PLN: '1000.00' })
  const body = {
    instrument: 'ACME',
    side: 'buy',
    type: 'market',
    quantity: '1',
    timeInForce: 'day',
    settleIn: 'PLN',
  }
  const preview = await desk.ask(anna, 'POST', '/orders/preview', { body })
  expect(preview.body, preview.text).toMatchObject({
    price: '100.1',
    value: { asset: 'USD', amount: '100.10' },
    fee: { asset: 'USD', amount: '1.00' },
    marketOpen: true,
    simulated: true,
  })
  expect(await holds(anna, 'PLN', 'available')).toBe('1000.00')
  const accepted = await order(anna, body)
  expect(preview.body['reserve']).toEqual(accepted.body['reserved'])
  await tick({ last: '100', bid: '99.9', ask: '100.1' })
  await engine.runOnce()
  const { amount } = preview.body['total'] as { amount: string }
  const paid = (1000 - Number(await holds(anna, 'PLN', 'available'))).toFixed(2)
  expect(paid).toBe(amount)
})

test('lists are pages of one’s own orders, newest first', async () => {
  const anna = await somebody({ USD: '10000.00' })
  const ids: string[] = []
  for (let count = 0; count < 5; count += 1) {
    const body = { instrument: 'ACME', side: 'buy', type: 'limit', limitPrice: '95', quantity: '1' }
    ids.unshift(idOf(await order(anna, body)))
  }
  await desk.cancel(anna, ids[1] ?? '')
  const listed = async (query: string) => {
    const { body } = await desk.ask(anna, 'GET', `/orders${query}`)
    return { ids: (body['items'] as { id: string }[]).map(({ id }) => id), next: body['nextCursor'] }
  }
  const first = await listed('?limit=2')
  expect(first.ids).toEqual(ids.slice(0, 2))
  expect((await listed(`?limit=9&cursor=${String(first.next)}`)).ids).toEqual(ids.slice(2))
  expect((await listed('?status=open')).ids).toEqual(ids.filter((_, index) => index !== 1))
  expect((await listed('?status=done')).ids).toEqual([ids[1]])
  expect((await desk.ask(anna, 'GET', '/orders?cursor=x')).body['code']).toBe('invalid_cursor')
})

test('an end-of-day feed fills at the next close, and takes no immediate order', async () => {
  const slow = await desk.list('SLOW')
  const yesterday = new Date(clock.now().getTime() - 20 * 3_600_000)
  await observe(slow, { last: '10', timeliness: 'endOfDay', asOf: yesterday })
  const anna = await somebody({ USD: '1000.00' })
  const ioc = await order(anna, { instrument: 'SLOW', side: 'buy', quantity: '1', timeInForce: 'ioc' })
  expect(ioc.body['code'], ioc.text).toBe('live_prices_required')
  const accepted = await order(anna, { instrument: 'SLOW', side: 'buy', quantity: '1' })
  const day = clock.now().toISOString().slice(0, 10)
  clock.set(new Date(Date.parse(`${day}T21:00:00Z`) + 6 * 3_600_000))
  await observe(slow, { last: '10.2', timeliness: 'endOfDay', asOf: new Date(`${day}T21:00:00Z`) })
  await engine.runOnce()
  expect(await show(anna, idOf(accepted))).toMatchObject({ status: 'filled', averagePrice: '10.2051' })
})

test('an order whose money is frozen keeps nobody else’s from ending, and ends once it is free again', async () => {
  const [anna, boris] = [await somebody({ GBP: '1000.00' }), await somebody({ USD: '1000.00' })]
  const body = { instrument: 'ACME', side: 'buy', type: 'limit', limitPrice: '95', quantity: '1' }
  const held = idOf(await order(anna, { ...body, settleIn: 'GBP' }))
  const other = idOf(await order(boris, body))
  const gbp = (await desk.assets.byCode('GBP'))?.id ?? 0
  await freezeAsset(desk.ownerDb, gbp, clock.now())
  const cancelled = await desk.cancel(anna, held)
  expect([cancelled.status, cancelled.body['code']]).toEqual([422, 'asset_frozen'])
  const { closesAt } = desk.engineDeps.marketHours.session('XNAS', clock.now())
  clock.set(new Date(closesAt.getTime() + 3 * 60_000))
  await engine.runOnce()
  expect(await show(boris, other)).toMatchObject({ status: 'expired' })
  expect(await holds(boris, 'USD', 'available')).toBe('1000.00')
  expect(await show(anna, held)).toMatchObject({ status: 'new' })
  await freezeAsset(desk.ownerDb, gbp, null)
  clock.advance(5 * 60_000)
  await engine.runOnce()
  expect(await show(anna, held)).toMatchObject({ status: 'expired' })
  expect(await holds(anna, 'GBP', 'available')).toBe('1000.00')
})
