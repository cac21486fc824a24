import { randomUUID } from 'node:crypto'
import { parseAmount } from '@kantor/contract/money'
import { accountId, balanceOf, PURPOSE } from '#ledger'
import type { Customer } from '#test/money-fixture'
import { seededRandom } from '#test/seeded-random'
import { transferRoutes } from '#transfers'
import { expect, test } from 'vitest'
import { newYorkDay } from './new-york-day.ts'
import { createOrderEngine } from './order-engine.ts'
import { createOrderIntake } from './order-intake.ts'
import { orderRoutes } from './order-routes.ts'
import { createPositionBooks } from './position-books.ts'
import { readOpenLots, readPositions } from './position-store.ts'
import type { Position } from './position.ts'
import { runCorporateActions } from './run-corporate-actions.ts'
import { RATES, tradingFixture } from './trading-fixture.ts'

const fixture = await tradingFixture({ aroundTheClock: true })
const { ask, clock, db, engineDeps, holds, observe, ownerDb, prices, publishRates, somebody } = fixture
const books = createPositionBooks(engineDeps)
const engine = createOrderEngine({ ...engineDeps, holdings: books })
fixture.serve([
  ...orderRoutes({ ...engineDeps, prices, newId: randomUUID, intake: createOrderIntake(engineDeps) }),
  ...transferRoutes({ ...fixture, moveHoldings: books.moveHoldings }),
])
await publishRates(RATES)
const share = await fixture.list('AAPL')

const STEPS = 60
const MONEY = 1_000_000
const SEEDS = [1, 2, 3]

interface World {
  readonly people: readonly [Customer, Customer]
  readonly random: () => number
}

const below = (random: () => number, most: number) => Math.floor(random() * most)

/** A price, an order at the market, the next price. Refusals (more than is held) are as good as any other step. */
async function trade({ people, random }: World, side: 'buy' | 'sell') {
  const price = `${50 + below(random, 100)}.${10 + below(random, 90)}`
  const who = people[below(random, 2)] ?? people[0]
  clock.advance(1_000)
  await observe(share, { last: price, bid: price, ask: price })
  const quantity = `${below(random, 4)}.${100_000_000 + below(random, 899_999_999)}`
  const body = { instrument: 'AAPL', side, type: 'market', quantity, timeInForce: 'day' }
  const { status } = await ask(who, 'POST', '/orders', { body, key: randomUUID() })
  expect([201, 422]).toContain(status)
  clock.advance(1_000)
  await observe(share, { last: price, bid: price, ask: price })
  await engine.runOnce()
}

async function send({ people, random }: World) {
  const [from, to] = random() < 0.5 ? people : [people[1], people[0]]
  const body = {
    to: `@${to.handle}`,
    asset: 'AAPL',
    amount: `${below(random, 3)}.${1 + below(random, 999_999)}`,
  }
  const { status } = await ask(from, 'POST', '/transfers', { body, key: randomUUID() })
  expect([201, 422]).toContain(status)
}

async function split({ random }: World) {
  clock.advance(86_400_000)
  await publishRates(RATES)
  const [from, to] = (
    [
      [1, 2],
      [2, 3],
      [3, 1],
    ] as const
  )[below(random, 3)] ?? [1, 2]
  await ownerDb.query(
    `insert into market_data.corporate_actions
       (instrument_id, source, source_key, revision, kind, effective_on, split_from, split_to, recorded_at)
     select $1, id, $2, 1, 'split', $3, $4, $5, $6 from market_data.stock_sources limit 1`,
    [share, randomUUID(), newYorkDay(clock.now()), from, to, clock.now()],
  )
  await runCorporateActions(engineDeps)
}

async function positionIn(of: Customer): Promise<Position | null> {
  const [position] = await readPositions(db, of.walletId)
  const lots = await readOpenLots(db, of.walletId, share, 1_000)
  const balances = await Promise.all(
    [PURPOSE.available, PURPOSE.reserved].map((purpose) =>
      balanceOf(db, accountId({ walletId: of.walletId, assetId: share, purpose })),
    ),
  )
  const held = balances.reduce((sum, balance) => sum + balance, 0n)
  expect(lots.reduce((sum, { quantity }) => sum + quantity, 0n)).toBe(held)
  expect(position?.quantity ?? 0n).toBe(held)
  expect(lots.reduce((sum, { cost }) => sum + cost.costMinor, 0n)).toBe(position?.fifo.held.costMinor ?? 0n)
  return position ?? null
}

async function cashOf(of: Customer): Promise<bigint> {
  const parsed = [await holds(of, 'USD', 'available'), await holds(of, 'USD', 'reserved')].map((text) =>
    parseAmount(text, 2),
  )
  return parsed.reduce((sum, each) => sum + (each.ok ? each.minor : 0n), 0n)
}

/** Each method's own account of all cash that ever moved: what was made, less what what is held has cost. */
function cashMoved(position: Position | null, method: 'fifo' | 'average'): bigint {
  if (position === null) return 0n
  const { held, realised } = position[method]
  return realised.priceMinor - realised.feesMinor - held.costMinor - held.feeMinor
}

test.each(SEEDS)(
  'lots are the ledger’s balance, and both methods account for every cent, after random events (seed %i)',
  async (seed) => {
    const random = seededRandom(seed).next
    const money = { USD: `${MONEY}.00` }
    const world: World = { people: [await somebody(money), await somebody(money)], random }
    for (let step = 0; step < STEPS; step += 1) {
      const dice = random()
      if (dice < 0.5) await trade(world, 'buy')
      else if (dice < 0.75) await trade(world, 'sell')
      else if (dice < 0.94) await send(world)
      else await split(world)
    }
    const [first, second] = world.people
    const positions = [await positionIn(first), await positionIn(second)]
    const cash = (await cashOf(first)) + (await cashOf(second)) - 2n * BigInt(MONEY) * 100n
    expect(positions.some((position) => (position?.lastDisposal ?? 0) > 0)).toBe(true)
    for (const method of ['fifo', 'average'] as const) {
      const moved = positions.reduce((sum, position) => sum + cashMoved(position, method), 0n)
      expect(moved).toBe(cash)
    }
  },
)
