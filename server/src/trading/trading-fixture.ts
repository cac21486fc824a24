/** For this room's tests: listed instruments with prices that the test makes, orders over HTTP, an engine that runs when told. */
import { randomUUID, randomUUIDv7 } from 'node:crypto'
import { formatAmount, parseAmount } from '@kantor/contract/money'
import { DEFAULT_EXCHANGE_SETTINGS } from '#exchange'
import { accountId, balanceOf, declareAssets, HOUSE_WALLET_ID, PURPOSE } from '#ledger'
import { createMarketHours, createPriceBook, createVolatility, openInstrumentBook } from '#market-data'
import type { PriceBook } from '#market-data'
import { moneyFixture } from '#test/money-fixture'
import type { Answer, Customer, MoneyFixture } from '#test/money-fixture'
import { afterAll, beforeEach } from 'vitest'
import type { EngineDeps } from './engine-deps.ts'
import type { HoldingFill } from './holdings.ts'
import type { CorporateActionDeps } from './holder-action.ts'
import { createOrderEngine } from './order-engine.ts'
import type { OrderEngine } from './order-engine.ts'
import { createOrderIntake } from './order-intake.ts'
import { orderRoutes } from './order-routes.ts'
import { DEFAULT_TRADING_SETTINGS } from './settings.ts'
import type { TradingSettings } from './settings.ts'

export const RATES = { USD: '1.0811', PLN: '4.2719', JPY: '158.77', GBP: '0.8601' }
const SOURCE = 'test-stocks'

export interface PriceDraft {
  readonly last: string
  readonly bid?: string
  readonly ask?: string
  /** Default: now. */
  readonly asOf?: Date
  readonly timeliness?: 'realTime' | 'delayed' | 'endOfDay'
}

export interface ActionDraft {
  readonly instrumentId: number
  readonly kind: 'split' | 'dividend' | 'rename' | 'delisting'
  readonly on: string
  readonly from?: string
  readonly to?: string
  readonly amount?: string
  readonly currency?: string
  readonly payOn?: string
  readonly newTicker?: string
  readonly lastPrice?: string
  readonly withdrawn?: boolean
}

export interface TradingFixture extends MoneyFixture {
  readonly prices: PriceBook
  readonly engine: OrderEngine
  readonly engineDeps: EngineDeps & CorporateActionDeps
  /** What the holdings were told, in order. */
  readonly told: HoldingFill[]
  /** From now on by these settings. */
  tradeBy(change: Partial<TradingSettings>): void
  list(ticker: string, status?: 'active' | 'delisted'): Promise<number>
  /** A new observation. */
  observe(instrumentId: number, price: PriceDraft): Promise<void>
  order(of: Customer, body: Record<string, unknown>, key?: string): Promise<Answer>
  cancel(of: Customer, id: string): Promise<Answer>
  show(of: Customer, id: string): Promise<Record<string, unknown>>
  /** Decimal text of an account, of a currency's code or an instrument's id. */
  holds(of: Customer | 'house', asset: string | number, purpose: keyof typeof PURPOSE): Promise<string>
  /** What a company does, as its source recorded it. */
  announce(draft: ActionDraft, corrects?: bigint): Promise<bigint>
  giveShares(to: Customer, instrumentId: number, quantity: string): Promise<void>
  somebody(money?: Readonly<Record<string, string>>): Promise<Customer>
}

