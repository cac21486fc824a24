import { randomBytes, randomUUIDv7 } from 'node:crypto'
import { Problem } from '@kantor/contract/errors'
import { INSTRUMENT_SCALE } from '@kantor/contract/money'
import type { Config } from '#config'
import type { Database, ReadReplica } from '#db'
import { createEvents } from '#events'
import type { Events } from '#events'
import { DEFAULT_EXCHANGE_SETTINGS, checkExchangeSettings } from '#exchange'
import { createHttpServer, mountApiDocs, mountHealth, serveWebApp } from '#http'
import { createIndexBuilder } from '#history'
import { createIdentity, createPasswordHasher, customersByNumbers } from '#identity'
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
  createPriceStream,
  createRateBook,
  createVolatility,
  openInstrumentBook,
} from '#market-data'
import type {
  DeclareInstruments,
  InstrumentBook,
  MarketHours,
  PriceBook,
  PriceStream,
  RateBook,
  StockProvider,
} from '#market-data'
import type { LiveStream, Notify } from '#notifications'
import type { Log, Metrics } from '#telemetry'
import { instrumentsOfInterest } from '#trading'
import { openAssetBook, openWallet } from '#wallets'
import type { FastifyInstance } from 'fastify'
import { buildRules } from './build-rules.ts'
import type { RulesRoom } from './build-rules.ts'
import { buildLiveStream } from './build-live-stream.ts'
import { buildNotifications } from './build-notifications.ts'
import type { NotificationsRoom } from './build-notifications.ts'
import { buildTrading } from './build-trading.ts'
import type { TradingRoom } from './build-trading.ts'
import { peopleOf } from './people.ts'
import { openDatabases } from './open-databases.ts'
import { createReadiness } from './readiness.ts'
import { allRoutes } from './routes.ts'
import { allJobs, schedule } from './schedule.ts'
import { readOrCreateSecretKey } from './secret-key.ts'
import { sharePrices } from './share-prices.ts'

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
  readonly events: Events
  readonly rates: RateBook
  readonly stocks: Stocks
  readonly trading: TradingRoom
  readonly notifications: NotificationsRoom
  /** Live prices, for a worker to start and to stop. */
  readonly priceStream: PriceStream
  readonly rules: RulesRoom
  /** What customers are told as it happens; to be started after events. */
  readonly live: LiveStream
  /** All that the role asks for has been started: from now on readiness says yes. */
  begun(): void
  /** From now on readiness says no, so that nothing new is sent here, and live streams are sent elsewhere. */
  drain(): void
  /** Ends what the app holds, in the order in which it was begun, backwards. Requests must have been answered. */
  close(): Promise<void>
}

const SESSION_IDLE_SECONDS = 14 * 86_400
const SESSION_LIFE_SECONDS = 90 * 86_400
/** Paper money may be had up to a hundred welcome grants at a time. */
const PAPER_MONEY_GRANTS_MAX = 100n

