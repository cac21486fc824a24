import { randomUUID } from 'node:crypto'
import { historyRoutes } from '#history'
import { accountId, balanceOf, PURPOSE } from '#ledger'
import type { Customer } from '#test/money-fixture'
import { beforeEach, expect, test } from 'vitest'
import { createOrderEngine } from './order-engine.ts'
import { createOrderIntake } from './order-intake.ts'
import { orderRoutes } from './order-routes.ts'
import { createPositionBooks } from './position-books.ts'
import { newYorkDay, newYorkDayStart } from './new-york-day.ts'
import { readOpenLots, readPositions } from './position-store.ts'
import { runCorporateActions } from './run-corporate-actions.ts'
import { RATES, tradingFixture } from './trading-fixture.ts'

const fixture = await tradingFixture({ aroundTheClock: true })
const { ask, clock, db, engineDeps, holds, observe, ownerDb, prices, publishRates, somebody } = fixture
const engine = createOrderEngine({ ...engineDeps, holdings: createPositionBooks(engineDeps) })
const indexBuilder = { consider: () => {}, idle: () => Promise.resolve(), close: () => Promise.resolve() }
const people = { byWalletIds: () => Promise.resolve(new Map()), walletOfHandle: () => Promise.resolve(null) }
fixture.serve([
  ...orderRoutes({ ...engineDeps, prices, newId: randomUUID, intake: createOrderIntake(engineDeps) }),
  ...historyRoutes({ db, assets: fixture.assets, people, indexBuilder }),
])

const DAY_MS = 86_400_000
let ticker: string
let share: number
let tickers = 0

beforeEach(async () => {
  ticker = `T${String.fromCharCode(65 + tickers)}X`
  tickers += 1
  share = await fixture.list(ticker)
  // Noon in New York, so that days are the same there and in UTC.
  clock.advance(DAY_MS)
  await publishRates(RATES)
})

const today = () => newYorkDay(clock.now())
const nextDay = async () => {
  clock.advance(DAY_MS)
  await publishRates(RATES)
}

async function trade(of: Customer, side: 'buy' | 'sell', quantity: string, price = '100') {
  clock.advance(1_000)
  await observe(share, { last: price, bid: price, ask: price })
  const body = { instrument: ticker, side, type: 'market', quantity, timeInForce: 'day' }
  const answer = await ask(of, 'POST', '/orders', { body, key: randomUUID() })
  expect(answer.status, answer.text).toBe(201)
  clock.advance(1_000)
  await observe(share, { last: price, bid: price, ask: price })
  await engine.runOnce()
}

interface ActionDraft {
  readonly kind: 'split' | 'dividend' | 'delisting'
  readonly on: string
  readonly from?: string
  readonly to?: string
  readonly amount?: string
  readonly payOn?: string
  readonly lastPrice?: string
}

async function announce(draft: ActionDraft, corrects: bigint | null = null): Promise<bigint> {
  const { rows } = await ownerDb.query<{ id: bigint }>(
    `insert into market_data.corporate_actions
       (instrument_id, source, source_key, revision, corrects, kind, effective_on, split_from, split_to, amount, currency,
        pay_on, last_price, recorded_at)
     select $1, id, coalesce((select source_key from market_data.corporate_actions where id = $2), $3),
        case when $2::bigint is null then 1 else 1 + (select max(revision) from market_data.corporate_actions where id = $2) end,
        $2, $4, $5, $6, $7, $8, case when $4 = 'dividend' then 'USD' end, $9, $10, $11
       from market_data.stock_sources limit 1 returning id`,
    [
      share,
      corrects,
      randomUUID(),
      draft.kind,
      draft.on,
      draft.from ?? null,
      draft.to ?? null,
      draft.amount ?? null,
      draft.payOn ?? null,
      draft.lastPrice ?? null,
      clock.now(),
    ],
  )
  return rows[0]?.id ?? 0n
}

const run = () => runCorporateActions(engineDeps)
const shares = (of: Customer) => holds(of, share, 'available')
const dollars = (of: Customer) => holds(of, 'USD', 'available')

async function expectLotsToBeTheBalance(of: Customer) {
  const position = (await readPositions(db, of.walletId)).find(({ instrumentId }) => instrumentId === share)
  const lots = await readOpenLots(db, of.walletId, share, 1_000)
  const held = await balanceOf(
    db,
    accountId({ walletId: of.walletId, assetId: share, purpose: PURPOSE.available }),
  )
  expect(lots.reduce((sum, { quantity }) => sum + quantity, 0n)).toBe(held)
  expect(position?.quantity).toBe(held)
  return position
}

test('a split multiplies what was held, keeps its cost, cancels open orders and is posted once', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '3')
  const limit = {
    instrument: ticker,
    side: 'sell',
    type: 'limit',
    quantity: '1',
    limitPrice: '109',
    timeInForce: 'gtc',
  }
  const order = await ask(ewa, 'POST', '/orders', { body: limit, key: randomUUID() })
  await nextDay()
  await announce({ kind: 'split', on: today(), from: '2', to: '3' })
  expect(await run()).toEqual({ posted: 1 })
  expect(await run()).toEqual({ posted: 0 })
  expect(await shares(ewa)).toBe('4.500000000')
  expect(await fixture.show(ewa, String(order.body['id']))).toMatchObject({
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
  expect(await run()).toEqual({ posted: 0 })
  await nextDay()
  expect(await run()).toEqual({ posted: 1 })
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
  expect(await run()).toEqual({ posted: 0 })
  await nextDay()
  await nextDay()
  const before = [await dollars(ewa), await dollars(late)]
  expect(await run()).toEqual({ posted: 1 })
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
  const list = await ask(ewa, 'GET', '/operations?kind=dividend')
  const [operation] = list.body['items'] as { id: string; amounts: unknown }[]
  expect(operation?.amounts).toEqual([{ asset: 'USD', amount: '2.00' }])
  const full = await ask(ewa, 'GET', `/operations/${operation?.id}`)
  expect(full.body['corporateAction']).toEqual({
    instrument: ticker,
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
  expect(await run()).toEqual({ posted: 1 })
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
  const limit = {
    instrument: ticker,
    side: 'sell',
    type: 'limit',
    quantity: '1',
    limitPrice: '109',
    timeInForce: 'gtc',
  }
  const order = await ask(ewa, 'POST', '/orders', { body: limit, key: randomUUID() })
  await announce({ kind: 'delisting', on: today(), lastPrice: '100' })
  await run()
  expect(await fixture.show(ewa, String(order.body['id']))).toMatchObject({
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
