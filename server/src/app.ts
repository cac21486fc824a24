import { randomBytes, randomUUIDv7 } from 'node:crypto'
import { Problem } from '@kantor/contract/errors'
import { INSTRUMENT_SCALE } from '@kantor/contract/money'
import type { Config } from '#config'
import { openDatabase } from '#db'
import type { Database } from '#db'
import { DEFAULT_EXCHANGE_SETTINGS, checkExchangeSettings } from '#exchange'
import { createHttpServer, mountApiDocs, mountHealth, serveWebApp } from '#http'
import { createIndexBuilder } from '#history'
import type { People } from '#history'
import {
  createIdentity,
  createPasswordHasher,
  customersByNumbers,
  findCustomerByHandleOrEmail,
  maskName,
} from '#identity'
import type { Identity } from '#identity'
import { createJobs } from '#jobs'
import type { Jobs } from '#jobs'
import { LedgerBusy, declareAssets, frozenAssetCodes, openLedger } from '#ledger'
import type { Ledger } from '#ledger'
import {
  DEFAULT_AGE_LIMITS,
  configuredProviders,
  configuredStockProvider,
  createMarketHours,
  createPriceBook,
  createRateBook,
  createVolatility,
  openInstrumentBook,
} from '#market-data'
import type {
  DeclareInstruments,
  InstrumentBook,
  MarketHours,
  PriceBook,
  RateBook,
  StockProvider,
} from '#market-data'
import type { Log, Metrics } from '#telemetry'
import { openAssetBook, openWallet } from '#wallets'
import type { SharePrice } from '#wallets'
import type { FastifyInstance } from 'fastify'
import { buildTrading } from './build-trading.ts'
import type { TradingRoom } from './build-trading.ts'
import { allRoutes } from './routes.ts'
import { allJobs, schedule } from './schedule.ts'

export interface AppDeps {
  readonly config: Config
  readonly databaseUrl: string
  readonly version: string
  /** The built pages; null serves the API alone. */
  readonly webDirectory: string | null
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: () => Date
  /** Between 0 and 1. */
  readonly random: () => number
}

export interface App {
  readonly http: FastifyInstance
  readonly jobs: Jobs
  readonly rates: RateBook
  readonly stocks: Stocks
  readonly trading: TradingRoom
  /** From now on readiness says no, so that nothing new is sent here. */
  drain(): void
  /** Ends what the app holds, in the order in which it was begun, backwards. Requests must have been answered. */
  close(): Promise<void>
}

const CONNECTIONS_MAX = 16
const SESSION_IDLE_SECONDS = 14 * 86_400
const SESSION_LIFE_SECONDS = 90 * 86_400
/** Paper money may be had up to a hundred welcome grants at a time. */
const PAPER_MONEY_GRANTS_MAX = 100n