/** Wires every room to the others; nothing is found by itself. */
export async function createApp(deps: AppDeps): Promise<App> {
  const { config, clock, log, random } = deps
  const secretKey = config.secretKey ?? (await readOrCreateSecretKey(config.dataDir))
  const { db, replica } = openDatabases(deps)
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
  const notifications = buildNotifications({
    ...deps,
    db,
    secretKey,
    enqueue: (tx, name, payload) => jobs.enqueue(tx, name, payload),
  })
  const { notify } = notifications
  const identity = identityOf(deps, db, ledger, notify)
  const indexBuilder = createIndexBuilder({
    db,
    clock,
    onError: (error) => log.warn({ err: error }, 'a history index could not be built'),
  })
  const trading = tradingOf(deps, { db, ledger, rates, stocks, providers })
  const priceStream = createPriceStream({
    ...stocks,
    db,
    clock,
    log,
    interest: instrumentsOfInterest,
    newId: randomUUIDv7,
  })
  const rules = buildRules({ ...deps, db, ledger, rates, stocks, providers, trading, notify })
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
      notifications: notifications.jobs,
    }),
    schedule,
  })
  const events = createEvents({ ...deps, db, amqpUrl: config.amqpUrl, brokerPrefix: config.amqpPrefix })
  const live = buildLiveStream({ ...deps, db, rates, stocks, trading, events })
  events.consume(notifications.consumer)
  const rooms = {
    db,
    replica,
    ledger,
    rates,
    stocks,
    providers,
    identity,
    indexBuilder,
    trading,
    rules,
    notifications,
    jobs,
    events,
    live,
  }
  const routes = routesOf(deps, rooms)
  const readiness = createReadiness(db)
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
    notReadyBecause: readiness.notReadyBecause,
    metricsText: deps.metrics.text,
  })
  mountApiDocs(http, routes, { version: deps.version, cookieName: identity.cookieName })
  if (deps.webDirectory !== null) await serveWebApp(http, deps.webDirectory)
  deps.metrics.gauge('kantor_posting_queue', 'Commands that wait to be posted.', ledger.queueDepth)
  await Promise.all([rates.start(), stocks.hours.start().then(stocks.prices.start)])
  return {
    http,
    jobs,
    events,
    rates,
    stocks,
    trading,
    notifications,
    priceStream,
    rules,
    live,
    begun: readiness.begun,
    drain: () => {
      readiness.drain()
      live.drain()
    },
    close: async () => {
      await live.close()
      await events.stop()
      await priceStream.stop()
      await rules.close()
      await trading.close()
      await rates.stop()
      await stocks.prices.stop()
      await stocks.hours.stop()
      await indexBuilder.close()
      await ledger.close()
      await identity.close()
      await replica?.close()
      await db.close()
    },
  }
}

function providersOf({ config, clock, log }: AppDeps) {
  const { providers: names, ...addresses } = config.rates
  const { providers, leftOut } = configuredProviders({ names, ...addresses, clock })
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
  { clock, config, log }: AppDeps,
  { db, ledger, rates, stocks, providers }: Pick<Rooms, 'db' | 'ledger' | 'rates' | 'stocks' | 'providers'>,
): TradingRoom {
  return buildTrading({
    db,
    ledger,
    assets: openAssetBook(db, clock),
    rates,
    volatility: createVolatility({ db, providers, clock }),
    exchangeSettings: checkExchangeSettings(DEFAULT_EXCHANGE_SETTINGS),
    withholdingBps: config.dividendWithholdingBps,
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

function identityOf({ config, clock }: AppDeps, db: Database, ledger: Ledger, notify: Notify): Identity {
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
    onNewDevice: (tx, { number, ...detail }) => notify(tx, { walletId: number, kind: 'signed_in', detail }),
  })
}

interface Rooms {
  readonly db: Database
  readonly replica: ReadReplica | null
  readonly ledger: Ledger
  readonly rates: RateBook
  readonly stocks: Stocks
  readonly providers: ReturnType<typeof providersOf>
  readonly identity: Identity
  readonly indexBuilder: ReturnType<typeof createIndexBuilder>
  readonly trading: TradingRoom
  readonly notifications: NotificationsRoom
  readonly jobs: Jobs
  readonly events: Events
  readonly rules: RulesRoom
  readonly live: LiveStream
}

function routesOf(
  { config, clock, version }: AppDeps,
  {
    db,
    ledger,
    rates,
    stocks,
    providers,
    identity,
    indexBuilder,
    trading,
    notifications,
    jobs,
    events,
    rules,
    live,
    replica,
  }: Rooms,
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
    conversionRules: rules.conversions,
    standingOrders: rules.standingOrders,
    priceAlerts: rules.priceAlerts,
    orders: trading.orders,
    positions: { ...stocks, db, assets, rates, priceOf, baseCurrencyOf, clock },
    transfers: { db, ledger, assets, moveHoldings: trading.books.moveHoldings },
    history: { db, replica, assets, people: peopleOf(db), indexBuilder },
    stream: { live, instruments: stocks.instruments },
    notifications: notifications.routes,
    admin: {
      ...stocks,
      db,
      events,
      jobs,
      clock,
      assets,
      rateProviders: providers,
      ageLimits: DEFAULT_AGE_LIMITS,
      stockProvider: stocks.provider,
    },
  })
}
