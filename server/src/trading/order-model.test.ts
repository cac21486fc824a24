import { randomUUID, randomUUIDv7 } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '#db'
import { formatAmount } from '@kantor/contract/money'
import { JOURNAL_KINDS } from '#ledger'
import { newestPriceSeq } from '#market-data'
import { seededRandom } from '#test/seeded-random'
import type { Answer, Customer } from '#test/money-fixture'
import { expect, test } from 'vitest'
import { newYorkDay } from './new-york-day.ts'
import { createOrderIntake } from './order-intake.ts'
import { orderRoutes } from './order-routes.ts'
import { readCursor } from './price-cursor.ts'
import { createPositionBooks } from './position-books.ts'
import { createOrderEngine } from './order-engine.ts'
import { dyingDatabase } from './test-dying-database.ts'
import { OrderModel } from './test-order-model.ts'
import type { ModelOrder } from './test-order-model.ts'
import { runCorporateActions } from './run-corporate-actions.ts'
import { settlementQuote } from './settlement-rate.ts'
import { RATES, tradingFixture } from './trading-fixture.ts'

const desk = await tradingFixture({ aroundTheClock: true })
const STEPS = Number(process.env['KANTOR_ORDER_STEPS'] ?? 70)
const RUNS = Number(process.env['KANTOR_ORDER_RUNS'] ?? 2)
const CUSTOMERS = 3

const priceText = (price: bigint) => formatAmount(price, 6)

interface World {
  readonly random: ReturnType<typeof seededRandom>
  /** Draws of its own, since engines that run at once draw in any order. */
  readonly chance: ReturnType<typeof seededRandom>
  readonly model: OrderModel
  readonly customers: readonly Customer[]
  readonly instrument: number
  readonly ticker: string
  price: bigint
  crashes: number
}

function randomOrder({ random, price, ticker }: World): Record<string, unknown> {
  const side = random.pick(['buy', 'sell'])
  const type = random.pick(['market', 'market', 'limit', 'limit', 'stop'])
  const off = (bps: number) => priceText((price * BigInt(10_000 + bps)) / 10_000n)
  const better = random.int(-300, 300)
  const settle = random.pick(['USD', 'USD', 'EUR'])
  return {
    instrument: ticker,
    side,
    type,
    timeInForce: random.pick(['day', 'gtc', 'gtc', 'ioc']),
    ...(random.int(0, 2) > 0
      ? { quantity: formatAmount(random.bigint(1n, 20_000_000_000n), 9), settleIn: settle }
      : { notional: { asset: settle, amount: formatAmount(random.bigint(1n, 150_000n), 2) } }),
    ...(type === 'limit' ? { limitPrice: off(better) } : {}),
    ...(type === 'stop' ? { stopPrice: off((side === 'buy' ? 1 : -1) * random.int(1, 300)) } : {}),
  }
}

const inMinor = (text: string, digits: number) => {
  const [whole = '0', decimals = ''] = text.split('.')
  return BigInt(whole + decimals.padEnd(digits, '0'))
}

/** As a client that is cut off does: the same order with the same key, until there is an answer. */
async function persist(owner: Customer, body: Record<string, unknown>): Promise<Answer> {
  const key = randomUUID()
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const answer = await desk.order(owner, body, key)
    if (answer.status < 500) return answer
  }
  throw new Error('an order was never answered')
}

async function place(world: World): Promise<void> {
  const body = randomOrder(world)
  const customer = world.random.int(0, CUSTOMERS - 1)
  const owner = world.customers[customer]
  if (owner === undefined) throw new Error('nobody')
  const { status, body: said, text } = await persist(owner, body)
  if (status !== 201) {
    expect(['insufficient_funds', 'amount_too_small', 'stop_wrong_side'], text).toContain(said['code'])
    return
  }
  const notional = body['notional'] as { asset: string; amount: string } | undefined
  const reserved = said['reserved'] as { asset: string; amount: string }
  const order: ModelOrder = {
    id: String(said['id']),
    customer,
    side: body['side'] as 'buy',
    settle: (notional?.asset ?? body['settleIn']) as 'USD',
    type: body['type'] as 'market',
    timeInForce: body['timeInForce'] as 'day',
    quantity: notional === undefined ? inMinor(String(body['quantity']), 9) : null,
    notional: notional === undefined ? null : inMinor(notional.amount, 2),
    trigger: inMinor(String(body['limitPrice'] ?? body['stopPrice'] ?? '0'), 6),
    reserveLeft: inMinor(reserved.amount, reserved.asset === world.ticker ? 9 : 2),
    filled: 0n,
    worth: 0n,
    cost: 0n,
    fee: 0n,
    settled: 0n,
    fills: 0,
    crossed: false,
    status: 'new',
  }
  world.model.add(order)
}

