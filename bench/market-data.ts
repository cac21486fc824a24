import { chmod, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { migrate } from '../server/src/db/index.ts'
import type { Database } from '../server/src/db/index.ts'
import { ingestDay } from '../server/src/market-data/ingest-days.ts'
import { createMarketHours } from '../server/src/market-data/market-hours.ts'
import { planInstruments } from '../server/src/market-data/plan-instruments.ts'
import { newYorkMidnight } from '../server/src/market-data/providers/new-york.ts'
import { polygonProvider } from '../server/src/market-data/providers/polygon.ts'
import { ensureSource } from '../server/src/market-data/stock-feeds.ts'
import { storeCandles } from '../server/src/market-data/store-candles.ts'
import type { CandleDraft } from '../server/src/market-data/store-candles.ts'
import { storeInstruments } from '../server/src/market-data/store-instruments.ts'
import { benchPostgres, openOwner, startServer } from './bench-server.ts'
import type { BenchServer } from './bench-server.ts'
import { runLoad } from './http-load.ts'
import { seedCustomers } from './seed-customers.ts'
import { fixed, markdownTable, median, whole } from './table.ts'

const TICKERS = 12_000
const CANDLES = 600_000
const BACKFILL_ROUNDS = 3
const silent = { info() {}, warn() {} }
const tickerOf = (index: number): string => `T${index.toString(36).toUpperCase()}X`
const dayOf = (index: number): string =>
  new Date(Date.UTC(2025, 0, 6) + index * 86_400_000).toISOString().slice(0, 10)

type Row = readonly [what: string, figure: string, aim: string]

/**
 * `npm run bench -- market-data [--rounds 5] [--seconds 20]`: a day of the whole market through the Polygon adapter,
 * a backfill beside COPY of the same rows, and what the server answers meanwhile. Writes results/market-data.md.
 */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '20' } },
  })
  const postgres = await benchPostgres()
  const market = await fakeMarket()
  try {
    const url = await postgres.create('kantor_bench_market_data')
    await migrate({ url, log: silent })
    const owner = openOwner(url)
    try {
      const rows = [
        ...(await measureDays(owner, market.url, Number(values.rounds))),
        ...(await measureBackfill(owner)),
        ...(await measureServer(owner, url, market, Number(values.seconds))),
      ]
      const heading = `PostgreSQL ${postgres.version}, Node ${process.version}, ${new Date().toISOString()}`
      const report = `${heading}\n\n${markdownTable(['what', 'figure', 'aim'], rows)}`
      console.log(report)
      await writeFile(join(import.meta.dirname, 'results/market-data.md'), `${report}\n`)
    } finally {
      await owner.close()
    }
  } finally {
    market.server.close()
    market.server.closeAllConnections()
    await postgres.stop()
  }
}

