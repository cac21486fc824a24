import { historyRoutes } from '#history'
import type { Customer } from '#test/money-fixture'
import { describe, expect, test } from 'vitest'
import { houseExposure } from './exposure.ts'
import { acmeDesk, idOf } from './trading-fixture.ts'

const desk = await acmeDesk()
const { order, observe, engine, clock, show, holds, somebody, acme, tick } = desk

/** Every operation of a customer, newest first, explained; the desk serves orders again afterwards. */
async function explained(of: Customer): Promise<Record<string, unknown>[]> {
  const { db, assets, ask } = desk
  const people = {
    byWalletIds: () => Promise.resolve(new Map()),
    walletOfHandle: () => Promise.resolve(null),
  }
  desk.serve(
    historyRoutes({
      db,
      replica: null,
      assets,
      people,
      indexBuilder: { consider: () => {}, idle: async () => {}, close: async () => {} },
    }),
  )
  const { body } = await ask(of, 'GET', '/operations')
  const listed = body['items'] as { id: string; order?: unknown }[]
  const operations = await Promise.all(
    listed.map(async ({ id }) => (await ask(of, 'GET', `/operations/${id}`)).body),
  )
  // The list names the order of each too, so that what is held can be told apart without opening it.
  expect(operations).toMatchObject(listed)
  expect(listed.map(({ order: named }) => named !== undefined)).toEqual(
    operations.map(({ kind }) => kind !== 'deposit'),
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
    const paid = (cost + per - 1n) / per
    const { amount } = accepted.body['reserved'] as { amount: string }
    const released = BigInt(amount.replace('.', '')) - paid
    expect(amounts).toEqual([paid, 10110n, 10010n, 100n, 1_000_000_000n, released])
    expect(await holds(anna, 'USD', 'available')).toBe('0.00')
    expect(await holds(anna, 'PLN', 'reserved')).toBe('0.00')
  })

  test('is explained in history by its journals: what was seen, dealt, charged, converted and given back', async () => {
    const anna = await somebody({ PLN: '1000.00' })
    const accepted = await order(anna, { instrument: 'ACME', side: 'buy', quantity: '1', settleIn: 'PLN' })
    await tick({ last: '100', bid: '99.9', ask: '100.1' })
    await engine.runOnce()
    const operations = await explained(anna)
    const its = { id: idOf(accepted), instrument: 'ACME', side: 'buy' }
    expect(operations.map(({ kind }) => kind)).toEqual(['trade', 'reserve', 'deposit'])
    const [trade, reserve] = operations
    expect(reserve).toMatchObject({ order: { ...its, priceSeen: '100.1', priceSource: 'test-stocks' } })
    expect(trade).toMatchObject({
      order: {
        ...its,
        price: '100.1',
        priceCurrency: 'USD',
        quantity: '1.000000000',
        value: '100.10',
        status: 'filled',
      },
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
        { from: 'reserved', to: 'available', asset: 'PLN' },
      ],
    })
  })

  test('that ends without a fill gives back what was set aside in a journal of its own', async () => {
    const anna = await somebody({ USD: '1000.00' })
    const waits = { type: 'limit', limitPrice: '95', quantity: '1', timeInForce: 'gtc' }
    const accepted = await order(anna, { instrument: 'ACME', side: 'buy', ...waits })
    await desk.cancel(anna, idOf(accepted))
    const operations = await explained(anna)
    expect(operations.map(({ kind }) => kind)).toEqual(['release', 'reserve', 'deposit'])
    expect(operations[0]).toMatchObject({
      order: { id: idOf(accepted), status: 'cancelled', reason: 'byCustomer' },
      postings: [{ from: 'reserved', to: 'available', asset: 'USD', amount: '96.00' }],
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
    const operations = await explained(anna)
    expect(operations.map(({ kind }) => kind)).toEqual(['trade', 'trade', 'trade', 'reserve', 'deposit'])
    expect(operations[0]).toMatchObject({ order: { status: 'filled' } })
    for (const operation of operations.slice(1, 3))
      expect(operation).not.toMatchObject({ order: { status: expect.anything() } })
    expect(
      desk.told.filter(({ orderId }) => orderId === idOf(accepted)).map(({ cash }) => cash.minor),
    ).toEqual([40001n, 40000n, 20000n])
  })
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