async function movePrice(world: World): Promise<void> {
  const { random, model } = world
  const move = BigInt(random.int(-250, 250))
  world.price = (world.price * (10_000n + move)) / 10_000n
  const isQuoted = random.int(0, 1) === 1
  const spread = isQuoted ? world.price / 2_000n : 0n
  const [bid, ask] = isQuoted ? [world.price - spread, world.price + spread] : [null, null]
  await desk.observe(world.instrument, {
    last: priceText(world.price),
    ...(bid === null || ask === null ? {} : { bid: priceText(bid), ask: priceText(ask) }),
  })
  const quote = await settlementQuote(desk.engineDeps, 'USD', 'EUR')
  if ('refused' in quote) throw new Error('no rate')
  const euro = { rate: inMinor(RATES.USD, 4), marginBps: BigInt(quote.marginBps) }
  model.price({ last: world.price, bid, ask, euro })
}

/** The company splits its shares on a new day, and nobody has traded on it before. */
async function split(world: World): Promise<void> {
  await newDay(world)
  await runEngines(world)
  const ratio = world.random.pick([
    { from: 1n, to: 2n },
    { from: 2n, to: 3n },
    { from: 3n, to: 1n },
  ])
  const [from, to] = [`${ratio.from}`, `${ratio.to}`]
  await desk.announce({
    instrumentId: world.instrument,
    kind: 'split',
    on: newYorkDay(desk.clock.now()),
    from,
    to,
  })
  await postActions(world)
  world.model.split(ratio)
  world.price = (world.price * ratio.from) / ratio.to
  await movePrice(world)
}

/** By workers that die now and then: what failed is tried again some minutes later. */
async function postActions(world: World): Promise<void> {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    const db = dying(world, 60)
    const ran = await runCorporateActions({ ...desk.engineDeps, db }).catch(() => ({ failed: 1 }))
    if (ran.failed === 0) return
    // Not a divisor of a day, so that it is never midnight, when sessions end.
    desk.clock.advance(5 * 3_600_000)
    await desk.publishRates(RATES)
  }
  throw new Error('a corporate action was never posted')
}

/** A database whose connections are killed before one statement in so many. */
function dying(world: World, statements: number): Database {
  const kill = async (pid: number) => {
    world.crashes += 1
    await desk.ownerDb.query('select pg_terminate_backend($1)', [pid])
  }
  return dyingDatabase(desk.db, kill, () => world.chance.int(0, statements) === 0)
}

async function cancelSome(world: World): Promise<void> {
  const open = world.model.orders.filter((order) => world.model.isOpen(order))
  if (open.length === 0) return
  const order = world.random.pick(open)
  const owner = world.customers[order.customer]
  if (owner === undefined) throw new Error('nobody')
  const { status, text } = await desk.cancel(owner, order.id)
  expect(status, text).toBe(200)
  world.model.cancel(order, 'cancelled')
}

/** Day orders of the last day are over. */
async function newDay(world: World): Promise<void> {
  desk.clock.advance(24 * 3_600_000)
  await desk.publishRates(RATES)
  for (const order of world.model.orders) {
    if (world.model.isOpen(order) && order.timeInForce !== 'gtc') world.model.cancel(order, 'expired')
  }
}

async function jump(world: World): Promise<void> {
  await newDay(world)
  await movePrice(world)
}

async function compare(world: World, step: number): Promise<void> {
  const { model, customers, instrument } = world
  for (const order of model.orders) {
    const owner = customers[order.customer]
    if (owner === undefined) throw new Error('nobody')
    const said = await desk.show(owner, order.id)
    const fee = formatAmount(order.fee, 2)
    const isCash = order.side === 'buy'
    const reservedIn = isCash ? order.settle : world.ticker
    expect({ step, ...pick(said) }).toEqual({
      step,
      id: order.id,
      status: order.status,
      filledQuantity: formatAmount(order.filled, 9),
      fee: { asset: 'USD', amount: fee },
      reserved: {
        asset: reservedIn,
        amount: formatAmount(order.reserveLeft, isCash ? 2 : 9),
      },
    })
  }
  for (const [index, owner] of customers.entries()) {
    const reservedOf = (asset: string) =>
      model.orders
        .filter((order) => order.customer === index)
        .filter((order) => (order.side === 'buy' ? order.settle : world.ticker) === asset)
        .reduce((sum, { reserveLeft }) => sum + reserveLeft, 0n)
    const held = (asset: string | number) =>
      Promise.all([desk.holds(owner, asset, 'available'), desk.holds(owner, asset, 'reserved')])
    expect({
      step,
      dollars: await held('USD'),
      euros: await held('EUR'),
      shares: await held(instrument),
    }).toEqual({
      step,
      dollars: [formatAmount(model.cash.USD[index] ?? 0n, 2), formatAmount(reservedOf('USD'), 2)],
      euros: [formatAmount(model.cash.EUR[index] ?? 0n, 2), formatAmount(reservedOf('EUR'), 2)],
      shares: [formatAmount(model.shares[index] ?? 0n, 9), formatAmount(reservedOf(world.ticker), 9)],
    })
  }
}

function pick({ id, status, filledQuantity, fee, reserved }: Record<string, unknown>) {
  return { id, status, filledQuantity, fee, reserved }
}

/** Engines that die now and then, two at a time, until all is done. */
async function runEngines(world: World): Promise<void> {
  const db = dying(world, 40)
  const engines = [engineOn(db), engineOn(db)]
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await Promise.allSettled(engines.map((engine) => engine.runOnce()))
  }
  await settle()
}