/** The whole market's day in Polygon's words, made once and sent with another date each time. */
async function fakeMarket(): Promise<{ url: string; server: Server; asked: () => number }> {
  let days = 0
  const prices = Array.from({ length: TICKERS }, (_, index) => fixed(5 + (index % 900) + 0.37, 2))
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1')
    const date = /\/grouped\/.*\/(\d{4}-\d\d-\d\d)$/.exec(url.pathname)?.[1]
    const tickers = url.pathname === '/v3/reference/tickers' && url.searchParams.get('active') !== 'false'
    if (date !== undefined) {
      days += 1
      response.end(dayAnswer(prices, date))
    } else if (tickers) response.end(tickersAnswer())
    else if (url.pathname.startsWith('/v1/marketstatus/upcoming')) response.end('[]')
    else if (url.pathname.startsWith('/v2/snapshot')) response.end('{"status":"OK","tickers":[]}')
    else response.end('{"status":"OK","results":[]}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, server, asked: () => days }
}

function dayAnswer(prices: readonly string[], date: string): string {
  const at = newYorkMidnight(date)
  const rows = prices.map(
    (price, index) =>
      `{"T":"${tickerOf(index)}","v":${1000 + index},"vw":${price},"o":${price},"c":${price},"h":${price},"l":${price},"t":${at},"n":9}`,
  )
  return `{"status":"OK","adjusted":false,"resultsCount":${rows.length},"results":[${rows.join(',')}]}`
}

function tickersAnswer(): string {
  const results = Array.from({ length: 1_000 }, (_, index) => ({
    ticker: tickerOf(index),
    name: `Company ${index}`,
    type: 'CS',
    primary_exchange: 'XNYS',
    currency_name: 'usd',
    active: true,
  }))
  return JSON.stringify({ status: 'OK', results })
}

/** From the request to the commit, with the adapter's reading of 2 MB, in this process. */
async function measureDays(owner: Database, url: string, rounds: number): Promise<Row[]> {
  const clock = () => new Date()
  const listings = Array.from({ length: TICKERS }, (_, index) => ({
    ticker: tickerOf(index),
    name: `Company ${index}`,
    mic: 'XNYS',
    figi: null,
    type: 'stock' as const,
    currency: 'USD',
  }))
  await owner.transaction((tx) => storeInstruments(tx, planInstruments([], listings), clock(), '2025-01-01'))
  const access = { url, wsUrl: url, apiKey: 'bench', plan: 'paid', db: owner, clock } as const
  const provider = polygonProvider({ ...access, random: Math.random })
  const hours = createMarketHours({ db: owner, clock, aroundTheClock: false, log: silent })
  const deps = { db: owner, provider, hours, clock, log: silent }
  const source = await ensureSource(deps)
  const signal = new AbortController().signal
  const took: number[] = []
  const cpu: number[] = []
  const delay = monitorEventLoopDelay({ resolution: 1 })
  for (let round = 0; round <= rounds; round += 1) {
    const before = process.cpuUsage()
    const startedMs = performance.now()
    if (round === 1) delay.enable()
    const taken = await ingestDay(deps, source, dayOf(round), { isNewest: false, signal })
    if (taken?.stored !== TICKERS) throw new Error(`stored ${taken?.stored}`)
    // The first warms the compiler up and builds the plans.
    if (round > 0) took.push(performance.now() - startedMs)
    const { user, system } = process.cpuUsage(before)
    if (round > 0) cpu.push((user + system) / 1000)
  }
  return [
    ['a day of 12,000 rows, request to commit', `${whole(median(took))} ms`, '< 1,000 ms'],
    ['CPU of the process (with the fake provider)', `${whole(median(cpu))} ms`, ''],
    ['longest stop of its event loop (with the fake provider)', `${whole(delay.max / 1e6)} ms`, ''],
  ]
}

async function measureBackfill(owner: Database): Promise<Row[]> {
  const { rows: ids } = await owner.query<{ id: number }>(
    'select id from market_data.instruments order by id limit 40',
  )
  const perInstrument = CANDLES / ids.length
  const startMs = Date.UTC(2024, 0, 1)
  const drafts = ids.flatMap(({ id }) =>
    Array.from({ length: perInstrument }, (_, index): CandleDraft => {
      const price = fixed(100 + (index % 5000) / 100, 2)
      const at = new Date(startMs + index * 60_000)
      const prices = { open: price, high: price, low: price, close: price, vwap: null }
      return { instrumentId: id, startAt: at, volume: `${index}`, ...prices }
    }),
  )
  const file = join(tmpdir(), `kantor-bench-candles-${process.pid}.txt`)
  const line = (one: CandleDraft) =>
    `${one.startAt.toISOString()}\t${one.instrumentId}\t1\t1\t${one.open}\t${one.high}\t${one.low}\t${one.close}\t${one.volume}\n`
  await writeFile(file, drafts.map(line).join(''))
  await chmod(file, 0o644)
  await owner.query('create table public.copied (like market_data.candles including all)')
  const copied: number[] = []
  const stored: number[] = []
  // In turns, so that what else the machine does falls on both.
  for (let round = 0; round < BACKFILL_ROUNDS; round += 1) {
    await owner.query('truncate public.copied')
    copied.push(await timed(() => owner.query(`copy public.copied from '${file}'`)))
    await owner.query('delete from market_data.candles where span = 1')
    await owner.query('vacuum market_data.candles')
    stored.push(await timed(() => storeCandles(owner, 1, 'minute', drafts)))
  }
  await owner.query('drop table public.copied')
  await rm(file)
  const [copiedMs, storedMs] = [median(copied), median(stored)]
  const perSecond = (ms: number) => `${whole((CANDLES / ms) * 1000)}/s`
  return [
    ['600,000 candles by COPY alone', `${perSecond(copiedMs)}`, ''],
    ['600,000 candles backfilled, sanity and upsert', `${perSecond(storedMs)}`, ''],
    ['backfill over COPY', fixed(copiedMs / storedMs, 2), '≥ 0.5'],
  ]
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}

type Market = Awaited<ReturnType<typeof fakeMarket>>

/** The real server over HTTP, first with nothing to ingest, then while it takes in day after day without a pause. */
async function measureServer(
  owner: Database,
  databaseUrl: string,
  market: Market,
  seconds: number,
): Promise<Row[]> {
  const environment = { STOCKS_PROVIDER: 'polygon', POLYGON_API_KEY: 'bench', POLYGON_URL: market.url }
  const server = await startServer(databaseUrl, environment)
  try {
    const [customer] = await seedCustomers(owner, 1)
    const wallet = `GET /api/v1/wallet HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${customer?.key}\r\n\r\n`
    await sleep(3_000)
    await owner.query(`update market_data.stock_feeds set next_at = now() + interval '1 day'`)
    await paced(server, wallet, 3)
    const idle = await paced(server, wallet, seconds)
    await beginIngesting(owner, market)
    const before = market.asked()
    const beside = await paced(server, wallet, seconds)
    const days = market.asked() - before
    const id = (await owner.query<{ id: number }>('select min(id) as id from market_data.instruments'))
      .rows[0]?.id
    const page = await paced(
      server,
      `GET /api/v1/instruments/${id}/candles?span=day&from=2024-01-01T00:00:00Z HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`,
      5,
    )
    return [
      ['GET /wallet, idle: p50, p99', `${fixed(idle.p50, 1)}, ${fixed(idle.p99, 1)} ms`, ''],
      [
        `the same beside ${fixed(days / seconds, 1)} days ingested a second`,
        `${fixed(beside.p50, 1)}, ${fixed(beside.p99, 1)} ms`,
        '',
      ],
      ['p99 beside over idle', fixed(beside.p99 / idle.p99, 2), '≤ 1.5'],
      ['GET …/candles, two years of days: p50, p95', `${fixed(page.p50, 1)}, ${fixed(page.p95, 1)} ms`, ''],
    ]
  } finally {
    await server.stop()
  }
}

/** The jobs look every minute what is due. */
async function beginIngesting(owner: Database, market: Market): Promise<void> {
  await owner.query(`update market_data.stock_feeds set next_at = now() where feed in ('days', 'past')`)
  const before = market.asked()
  for (let waited = 0; market.asked() < before + 2; waited += 1) {
    if (waited > 700) throw new Error('the server did not begin to ingest')
    await sleep(100)
  }
}

const PER_SECOND = 50

/** A steady 50 requests a second: a load that waits for its answers would only measure how fast the machine is. */
async function paced(
  server: BenchServer,
  request: string,
  seconds: number,
): Promise<{ p50: number; p95: number; p99: number }> {
  const took: number[] = []
  for (let sent = 0; sent < seconds * PER_SECOND; sent += 1) {
    const startedMs = performance.now()
    let asked = false
    const next = () => {
      if (asked) return null
      asked = true
      return request
    }
    const result = await runLoad({ port: server.port, connections: 1, seconds: 10, next })
    if (result.firstFailure !== null) throw new Error(result.firstFailure)
    took.push(result.p50Ms)
    await sleep(Math.max(0, 1000 / PER_SECOND - (performance.now() - startedMs)))
  }
  const sorted = took.toSorted((left, right) => left - right)
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