export async function tradingFixture(options: { aroundTheClock?: boolean } = {}): Promise<TradingFixture> {
  const fixture = await moneyFixture()
  const { db, ownerDb, clock, ledger, assets, ask } = fixture
  const log = { warn: () => {} }
  const hours = createMarketHours({
    db,
    clock: clock.now,
    aroundTheClock: options.aroundTheClock ?? false,
    log,
  })
  const prices = createPriceBook({
    db,
    provider: { name: SOURCE, simulated: true },
    hours,
    clock: clock.now,
    log,
  })
  const { rows } = await ownerDb.query<{ id: number }>(
    `insert into market_data.stock_sources (provider, simulated, configured_as) values ($1, true, 'test') returning id`,
    [SOURCE],
  )
  const source = rows[0]?.id
  const told: HoldingFill[] = []
  const state = { settings: DEFAULT_TRADING_SETTINGS }
  const shared = {
    ...fixture,
    clock: clock.now,
    instruments: openInstrumentBook(db, clock.now),
    prices,
    marketHours: hours,
    newId: randomUUIDv7,
    volatility: createVolatility({ ...fixture, clock: clock.now }),
    exchangeSettings: DEFAULT_EXCHANGE_SETTINGS,
  }
  const engineDeps: EngineDeps & CorporateActionDeps = {
    ...shared,
    withholdingBps: 0,
    get settings() {
      return state.settings
    },
    holdings: {
      open: () =>
        Promise.resolve({
          onFills: (fills) => {
            told.push(...fills)
            return Promise.resolve()
          },
        }),
    },
    baseCurrenciesOf: (ids) => Promise.resolve(new Map(ids.map((id) => [id, 'EUR']))),
    priceSource: SOURCE,
    log,
  }
  const intake = createOrderIntake(engineDeps)
  const tradeBy: TradingFixture['tradeBy'] = (change) => {
    state.settings = { ...DEFAULT_TRADING_SETTINGS, ...change }
    fixture.serve(orderRoutes({ ...shared, intake, settings: state.settings }))
  }
  tradeBy({})
  afterAll(() => intake.close())
  const assetOf = async (asset: string | number) =>
    typeof asset === 'number'
      ? { id: asset, scale: 9 }
      : ((await assets.byCode(asset)) ?? { id: 0, scale: 0 })
  const account = async (of: Customer | 'house', asset: string | number, purpose: keyof typeof PURPOSE) =>
    accountId({
      walletId: of === 'house' ? HOUSE_WALLET_ID : of.walletId,
      assetId: (await assetOf(asset)).id,
      purpose: PURPOSE[purpose],
    })
  return {
    ...fixture,
    prices,
    engine: createOrderEngine(engineDeps),
    engineDeps,
    told,
    tradeBy,
    list: async (ticker, status = 'active') => {
      const listed = await ownerDb.query<{ id: number }>(
        `insert into market_data.instruments
           (code, ticker, mic, name, type, currency, status, delisted_on, first_seen_at, changed_at)
         values ($1, $1, 'XNAS', $1 || ' Inc.', 'stock', 'USD', $2, case when $2 = 'delisted' then date '2025-06-01' end,
           now(), now()) returning id`,
        [ticker, status],
      )
      const id = listed.rows[0]?.id ?? 0
      await declareAssets(ownerDb, [{ id, code: ticker, kind: 'instrument', scale: 9, name: ticker }])
      return id
    },
    observe: async (instrumentId, { last, bid, ask: asked, asOf, timeliness = 'realTime' }) => {
      await ownerDb.query(
        `insert into market_data.price_observations
           (as_of, fetched_at, instrument_id, source, timeliness, last, bid, ask) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          asOf ?? clock.now(),
          clock.now(),
          instrumentId,
          source,
          ['realTime', 'delayed', 'endOfDay'].indexOf(timeliness) + 1,
          last,
          bid ?? null,
          asked ?? null,
        ],
      )
      await prices.refresh()
    },
    order: (of, body, key = randomUUID()) =>
      ask(of, 'POST', '/orders', { body: { type: 'market', timeInForce: 'day', ...body }, key }),
    cancel: (of, id) => ask(of, 'DELETE', `/orders/${id}`),
    show: async (of, id) => (await ask(of, 'GET', `/orders/${id}`)).body,
    holds: async (of, asset, purpose) =>
      formatAmount(await balanceOf(db, await account(of, asset, purpose)), (await assetOf(asset)).scale),
    announce: async (draft, corrects) => {
      const { rows } = await ownerDb.query<{ id: bigint }>(
        `insert into market_data.corporate_actions
           (instrument_id, source, source_key, revision, corrects, kind, effective_on, split_from, split_to, amount,
            currency, pay_on, last_price, ticker, recorded_at, withdrawn)
         select $1, id, coalesce((select source_key from market_data.corporate_actions where id = $2), $3),
            case when $2::bigint is null then 1
              else 1 + (select max(revision) from market_data.corporate_actions where id = $2) end,
            $2, $4, $5, $6, $7, $8, case when $4 = 'dividend' then $9 end, $10, $11, $12, $13, $14
           from market_data.stock_sources limit 1 returning id`,
        [
          draft.instrumentId,
          corrects ?? null,
          randomUUID(),
          draft.kind,
          draft.on,
          draft.from ?? null,
          draft.to ?? null,
          draft.amount ?? null,
          draft.currency ?? 'USD',
          draft.payOn ?? null,
          draft.lastPrice ?? null,
          draft.newTicker ?? null,
          clock.now(),
          draft.withdrawn ?? false,
        ],
      )
      return rows[0]?.id ?? 0n
    },
    giveShares: async (to, instrumentId, quantity) => {
      const parsed = parseAmount(quantity, 9)
      if (!parsed.ok) throw new Error(`${quantity} is no quantity`)
      const [from, into] = [
        await account('house', instrumentId, 'brokerage'),
        await account(to, instrumentId, 'available'),
      ]
      const verdict = await ledger.post({
        kind: 'adjustment',
        scope: 0n,
        key: randomUUID(),
        requestHash: Buffer.alloc(16),
        postings: [{ from, to: into, amount: parsed.minor }],
        opens: [from, into],
      })
      if (verdict.outcome === 'refused') throw new Error(`no shares were given: ${verdict.reason}`)
    },
    somebody: (money) => fixture.customer(`t${randomUUID().replaceAll('-', '').slice(0, 16)}`, money),
  }
}

export interface AcmeDesk extends TradingFixture {
  readonly acme: number
  /** A second on, a new price. */
  tick(price: PriceDraft, instrumentId?: number): Promise<void>
}

/** One stock, quoted at 99.9 / 100.1 before each test, on a Wednesday noon in New York. */
export async function acmeDesk(): Promise<AcmeDesk> {
  const desk = await tradingFixture()
  const acme = await desk.list('ACME')
  const tick: AcmeDesk['tick'] = async (price, instrumentId = acme) => {
    desk.clock.advance(1_000)
    await desk.observe(instrumentId, price)
  }
  beforeEach(async () => {
    const now = Math.max(desk.clock.now().getTime(), Date.parse('2026-01-14T17:00:00Z'))
    desk.clock.set(new Date(now + 1_000))
    desk.tradeBy({})
    await desk.publishRates(RATES)
    await tick({ last: '100', bid: '99.9', ask: '100.1' })
    await desk.engine.runOnce()
  })
  return { ...desk, acme, tick }
}

export const idOf = (answer: Pick<Answer, 'body'>) => String(answer.body['id'])