/** Wires every room to the others; nothing is found by itself. */
export async function createApp(deps: AppDeps): Promise<App> {
  const { config, clock, log, random } = deps
  const db = openDatabase({
    url: deps.databaseUrl,
    connectionsMax: CONNECTIONS_MAX,
    applicationName: `kantor-${config.role}`,
    role: 'kantor_app',
    random,
  })
  const ledger = openLedger({
    url: deps.databaseUrl,
    applicationName: 'kantor-poster',
    role: 'kantor_app',
    clock,
    random,
  })
  const providers = providersOf(deps)
  const rates = createRateBook({ db, providers, clock, ageLimits: DEFAULT_AGE_LIMITS, log })
  const stocks = stocksOf(deps, db)
  const identity = identityOf(deps, db, ledger)
  const indexBuilder = createIndexBuilder({
    db,
    clock,
    onError: (error) => log.warn({ err: error }, 'a history index could not be built'),
  })
  const trading = tradingOf(deps, { db, ledger, rates, stocks, providers })
  const jobs = createJobs({
    db,
    databaseUrl: deps.databaseUrl,
    log,
    definitions: allJobs({
      ...deps,
      db,
      identity,
      providers,
      stocks,
      declareInstruments,
      trading: trading.jobs,
    }),
    schedule,
  })
  const routes = routesOf(deps, { db, ledger, rates, stocks, providers, identity, indexBuilder, trading })
  const state = { draining: false }
  const http = createHttpServer({
    routes,
    authenticate: identity.authenticate,
    publicUrl: config.publicUrl,
    trustedProxies: config.trustedProxies,
    log,
    metrics: deps.metrics,
    problemOf: (thrown) =>
      thrown instanceof LedgerBusy
        ? new Problem('busy', { retryAfterSeconds: thrown.retryAfterSeconds, cause: thrown })
        : null,
  })
  mountHealth(http, {
    notReadyBecause: () => notReadyBecause(db, state.draining),
    metricsText: deps.metrics.text,
  })
  mountApiDocs(http, routes, { version: deps.version, cookieName: identity.cookieName })
  if (deps.webDirectory !== null) await serveWebApp(http, deps.webDirectory)
  deps.metrics.gauge('kantor_posting_queue', 'Commands that wait to be posted.', ledger.queueDepth)
  await Promise.all([rates.start(), stocks.hours.start().then(stocks.prices.start)])
  return {
    http,
    jobs,
    rates,
    stocks,
    trading,
    drain: () => {
      state.draining = true
    },
    close: async () => {
      await trading.close()
      await rates.stop()
      await stocks.prices.stop()
      await stocks.hours.stop()
      await indexBuilder.close()
      await ledger.close()
      await identity.close()
      await db.close()
    },
  }
}

async function notReadyBecause(db: Database, draining: boolean): Promise<string | null> {
  if (draining) return 'draining'
  return db.query('select 1').then(
    () => null,
    () => 'database',
  )
}

function providersOf({ config, clock, log }: AppDeps) {
  const { fixerUrl, fixerApiKey, ecbUrl, nbpUrl, providers: names } = config.rates
  const { providers, leftOut } = configuredProviders({ names, fixerUrl, fixerApiKey, ecbUrl, nbpUrl, clock })
  for (const { name, why } of leftOut) log.warn({ provider: name, why }, 'a rate provider is left out')
  return providers
}

/** What the rooms know of stocks: where prices come from, the newest ones, who is who, and when it trades. */
export interface Stocks {
  readonly provider: StockProvider
  readonly prices: PriceBook
  readonly instruments: InstrumentBook
  readonly hours: MarketHours
}

function stocksOf({ config, clock, log, random }: AppDeps, db: Database): Stocks {
  const { provider: name, ...polygon } = config.stocks
  const { provider, aroundTheClock } = configuredStockProvider({ name, ...polygon, db, clock, random })
  const hours = createMarketHours({ db, clock, aroundTheClock, log })
  const prices = createPriceBook({ db, provider, hours, clock, log })
  return { provider, prices, instruments: openInstrumentBook(db, clock), hours }
}

function tradingOf(
  { clock, log }: AppDeps,
  { db, ledger, rates, stocks, providers }: Pick<Rooms, 'db' | 'ledger' | 'rates' | 'stocks' | 'providers'>,
): TradingRoom {
  return buildTrading({
    db,
    ledger,
    assets: openAssetBook(db, clock),
    rates,
    volatility: createVolatility({ db, providers, clock }),
    exchangeSettings: checkExchangeSettings(DEFAULT_EXCHANGE_SETTINGS),
    stocks,
    priceOf: sharePrices(stocks),
    baseCurrenciesOf: async (walletIds, q = db) => {
      const customers = await customersByNumbers(q, [...walletIds])
      return new Map([...customers].map(([number, { baseCurrency }]) => [number, baseCurrency]))
    },
    clock,
    log,
  })
}

