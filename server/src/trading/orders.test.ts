import { randomUUID } from 'node:crypto'
import { historyRoutes } from '#history'
import { beforeEach, describe, expect, test } from 'vitest'
import { houseExposure } from './exposure.ts'
import { cancelOpenOrders } from './expire-orders.ts'
import { RATES, tradingFixture } from './trading-fixture.ts'

const desk = await tradingFixture()
const { order, observe, engine, clock, show, holds, somebody } = desk
const acme = await desk.list('ACME')
const gone = await desk.list('GONE', 'delisted')
const bare = await desk.list('BARE')

/** A second on, a new price. */
const tick = async (price: Parameters<typeof observe>[1], instrument = acme) => {
  clock.advance(1_000)
  await observe(instrument, price)
}

beforeEach(async () => {
  // Wednesday, 12:00 in New York, one day further for each test.
  clock.set(new Date(Math.max(clock.now().getTime(), Date.parse('2026-01-14T17:00:00Z')) + 1_000))
  desk.tradeBy({})
  await desk.publishRates(RATES)
  await tick({ last: '100', bid: '99.9', ask: '100.1' })
  await engine.runOnce()
})

const idOf = (answer: { body: Record<string, unknown> }) => String(answer.body['id'])

/** Every operation of a customer, newest first, explained; the desk serves orders again afterwards. */
async function explained(of: Parameters<typeof holds>[0] & object): Promise<Record<string, unknown>[]> {
  const { db, assets, ask } = desk
  const people = {
    byWalletIds: () => Promise.resolve(new Map()),
    walletOfHandle: () => Promise.resolve(null),
  }
  desk.serve(
    historyRoutes({
      db,
      assets,
      people,
      indexBuilder: { consider: () => {}, idle: async () => {}, close: async () => {} },
    }),
  )
  const { body } = await ask(of, 'GET', '/operations')
  const ids = (body['items'] as { id: string }[]).map(({ id }) => id)
  const operations = await Promise.all(
    ids.map(async (id) => (await ask(of, 'GET', `/operations/${id}`)).body),
  )
  desk.tradeBy({})
  return operations
}

