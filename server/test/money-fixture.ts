/**
 * For tests of the rooms above the ledger: a real database, ledger, rate book and HTTP server, a clock that stands
 * still, customers with money. After the file's last test the ledger is verified.
 */
import { randomUUID } from 'node:crypto'
import { CURRENCIES, currencyByCode, formatAmount, parseAmount } from '@kantor/contract/money'
import { Problem } from '@kantor/contract/errors'
import { createHttpServer } from '#http'
import type { Principal, Route } from '#http'
import {
  accountId,
  balanceOf,
  declareAssets,
  HOUSE_WALLET_ID,
  openLedger,
  PURPOSE,
  verifyLedger,
} from '#ledger'
import type { Ledger } from '#ledger'
import { createRateBook } from '#market-data'
import type { RateBook, RateProvider } from '#market-data'
import { createMetrics } from '#telemetry'
import { fakeClock } from '#test/fake-clock'
import type { FakeClock } from '#test/fake-clock'
import { testDatabase } from '#test/harness'
import type { TestDatabase } from '#test/harness'
import { openAssetBook } from '#wallets'
import type { AssetBook } from '#wallets'
import { pino } from 'pino'
import { afterAll, expect } from 'vitest'

export interface Customer {
  readonly walletId: bigint
  readonly handle: string
}

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
  /** As it was sent, byte by byte. */
  readonly text: string
  readonly headers: Readonly<Record<string, unknown>>
}

export interface Ask {
  readonly body?: unknown
  readonly key?: string
}

export interface MoneyFixture extends TestDatabase {
  readonly clock: FakeClock
  readonly ledger: Ledger
  readonly assets: AssetBook
  readonly rates: RateBook
  readonly providers: readonly RateProvider[]
  /** Serves these routes; requests of `ask` go there. */
  serve(routes: readonly Route[]): void
  ask(
    as: Customer | null,
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    how?: Ask,
  ): Promise<Answer>
  /** A customer with an e-mail `<handle>@example.com` and so much money: `{EUR: '100.00'}`. */
  customer(
    handle: string,
    money?: Readonly<Record<string, string>>,
    more?: { name?: string; email?: string },
  ): Promise<Customer>
  /** The available balance, as a decimal text. */
  available(of: Customer | 'conversion' | 'fees' | 'funding', asset: string): Promise<string>
  /** A new snapshot: 1 EUR = so many. */
  publishRates(perEur: Readonly<Record<string, string>>, asOf?: Date): Promise<void>
}

/** Wednesday noon in New York: the currency market is open. */
const START = '2026-01-14T17:00:00.000Z'

const PROVIDER: RateProvider = {
  name: 'test',
  configuredAs: 'test',
  kind: 'hourly',
  simulated: false,
  intervalSeconds: 3_600,
  requestsPerMonth: null,
  latest: () => Promise.reject(new Error('tests publish their own rates')),
}

export async function moneyFixture(): Promise<MoneyFixture> {
  const database = await testDatabase()
  const { db, url } = database
  const clock = fakeClock(START)
  const ledger = openLedger({ url, applicationName: 'test-ledger', clock: clock.now, random: Math.random })
  const assets = openAssetBook(db, clock.now)
  const rates = createRateBook({
    db,
    providers: [PROVIDER],
    clock: clock.now,
    ageLimits: { hourlySeconds: 7_200, dailySeconds: 453_600 },
    log: { warn: () => {} },
  })
  await declareAssets(
    db,
    CURRENCIES.map(({ id, code, kind, scale, name }) => ({
      id,
      code,
      kind: kind === 'crypto' ? 'crypto' : 'currency',
      scale,
      name,
    })),
  )
  const server = { app: serveRoutes([]) }
  afterAll(async () => {
    await server.app.close()
    await ledger.close()
    expect((await db.snapshot((q) => verifyLedger(q))).firstBreak).toBeNull()
  })
  return {
    ...database,
    clock,
    ledger,
    assets,
    rates,
    providers: [PROVIDER],
    serve: (routes) => {
      server.app = serveRoutes(routes)
    },
    ask: (as, method, path, how) => askServer(server.app, as, method, path, how),
    customer: async (handle, money = {}, more = {}) => {
      const customer = await insertCustomer(database, {
        handle,
        name: 'Edward Kowalski',
        email: `${handle}@example.com`,
        ...more,
      })
      for (const [asset, amount] of Object.entries(money)) await fund(ledger, customer, asset, amount)
      return customer
    },
    available: (of, asset) => readAvailable(database, of, asset),
    publishRates: async (perEur, asOf = clock.now()) => {
      await insertSnapshot(database, perEur, asOf, clock.now())
      await rates.refresh()
    },
  }
}

function serveRoutes(routes: readonly Route[]): ReturnType<typeof createHttpServer> {
  return createHttpServer({
    routes,
    authenticate: async ({ authorization }) =>
      authorization === undefined ? null : principalOf(authorization),
    publicUrl: new URL('http://127.0.0.1:8080'),
    trustedProxies: [],
    log: pino({ level: 'silent' }),
    metrics: createMetrics(),
    problemOf: () => null,
  })
}

