/** For tests of the live stream: two replicas of the whole program on one database, asked over real HTTP. */
import { randomUUID } from 'node:crypto'
import { stockJobs } from '#market-data'
import { declareAssets } from '#ledger'
import { openEventSource } from '#test/event-source'
import type { ReceivedEvent, TestEventSource } from '#test/event-source'
import { runningApp } from '#test/running-app'
import type { RunningApp } from '#test/running-app'
import { afterAll } from 'vitest'

export interface Person {
  readonly handle: string
  readonly walletId: bigint
  /** What their browser sends. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

export interface StreamFixture {
  readonly apps: readonly [RunningApp, RunningApp]
  /** With 10,000 EUR and 5,000 USD. */
  person(handle: string): Promise<Person>
  ask(as: Person | null, method: string, path: string, body?: unknown): Promise<Answer>
  /** Posts, and fails unless it is done: what is answered is acknowledged. */
  act(as: Person, path: string, body: unknown): Promise<Record<string, unknown>>
  send(from: Person, to: Person, amount: string, asset?: string): Promise<Record<string, unknown>>
  open(
    as: Person,
    how?: { replica?: 0 | 1; query?: string; headers?: Record<string, string> },
  ): Promise<TestEventSource>
  /** Stocks with prices, of the simulated market; ids by ticker. */
  listStocks(): Promise<ReadonlyMap<string, number>>
  /** All at once, so that no one sees some of them. */
  observe(instrumentId: number, ...lasts: string[]): Promise<void>
  publishRates(perEur: Readonly<Record<string, string>>): Promise<void>
}

export const is = (name: string) => (event: ReceivedEvent) => event.event === name

export async function streamFixture(): Promise<StreamFixture> {
  const first = await runningApp()
  const apps = [first, await runningApp({}, first)] as const
  const addresses = await Promise.all(apps.map((app) => app.http.listen({ host: '127.0.0.1', port: 0 })))
  for (const app of apps) {
    await app.events.start({ relay: false, consumers: false })
    app.live.start()
  }
  afterAll(() => {
    for (const app of apps) app.drain()
  })
  const { ownerDb } = first.database
  const urlOf = (path: string, replica: 0 | 1 = 0) => `${addresses[replica]}/api/v1${path}`
  const ask: StreamFixture['ask'] = async (as, method, path, body) => {
    const answer = await fetch(urlOf(path), {
      method,
      headers: {
        ...as?.headers,
        'idempotency-key': randomUUID(),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, body: text === '' ? {} : JSON.parse(text) }
  }
  const act: StreamFixture['act'] = async (as, path, body) => {
    const answer = await ask(as, 'POST', path, body)
    if (answer.status >= 300) throw new Error(`POST ${path} answered ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  return {
    apps,
    ask,
    act,
    person: async (handle) => {
      const email = `${handle}@example.com`
      const profile = {
        email,
        password: 'kobyla ma maly bok 77',
        name: 'Anna Nowak',
        handle,
        baseCurrency: 'EUR',
      }
      const answer = await ask(null, 'POST', '/auth/sign-up', profile)
      if (answer.status !== 201) throw new Error(`sign-up answered ${JSON.stringify(answer.body)}`)
      const { rows } = await ownerDb.query<{ number: bigint }>(
        'select number from identity.customers where handle = $1',
        [handle],
      )
      const cookie = answer.headers.getSetCookie().map((line) => line.split(';', 1)[0])
      return { handle, walletId: rows[0]?.number ?? 0n, headers: { cookie: cookie.join('; ') } }
    },
    send: (from, to, amount, asset = 'EUR') =>
      act(from, '/transfers', { to: `@${to.handle}`, asset, amount }),
    open: (as, { replica, query = '', headers = {} } = {}) =>
      openEventSource(urlOf(`/stream${query}`, replica), { ...as.headers, ...headers }),
    listStocks: async () => {
      await refreshReference(first)
      const { rows } = await ownerDb.query<{ id: number; ticker: string }>(
        'select id, ticker from market_data.instruments',
      )
      return new Map(rows.map(({ id, ticker }) => [ticker, id]))
    },
    observe: async (instrumentId, ...lasts) => {
      await ownerDb.query(
        `insert into market_data.price_observations
           (as_of, fetched_at, instrument_id, source, timeliness, last)
         select now(), now(), $1, id, 1, last
           from market_data.stock_sources, unnest($2::numeric[]) with ordinality given (last, number)
          where provider = 'simulated' order by number`,
        [instrumentId, lasts],
      )
    },
    publishRates: async (perEur) => {
      await ownerDb.query(
        `with snapshot as (
           insert into market_data.rate_snapshots (provider, as_of, fetched_at, base, origin)
           values ('simulated', now(), now(), 'EUR', 'poll') returning id)
         insert into market_data.rates (snapshot_id, code, rate)
         select id, code, rate from snapshot, unnest($1::text[], $2::numeric[]) given (code, rate)`,
        [Object.keys(perEur), Object.values(perEur)],
      )
    },
  }
}

async function refreshReference({ database: { db }, stocks }: RunningApp): Promise<void> {
  const jobs = stockJobs({
    db,
    clock: () => new Date(),
    provider: stocks.provider,
    hours: stocks.hours,
    log: { info: () => {}, warn: () => {} },
    declareInstruments: (q, found) =>
      declareAssets(
        q,
        found.map(({ id, code, name }) => ({ id, code, name, kind: 'instrument', scale: 9 })),
      ),
  })
  const refresh = jobs.find(({ name }) => name === 'refresh-stock-reference')
  await refresh?.start({}, { signal: AbortSignal.timeout(60_000), attempt: 1 })
  await stocks.prices.refresh()
}
