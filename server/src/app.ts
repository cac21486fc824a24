import { randomBytes, randomUUIDv7 } from 'node:crypto'
import { Problem } from '@kantor/contract/errors'
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
import { LedgerBusy, frozenAssetCodes, openLedger } from '#ledger'
import type { Ledger } from '#ledger'
import { DEFAULT_AGE_LIMITS, configuredProviders, createRateBook, createVolatility } from '#market-data'
import type { RateBook } from '#market-data'
import type { Log, Metrics } from '#telemetry'
import { openAssetBook, openWallet } from '#wallets'
import type { FastifyInstance } from 'fastify'
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
  const identity = identityOf(deps, db, ledger)
  const indexBuilder = createIndexBuilder({
    db,
    clock,
    onError: (error) => log.warn({ err: error }, 'a history index could not be built'),
  })
  const jobs = createJobs({
    db,
    databaseUrl: deps.databaseUrl,
    log,
    definitions: allJobs({ ...deps, db, identity, providers }),
    schedule,
  })
  const routes = routesOf(deps, { db, ledger, rates, providers, identity, indexBuilder })
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
  await rates.start()
  return {
    http,
    jobs,
    rates,
    drain: () => {
      state.draining = true
    },
    close: async () => {
      await rates.stop()
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

interface Rooms {
  readonly db: Database
  readonly ledger: Ledger
  readonly rates: RateBook
  readonly providers: ReturnType<typeof providersOf>
  readonly identity: Identity
  readonly indexBuilder: ReturnType<typeof createIndexBuilder>
}

function routesOf(
  { config, clock, version }: AppDeps,
  { db, ledger, rates, providers, identity, indexBuilder }: Rooms,
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
  return allRoutes({
    identityRoutes: identity.routes,
    wallets: { db, ledger, assets, rates, paperMoney, baseCurrencyOf, version },
    marketData: { db, rates, providers, clock, frozenAssets: () => frozenAssetCodes(db) },
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
    transfers: { db, ledger, assets },
    history: { db, assets, people: peopleOf(db), indexBuilder },
  })
}