describe('a purchase', () => {
  test('sets the worst case and its fee aside, is filled by the first price after it, and returns the rest', async () => {
    const anna = await somebody({ USD: '1000.00' })
    const accepted = await order(anna, { instrument: 'ACME', side: 'buy', quantity: '2.5' })
    expect(accepted.status, accepted.text).toBe(201)
    // 2.5 · 100.1 · 1.05 = 262.7625 → 262.77, the fee at least 1.00
    expect(accepted.body).toMatchObject({
      status: 'new',
      filledQuantity: '0.000000000',
      reserved: { asset: 'USD', amount: '263.77' },
      fee: { asset: 'USD', amount: '0.00' },
    })
    expect(await holds(anna, 'USD', 'available')).toBe('736.23')
    expect(await holds(anna, 'USD', 'reserved')).toBe('263.77')
    await engine.runOnce()
    expect(await show(anna, idOf(accepted))).toMatchObject({ status: 'new' })

    await tick({ last: '101', bid: '100.95', ask: '101.05' })
    await tick({ last: '90', bid: '89', ask: '91' })
    expect(await engine.runOnce()).toBe(1)
    // 2.5 · 101.05 = 252.625 → 252.63
    expect(await show(anna, idOf(accepted))).toMatchObject({
      status: 'filled',
      filledQuantity: '2.500000000',
      averagePrice: '101.05',
      fee: { asset: 'USD', amount: '1.00' },
      reserved: { asset: 'USD', amount: '0.00' },
    })
    expect(await holds(anna, 'USD', 'available')).toBe('746.37')
    expect(await holds(anna, 'USD', 'reserved')).toBe('0.00')
    expect(await holds(anna, acme, 'available')).toBe('2.500000000')
  })

  test('never deals at a price that was known, nor at one that came late but is older than the order', async () => {
    const anna = await somebody({ USD: '1000.00' })
    const accepted = await order(anna, { instrument: 'ACME', side: 'buy', quantity: '1' })
    await observe(acme, { last: '50', asOf: clock.now() })
    await observe(acme, { last: '50', asOf: new Date(clock.now().getTime() - 60_000) })
    expect(await engine.runOnce()).toBe(0)
    await tick({ last: '102' })
    expect(await engine.runOnce()).toBe(1)
    // last and half a spread of 5 bps
    expect(await show(anna, idOf(accepted))).toMatchObject({ averagePrice: '102.051' })
  })

  test('for an amount spends no more than that, fee included', async () => {
    const anna = await somebody({ USD: '500.00' })
    const accepted = await order(anna, {
      instrument: 'ACME',
      side: 'buy',
      notional: { asset: 'USD', amount: '500.00' },
    })
    expect(accepted.body['reserved']).toEqual({ asset: 'USD', amount: '500.00' })
    await tick({ last: '120', bid: '119', ask: '121' })
    await engine.runOnce()
    // 500 / 1.0025 = 498.753… → 498.75 for shares at 121, and a fee of 1.25
    expect(await show(anna, idOf(accepted))).toMatchObject({
      status: 'filled',
      filledQuantity: '4.121900826',
      fee: { amount: '1.25', asset: 'USD' },
    })
    expect(await holds(anna, 'USD', 'available')).toBe('0.00')
  })

  test('paid in another currency is one journal with every leg, at the exchange’s margin', async () => {
    const anna = await somebody({ PLN: '1000.00' })
    const accepted = await order(anna, { instrument: 'ACME', side: 'buy', quantity: '1', settleIn: 'PLN' })
    expect(accepted.body, accepted.text).toMatchObject({ settleIn: 'PLN', reserved: { asset: 'PLN' } })
    await tick({ last: '100', bid: '99.9', ask: '100.1' })
    await engine.runOnce()
    const { rows } = await desk.db.query<{ postings: bigint[]; detail: Record<string, unknown> }>(
      `select postings, detail from ledger.journals where kind = 7 and detail ->> 'orderId' = $1`,
      [idOf(accepted)],
    )
    expect(rows).toHaveLength(1)
    const [trade] = rows
    const amounts = trade?.postings.filter((_, index) => index % 3 === 2)
    // 101.10 USD ÷ (1.0811 / 4.2719 · (1 − margin)), rounded up
    const margin = BigInt(Number(trade?.detail['marginBps']))
    const cost = 10110n * 42719n * 10_000n
    const per = 10811n * (10_000n - margin)
    expect(amounts).toEqual([(cost + per - 1n) / per, 10110n, 10010n, 100n, 1_000_000_000n])
    expect(await holds(anna, 'USD', 'available')).toBe('0.00')
    expect(await holds(anna, 'PLN', 'reserved')).toBe('0.00')
  })

  test('is explained in history by its journals: what was seen, dealt, charged, converted and given back', async () => {
    const anna = await somebody({ PLN: '1000.00' })
    const accepted = await order(anna, { instrument: 'ACME', side: 'buy', quantity: '1', settleIn: 'PLN' })
    await tick({ last: '100', bid: '99.9', ask: '100.1' })
    await engine.runOnce()
    const operations = await explained(anna)
    const order_ = { id: idOf(accepted), instrument: 'ACME', side: 'buy' }
    expect(operations.map(({ kind }) => kind)).toEqual(['release', 'trade', 'reserve', 'deposit'])
    const [release, trade, reserve] = operations
    expect(release).toMatchObject({ order: { ...order_, status: 'filled' } })
    expect(reserve).toMatchObject({ order: { ...order_, priceSeen: '100.1', priceSource: 'test-stocks' } })
    expect(trade).toMatchObject({
      order: { ...order_, price: '100.1', priceCurrency: 'USD', quantity: '1.000000000', value: '100.10' },
      fee: { asset: 'USD', amount: '1.00' },
      rateSource: 'test',
      margin: { asset: 'USD' },
      rounding: { asset: 'USD' },
      postings: [
        { from: 'reserved', to: 'house:conversion', asset: 'PLN' },
        { from: 'house:conversion', to: 'available', asset: 'USD', amount: '101.10' },
        { from: 'available', to: 'house:brokerage', asset: 'USD', amount: '100.10' },
        { from: 'available', to: 'house:fees', asset: 'USD', amount: '1.00' },
        { from: 'house:brokerage', to: 'available', asset: 'ACME', amount: '1.000000000' },
      ],
    })
  })

  test('with a limit waits for it', async () => {
    const anna = await somebody({ USD: '1000.00' })
    const accepted = await order(anna, {
      instrument: 'ACME',
      side: 'buy',
      type: 'limit',
      limitPrice: '98.5',
      quantity: '1',
      timeInForce: 'gtc',
    })
    expect(accepted.body['reserved']).toEqual({ asset: 'USD', amount: '99.50' })
    await tick({ last: '99', bid: '98.6', ask: '98.6' })
    expect(await engine.runOnce()).toBe(0)
    await tick({ last: '98', bid: '97.9', ask: '98' })
    expect(await engine.runOnce()).toBe(1)
    expect(await show(anna, idOf(accepted))).toMatchObject({ status: 'filled', averagePrice: '98' })
  })

  test('beyond its reserve is filled as far as that goes', async () => {
    const anna = await somebody({ USD: '1000.00' })
    const accepted = await order(anna, { instrument: 'ACME', side: 'buy', quantity: '1' })
    await tick({ last: '150', bid: '149', ask: '150' })
    await engine.runOnce()
    // Reserve 106.11, less 1.00: 105.11 / 150
    expect(await show(anna, idOf(accepted))).toMatchObject({
      status: 'cancelled',
      reason: 'reserveUsed',
      filledQuantity: '0.700733333',
    })
    expect(await holds(anna, 'USD', 'reserved')).toBe('0.00')
  })
})