/** A wallet's owner and their one session, so that a token that names the wallet names these too. */
const customerIdOf = (walletId: string) => `00000000-0000-7000-8000-${walletId.padStart(12, '0')}`

/** Bearer tokens of these tests say who they are: the wallet's id. */
function principalOf(authorization: string): Principal {
  const [, walletId] = /^Bearer (\d+)$/.exec(authorization) ?? []
  if (walletId === undefined) throw new Problem('not_authenticated')
  return {
    customerId: customerIdOf(walletId),
    walletId: BigInt(walletId),
    role: 'customer',
    frozen: false,
    via: 'session',
    credentialId: customerIdOf(walletId),
    scopes: new Set(['read', 'trade', 'transfer']),
  }
}

async function askServer(
  app: ReturnType<typeof createHttpServer>,
  as: Customer | null,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  { body, key }: Ask = {},
): Promise<Answer> {
  const reply = await app.inject({
    method,
    url: `/api/v1${path}`,
    headers: {
      ...(as === null ? {} : { authorization: `Bearer ${as.walletId}` }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    ...(body === undefined ? {} : { payload: body as object }),
  })
  return {
    status: reply.statusCode,
    body: reply.body === '' ? {} : reply.json(),
    text: reply.body,
    headers: reply.headers,
  }
}

async function insertCustomer(
  { ownerDb }: TestDatabase,
  { handle, name, email }: { handle: string; name: string; email: string },
): Promise<Customer> {
  const { rows } = await ownerDb.query<{ number: bigint }>(
    `select nextval('identity.customer_numbers') as number`,
  )
  const [row] = rows
  if (row === undefined) throw new Error('no number was given')
  await ownerDb.query(
    `insert into identity.customers
       (id, number, email, email_key, handle, name, password_hash, base_currency, created_at)
     values ($1, $2, $3, $3, $4, $5, '$argon2id$none', 'EUR', now())`,
    [customerIdOf(`${row.number}`), row.number, email, handle, name],
  )
  await ownerDb.query(
    `insert into identity.sessions (id, customer_id, token_hash, created_at, last_seen_at, idle_expires_at,
       expires_at, ip, user_agent)
     values ($1, $1, sha256($2), now(), now(), 'infinity', 'infinity', '198.51.100.7', 'Firefox')`,
    [customerIdOf(`${row.number}`), `${row.number}`],
  )
  return { walletId: row.number, handle }
}

async function fund(ledger: Ledger, customer: Customer, asset: string, amount: string): Promise<void> {
  const { id: assetId, scale } = requireCurrency(asset)
  const parsed = parseAmount(amount, scale)
  if (!parsed.ok) throw new Error(`${amount} ${asset} is no amount: ${parsed.reason}`)
  const from = accountId({ walletId: HOUSE_WALLET_ID, assetId, purpose: PURPOSE.funding })
  const to = accountId({ walletId: customer.walletId, assetId, purpose: PURPOSE.available })
  const verdict = await ledger.post({
    kind: 'deposit',
    scope: 0n,
    key: randomUUID(),
    requestHash: Buffer.alloc(16),
    postings: [{ from, to, amount: parsed.minor }],
    opens: [from, to],
  })
  if (verdict.outcome === 'refused') throw new Error(`funding was refused: ${verdict.reason}`)
}

async function readAvailable(
  { db }: TestDatabase,
  of: Customer | 'conversion' | 'fees' | 'funding',
  asset: string,
): Promise<string> {
  const { id: assetId, scale } = requireCurrency(asset)
  const account =
    typeof of === 'string'
      ? { walletId: HOUSE_WALLET_ID, assetId, purpose: PURPOSE[of] }
      : { walletId: of.walletId, assetId, purpose: PURPOSE.available }
  return formatAmount(await balanceOf(db, accountId(account)), scale)
}

function requireCurrency(code: string) {
  const currency = currencyByCode(code)
  if (currency === undefined) throw new Error(`${code} is no currency`)
  return currency
}

async function insertSnapshot(
  { ownerDb }: TestDatabase,
  perEur: Readonly<Record<string, string>>,
  asOf: Date,
  fetchedAt: Date,
): Promise<void> {
  const { rows } = await ownerDb.query<{ id: bigint }>(
    `insert into market_data.rate_snapshots (provider, as_of, fetched_at, base, origin)
     values ($1, $2, $3, 'EUR', 'poll') returning id`,
    [PROVIDER.name, asOf, fetchedAt],
  )
  await ownerDb.query(
    `insert into market_data.rates (snapshot_id, code, rate) select $1, * from unnest($2::text[], $3::numeric[])`,
    [rows[0]?.id, Object.keys(perEur), Object.values(perEur)],
  )
}