/** A killed backend may hold the cursor for some milliseconds more, and an engine does not wait for another's step. */
async function settle(): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    await engineOn(desk.db).runOnce()
    const [cursor, newest] = [await readCursor(desk.db, desk.prices.source), await newestPriceSeq(desk.db)]
    if (cursor === newest) return
    await sleep(20)
  }
  throw new Error('the engine did not come to the newest price')
}

/** The end of the share's trading: orders end, holdings stay, and every holder's history says so. */
async function delist(world: World): Promise<void> {
  const { instrument: instrumentId, model } = world
  await desk.announce({ instrumentId, kind: 'delisting', on: newYorkDay(desk.clock.now()) })
  await postActions(world)
  for (const order of model.orders) if (model.isOpen(order)) model.cancel(order, 'cancelled')
  const { rows } = await desk.db.query<{ told: number }>(
    `select count(*)::int as told from ledger.journals where kind = $1 and detail ->> 'instrument' = $2`,
    [JOURNAL_KINDS.delisting, world.ticker],
  )
  expect(rows[0]?.told).toBe(model.shares.filter((shares) => shares > 0n).length)
}

/** With the real lots behind it. */
const engineOn = (db: Database) =>
  createOrderEngine({ ...desk.engineDeps, db, holdings: createPositionBooks(desk.engineDeps) })

/** The lots of each customer, which are what the ledger says they hold. */
async function compareLots({ model, customers, instrument }: World): Promise<void> {
  for (const [index, { walletId }] of customers.entries()) {
    const { rows } = await desk.db.query<{ lots: string; held: string }>(
      `select (select coalesce(sum(quantity), 0) from trading.lots where wallet_id = $1 and instrument_id = $2) as lots,
         (select sum(quantity) from trading.positions where wallet_id = $1 and instrument_id = $2) as held`,
      [walletId, instrument],
    )
    const reserved = model.orders
      .filter((order) => order.customer === index && order.side === 'sell')
      .reduce((sum, { reserveLeft }) => sum + reserveLeft, 0n)
    const shares = `${(model.shares[index] ?? 0n) + reserved}`
    expect(rows).toEqual([{ lots: shares, held: shares }])
  }
}

async function begin(run: number, seed: number): Promise<World> {
  const random = seededRandom(seed)
  const ticker = `M${run}`
  const instrument = await desk.list(ticker)
  const customers: Customer[] = []
  const model = new OrderModel()
  for (let index = 0; index < CUSTOMERS; index += 1) {
    const customer = await desk.somebody({ USD: '9000.00', EUR: '3000.00' })
    customers.push(customer)
  }
  model.sharesPerPrice = run % 2 === 0 ? null : 3_000_000_000n
  desk.clock.advance(2_000)
  await desk.publishRates(RATES)
  desk.clock.advance(1_000)
  desk.tradeBy({})
  await desk.observe(instrument, { last: '100' })
  for (const customer of customers)
    await desk.order(customer, { instrument: ticker, side: 'buy', quantity: '40' })
  desk.clock.advance(1_000)
  await desk.observe(instrument, { last: '100', bid: '100', ask: '100' })
  await settle()
  for (const customer of customers) {
    expect(await desk.holds(customer, 'USD', 'available')).toBe('4990.00')
    model.cash.USD.push(499_000n)
    model.cash.EUR.push(300_000n)
    model.shares.push(40_000_000_000n)
  }
  desk.tradeBy({ sharesPerPriceMax: model.sharesPerPrice })
  const world: World = {
    random,
    chance: seededRandom(seed + 1_000),
    model,
    customers,
    instrument,
    ticker,
    price: 100_000_000n,
    crashes: 0,
  }
  // Acceptance dies now and then too.
  const intake = createOrderIntake({ ...desk.engineDeps, db: dying(world, 40) })
  const { engineDeps, prices } = desk
  desk.serve(orderRoutes({ ...engineDeps, prices, newId: randomUUIDv7, intake }))
  return world
}

test.each(Array.from({ length: RUNS }, (_, run) => run))(
  'whatever is ordered, cancelled and killed, balances, reserves and fills are those of a simple model (run %i)',
  async (run) => {
    const seed = Number(process.env['KANTOR_SEED'] ?? Date.now() % 2 ** 32) + run
    const world = await begin(run, seed)
    const { random } = world
    for (let step = 0; step < STEPS; step += 1) {
      desk.clock.advance(1_000)
      const what = random.int(0, 99)
      if (what < 50) await place(world)
      else if (what < 60) await cancelSome(world)
      else if (what < 62) await jump(world)
      else if (what < 64) await split(world)
      else await movePrice(world)
      await runEngines(world)
      if (step % 10 === 9) await compare(world, step)
    }
    await split(world)
    await runEngines(world)
    await compare(world, STEPS)
    await delist(world)
    await compare(world, STEPS)
    expect(world.crashes).toBeGreaterThan(0)
    await compareLots(world)
  },
  300_000,
)
