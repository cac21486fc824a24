/** For tests of what companies do: a share of its own for each test, with its lots, history, transfers and days. */
import { randomUUID, randomUUIDv7 } from 'node:crypto'
import { historyRoutes } from '#history'
import { accountId, balanceOf, PURPOSE } from '#ledger'
import type { Answer, Customer } from '#test/money-fixture'
import { createRuleScheduler } from '#rules'
import { standingOrderRoutes, standingOrderRule, transferRoutes } from '#transfers'
import { beforeEach, expect } from 'vitest'
import type { CorporateActionDeps } from './holder-action.ts'
import { newYorkDay } from './new-york-day.ts'
import { createOrderEngine } from './order-engine.ts'
import { createOrderIntake } from './order-intake.ts'
import { orderRoutes } from './order-routes.ts'
import type { Position } from './position.ts'
import { createPositionBooks } from './position-books.ts'
import { readOpenLots, readPositions } from './position-store.ts'
import { runCorporateActions } from './run-corporate-actions.ts'
import type { ActionsRun } from './run-corporate-actions.ts'
import { RATES, tradingFixture } from './trading-fixture.ts'
import type { ActionDraft, PriceDraft, TradingFixture } from './trading-fixture.ts'

export const DAY_MS = 86_400_000

export interface CompanyDesk extends Omit<TradingFixture, 'announce'> {
  /** Of this test's share, which is listed anew before each. */
  readonly of: { ticker: string; share: number }
  /** The day in New York. */
  today(): string
  /** Noon of the next day. */
  nextDay(): Promise<void>
  observeShare(price: PriceDraft): Promise<void>
  /** An order at the market. */
  give(from: Customer, side: 'buy' | 'sell', quantity: string, timeInForce?: string): Promise<Answer>
  /** Filled at once. */
  trade(by: Customer, side: 'buy' | 'sell', quantity: string, price?: string): Promise<void>
  fillOrders(): Promise<number>
  send(from: Customer, to: Customer, amount: string): Promise<void>
  announce(draft: Omit<ActionDraft, 'instrumentId'>, corrects?: bigint): Promise<bigint>
  run(change?: Partial<CorporateActionDeps>): Promise<ActionsRun>
  /** Executes the standing orders that are due. @returns runs that moved */
  runRules(): Promise<number>
  shares(of: Customer): Promise<string>
  dollars(of: Customer): Promise<string>
  operations(of: Customer, kind: string): Promise<Record<string, unknown>[]>
  expectLotsToBeTheBalance(of: Customer): Promise<Position | undefined>
}

export async function companyDesk(): Promise<CompanyDesk> {
  const fixture = await tradingFixture({ aroundTheClock: true })
  const { ask, clock, db, engineDeps, holds, observe, prices, publishRates } = fixture
  const books = createPositionBooks(engineDeps)
  const engine = createOrderEngine({ ...engineDeps, holdings: books })
  const indexBuilder = { consider: () => {}, idle: () => Promise.resolve(), close: () => Promise.resolve() }
  const people = {
    byWalletIds: () => Promise.resolve(new Map()),
    walletOfHandle: () => Promise.resolve(null),
  }
  const ruleDeps = { ...fixture, clock: clock.now, newId: randomUUIDv7, moveHoldings: books.moveHoldings }
  const standingOrder = standingOrderRule(ruleDeps)
  const scheduler = createRuleScheduler({
    ...ruleDeps,
    kinds: [standingOrder],
    random: Math.random,
    log: { warn: () => {} },
    valueOf: () => Promise.resolve(null),
    isFrozen: () => Promise.resolve(false),
    tell: () => Promise.resolve(),
  })
  fixture.serve([
    ...standingOrderRoutes({ ...ruleDeps, kind: standingOrder }),
    ...orderRoutes({ ...engineDeps, prices, newId: randomUUID, intake: createOrderIntake(engineDeps) }),
    ...historyRoutes({ db, replica: null, assets: fixture.assets, people, indexBuilder }),
    ...transferRoutes({ ...fixture, moveHoldings: books.moveHoldings }),
  ])
  const of = { ticker: '', share: 0 }
  const nextDay = async () => {
    clock.advance(DAY_MS)
    await publishRates(RATES)
  }
  let listed = 0
  beforeEach(async () => {
    of.ticker = `T${String.fromCharCode(65 + listed)}X`
    of.share = await fixture.list(of.ticker)
    listed += 1
    // Noon in New York, so that days are the same there and in UTC.
    await nextDay()
  })
  const observeShare: CompanyDesk['observeShare'] = (price) => observe(of.share, price)
  const give: CompanyDesk['give'] = async (from, side, quantity, timeInForce = 'day') => {
    const body = { instrument: of.ticker, side, type: 'market', quantity, timeInForce }
    const answer = await ask(from, 'POST', '/orders', { body, key: randomUUID() })
    expect(answer.status, answer.text).toBe(201)
    return answer
  }
  return {
    ...fixture,
    of,
    nextDay,
    observeShare,
    give,
    today: () => newYorkDay(clock.now()),
    trade: async (by, side, quantity, price = '100') => {
      clock.advance(1_000)
      await observeShare({ last: price, bid: price, ask: price })
      await give(by, side, quantity)
      clock.advance(1_000)
      await observeShare({ last: price, bid: price, ask: price })
      await engine.runOnce()
    },
    fillOrders: () => engine.runOnce(),
    send: async (from, to, amount) => {
      const body = { to: `@${to.handle}`, asset: of.ticker, amount }
      const answer = await ask(from, 'POST', '/transfers', { body, key: randomUUID() })
      expect(answer.status, answer.text).toBe(201)
    },
    announce: (draft, corrects) => fixture.announce({ ...draft, instrumentId: of.share }, corrects),
    runRules: scheduler.runOnce,
    run: (change = {}) => runCorporateActions({ ...engineDeps, ...change }),
    shares: (by) => holds(by, of.share, 'available'),
    dollars: (by) => holds(by, 'USD', 'available'),
    operations: async (by, kind) =>
      (await ask(by, 'GET', `/operations?kind=${kind}`)).body['items'] as Record<string, unknown>[],
    expectLotsToBeTheBalance: async ({ walletId }) => {
      const position = (await readPositions(db, walletId)).find(
        ({ instrumentId }) => instrumentId === of.share,
      )
      const lots = await readOpenLots(db, walletId, of.share, 1_000)
      const account = accountId({ walletId, assetId: of.share, purpose: PURPOSE.available })
      const held = await balanceOf(db, account)
      expect(lots.reduce((sum, { quantity }) => sum + quantity, 0n)).toBe(held)
      expect(position?.quantity).toBe(held)
      return position
    },
  }
}