describe('a sale', () => {
  test('sets shares aside and pays out less the fee', async () => {
    const anna = await somebody()
    await desk.giveShares(anna, acme, '3')
    const accepted = await order(anna, { instrument: 'ACME', side: 'sell', quantity: '2' })
    expect(accepted.body['reserved'], accepted.text).toEqual({ asset: 'ACME', amount: '2.000000000' })
    await tick({ last: '100', bid: '99.9', ask: '100.1' })
    await engine.runOnce()
    expect(await holds(anna, 'USD', 'available')).toBe('198.80')
    expect(await holds(anna, acme, 'available')).toBe('1.000000000')
    expect(await show(anna, idOf(accepted))).toMatchObject({ status: 'filled', fee: { amount: '1.00' } })
  })

  test('for an amount in another currency brings it, and gives back the shares it did not need', async () => {
    const anna = await somebody()
    await desk.giveShares(anna, acme, '3')
    const accepted = await order(anna, {
      instrument: 'ACME',
      side: 'sell',
      notional: { asset: 'PLN', amount: '400.00' },
    })
    expect(accepted.status, accepted.text).toBe(201)
    await tick({ last: '100', bid: '99.9', ask: '100.1' })
    await engine.runOnce()
    expect(await show(anna, idOf(accepted))).toMatchObject({ status: 'filled' })
    const brought = Number(await holds(anna, 'PLN', 'available'))
    expect(brought).toBeGreaterThanOrEqual(400)
    expect(brought).toBeLessThan(400.06)
    expect(await holds(anna, acme, 'reserved')).toBe('0.000000000')
  })

  test('with a stop waits until it is crossed, then deals at that price', async () => {
    const anna = await somebody()
    await desk.giveShares(anna, acme, '1')
    const accepted = await order(anna, {
      instrument: 'ACME',
      side: 'sell',
      type: 'stop',
      stopPrice: '95',
      quantity: '1',
      timeInForce: 'gtc',
    })
    await tick({ last: '95.01', bid: '90', ask: '96' })
    expect(await engine.runOnce()).toBe(0)
    await tick({ last: '95', bid: '94', ask: '96' })
    expect(await engine.runOnce()).toBe(1)
    expect(await show(anna, idOf(accepted))).toMatchObject({ averagePrice: '94' })
  })
})

describe('a partial fill', () => {
  test('never exceeds the order, charges the fee of the whole once, and is released once', async () => {
    desk.tradeBy({ sharesPerPriceMax: 4_000_000_000n })
    const anna = await somebody({ USD: '2000.00' })
    const accepted = await order(anna, { instrument: 'ACME', side: 'buy', quantity: '10' })
    const seen: unknown[] = []
    for (let price = 0; price < 5; price += 1) {
      await tick({ last: '100', bid: '99.9', ask: '100.001' })
      await engine.runOnce()
      const { status, filledQuantity } = await show(anna, idOf(accepted))
      seen.push(`${String(status)} ${String(filledQuantity)}`)
    }
    expect(seen).toEqual([
      'partiallyFilled 4.000000000',
      'partiallyFilled 8.000000000',
      'filled 10.000000000',
      'filled 10.000000000',
      'filled 10.000000000',
    ])
    // 1000.01, and 0.25 % of it rounded up
    expect(await holds(anna, 'USD', 'available')).toBe('997.48')
    const { rows } = await desk.db.query(
      `select from ledger.journals where kind = 6 and detail ->> 'orderId' = $1`,
      [idOf(accepted)],
    )
    expect(rows).toHaveLength(1)
    expect(
      desk.told.filter(({ orderId }) => orderId === idOf(accepted)).map(({ cash }) => cash.minor),
    ).toEqual([40001n, 40000n, 20000n])
  })
})

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
    expect([gone, bare]).not.toContain(acme)
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
    await cancelOpenOrders(desk.engineDeps, { instrumentId, reason: 'split' })
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

test('the house’s exposure is what customers hold', async () => {
  const zeta = await desk.list('ZETA')
  await tick({ last: '10' }, zeta)
  const anna = await somebody({ USD: '1000.00' })
  await order(anna, { instrument: 'ZETA', side: 'buy', quantity: '3.25' })
  await tick({ last: '10' }, zeta)
  await engine.runOnce()
  const exposure = await houseExposure(desk.db, desk.prices)
  expect(exposure.find(({ instrumentId }) => instrumentId === zeta)).toEqual({
    instrumentId: zeta,
    heldByCustomers: 3_250_000_000n,
    price: '10',
  })
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