/** An instrument is an asset in the ledger, which market-data may not know. */
const declareInstruments: DeclareInstruments = (q, instruments) =>
  declareAssets(
    q,
    instruments.map(({ id, code, name }) => ({
      id,
      code,
      name,
      kind: 'instrument',
      scale: INSTRUMENT_SCALE,
    })),
  )

function identityOf({ config, clock }: AppDeps, db: Database, ledger: Ledger): Identity {
  const welcomeGrant = config.welcomeGrant.map(({ currency, amount }) => ({ asset: currency, minor: amount }))
  return createIdentity({
    db,
    clock,
    newId: randomUUIDv7,
    randomBytes,
    hasher: createPasswordHasher(),
    config: {
      https: config.publicUrl.protocol === 'https:',
      rateLimits: config.rateLimits,
      sessionIdleSeconds: SESSION_IDLE_SECONDS,
      sessionLifeSeconds: SESSION_LIFE_SECONDS,
    },
    onSignedUp: (tx, customer, currencies) =>
      openWallet(tx, { ledger, welcomeGrant }, { walletId: customer.number, currencies }),
  })
}

/** Who people are, for rooms that know wallets only. */
function peopleOf(db: Database): People {
  return {
    byWalletIds: async (walletIds) => {
      const customers = await customersByNumbers(db, walletIds)
      return new Map(
        [...customers].map(([number, { handle, name }]) => [number, { handle, name: maskName(name) }]),
      )
    },
    walletOfHandle: async (handle) => (await findCustomerByHandleOrEmail(db, handle))?.number ?? null,
  }
}

/** What the wallets room counts shares with. */
function sharePrices({ prices, instruments }: Stocks) {
  return async (instrumentId: number): Promise<SharePrice | null> => {
    const [price, instrument] = [prices.price(instrumentId), await instruments.byId(instrumentId)]
    if (price.unknown || instrument === null) return null
    return { price: price.last, currency: instrument.currency, asOf: price.asOf, stale: price.stale }
  }
}

interface Rooms {
  readonly db: Database
  readonly ledger: Ledger
  readonly rates: RateBook
  readonly stocks: Stocks
  readonly providers: ReturnType<typeof providersOf>
  readonly identity: Identity
  readonly indexBuilder: ReturnType<typeof createIndexBuilder>
  readonly trading: TradingRoom
}

function routesOf(
  { config, clock, version }: AppDeps,
  { db, ledger, rates, stocks, providers, identity, indexBuilder, trading }: Rooms,
) {
  const assets = openAssetBook(db, clock)
  const paperMoney = config.welcomeGrant.map(({ currency, amount }) => ({
    asset: currency,
    mostMinor: amount * PAPER_MONEY_GRANTS_MAX,
  }))
  const baseCurrencyOf = async (walletId: bigint) => {
    const customer = (await customersByNumbers(db, [walletId])).get(walletId)
    if (customer === undefined) throw new Error(`wallet ${walletId} is signed in and has no owner`)
    return customer.baseCurrency
  }
  const priceOf = sharePrices(stocks)
  return allRoutes({
    identityRoutes: identity.routes,
    wallets: { db, ledger, assets, rates, priceOf, paperMoney, baseCurrencyOf, version },
    marketData: { db, rates, providers, clock, frozenAssets: () => frozenAssetCodes(db) },
    instruments: { ...stocks, db, clock },
    exchange: {
      db,
      ledger,
      assets,
      rates,
      volatility: createVolatility({ db, providers, clock }),
      settings: checkExchangeSettings(DEFAULT_EXCHANGE_SETTINGS),
      clock,
      newId: randomUUIDv7,
    },
    orders: trading.orders,
    positions: { ...stocks, db, assets, rates, priceOf, baseCurrencyOf, clock },
    transfers: { db, ledger, assets, moveHoldings: trading.books.moveHoldings },
    history: { db, assets, people: peopleOf(db), indexBuilder },
  })
}
