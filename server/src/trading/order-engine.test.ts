import { formatAmount } from '@kantor/contract/money'
import { expect, test } from 'vitest'
import { ORDERS_PER_STEP_MAX } from './consume-prices.ts'
import { createOrderEngine } from './order-engine.ts'
import { createPositionBooks } from './position-books.ts'
import { dyingDatabase } from './test-dying-database.ts'
import { acmeDesk, idOf } from './trading-fixture.ts'

const desk = await acmeDesk()
const { order, engine, show, holds, somebody, acme, tick, engineDeps } = desk

test('an order whose lots cannot be moved is not filled, keeps no other waiting, and is filled by the next price', async () => {
  const [anna, boris, clara] = await Promise.all([1, 2, 3].map(() => somebody({ USD: '1000.00' })))
  if (!anna || !boris || !clara) throw new Error('nobody')
  const ids: string[] = []
  for (const each of [anna, boris, clara]) {
    ids.push(idOf(await order(each, { instrument: 'ACME', side: 'buy', quantity: '1' })))
  }
  await tick({ last: '100', bid: '99.9', ask: '100' })
  const failing = createOrderEngine({
    ...engineDeps,
    settings: engineDeps.settings,
    holdings: {
      open: () =>
        Promise.resolve({
          onFills: (fills) =>
            fills.some(({ orderId }) => orderId === ids[0])
              ? Promise.reject(new Error('these lots cannot be moved'))
              : Promise.resolve(),
        }),
    },
  })
  expect(await failing.runOnce()).toBe(2)
  expect(await show(anna, ids[0] ?? '')).toMatchObject({ status: 'new' })
  expect(await holds(anna, acme, 'available')).toBe('0.000000000')
  expect(await holds(anna, 'USD', 'reserved')).toBe('106.11')
  for (const [owner, id] of [[boris, ids[1]] as const, [clara, ids[2]] as const]) {
    expect(await show(owner, id ?? '')).toMatchObject({ status: 'filled' })
  }
  await tick({ last: '101', bid: '100.9', ask: '101' })
  expect(await engine.runOnce()).toBe(1)
  expect(await show(anna, ids[0] ?? '')).toMatchObject({ status: 'filled', averagePrice: '101' })
})

test('a group that is cut off before any of its statements leaves nothing behind, and is then filled once', async () => {
  const people = await Promise.all([1, 2, 3].map(() => somebody({ USD: '3000.00' })))
  const [seller] = people
  if (!seller) throw new Error('nobody')
  const holdings = createPositionBooks(engineDeps)
  const sound = createOrderEngine({ ...engineDeps, holdings })
  await order(seller, { instrument: 'ACME', side: 'buy', quantity: '20' })
  await tick({ last: '100', bid: '99.9', ask: '100' })
  await sound.runOnce()
  for (let statement = 0, isOver = false; !isOver; statement += 1) {
    const ids: string[] = []
    for (const each of people) {
      const side = each === seller ? 'sell' : 'buy'
      ids.push(idOf(await order(each, { instrument: 'ACME', side, quantity: '0.5', timeInForce: 'gtc' })))
    }
    await tick({ last: '100', bid: '99.9', ask: '100' })
    let left = statement
    const kill = async (pid: number) => {
      await desk.ownerDb.query('select pg_terminate_backend($1)', [pid])
    }
    const db = dyingDatabase(desk.db, kill, () => (left -= 1) === -1)
    const ran = await createOrderEngine({ ...engineDeps, db, holdings })
      .runOnce()
      .catch((error: unknown) => error)
    isOver = left >= 0
    const countOf = `select count(*)::int as fills from trading.fills where order_id = any ($1::uuid[])`
    const fills = async () => (await desk.db.query<{ fills: number }>(countOf, [ids])).rows[0]?.fills
    expect([typeof ran, await fills()], `statement ${statement}`).toEqual(
      isOver ? ['number', 3] : ['object', 0],
    )
    // The killed backend may hold the cursor for some milliseconds more.
    await expect.poll(() => sound.runOnce().then(fills), { timeout: 60_000 }).toBe(3)
    await sound.runOnce()
    expect(await fills()).toBe(3)
    for (const each of people) {
      const { rows } = await desk.db.query<{ lots: string }>(
        `select sum(quantity)::text as lots from trading.lots where wallet_id = $1 and instrument_id = $2`,
        [each.walletId, acme],
      )
      expect(formatAmount(BigInt(rows[0]?.lots ?? 0), 9)).toBe(await holds(each, acme, 'available'))
    }
  }
})

test('many engines at once fill each order once', async () => {
  const people = await Promise.all(Array.from({ length: 30 }, () => somebody({ USD: '1000.00' })))
  for (const each of people) await order(each, { instrument: 'ACME', side: 'buy', quantity: '1' })
  await tick({ last: '100', bid: '99.9', ask: '100' })
  await tick({ last: '100', bid: '99.9', ask: '100' })
  const engines = Array.from({ length: 5 }, () => createOrderEngine(engineDeps))
  const fills = await Promise.all(engines.map((each) => each.runOnce()))
  expect(fills.reduce((sum, count) => sum + count, 0)).toBe(30)
  for (const each of people) expect(await holds(each, 'USD', 'available')).toBe('899.00')
})

test('more orders than two steps take are all filled by the same price', async () => {
  const orders = 2 * ORDERS_PER_STEP_MAX + 30
  const anna = await somebody({ USD: `${12 * orders}.00` })
  const body = { instrument: 'ACME', side: 'buy', quantity: '0.1', timeInForce: 'gtc' }
  await Promise.all(Array.from({ length: orders }, () => order(anna, body)))
  await tick({ last: '100', bid: '99.9', ask: '100' })
  await tick({ last: '500', bid: '499', ask: '500' })
  expect(await engine.runOnce()).toBe(orders)
  // Of 12.00 each, 10.00 and the least fee; the second price has nothing left to fill
  expect(await holds(anna, 'USD', 'available')).toBe(`${orders}.00`)
})

test('fills come by themselves while the engine runs', async () => {
  const anna = await somebody({ USD: '1000.00' })
  const id = idOf(await order(anna, { instrument: 'ACME', side: 'buy', quantity: '1' }))
  const running = createOrderEngine(engineDeps)
  running.start()
  await tick({ last: '100' })
  running.wake()
  await expect.poll(async () => (await show(anna, id))['status']).toBe('filled')
  await running.stop()
})
