import { spawn } from 'node:child_process'
import { chmod, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { migrate } from '../server/src/db/index.ts'
import type { Database } from '../server/src/db/index.ts'
import { ingestDay } from '../server/src/market-data/ingest-days.ts'
import { createMarketHours } from '../server/src/market-data/market-hours.ts'
import { planInstruments } from '../server/src/market-data/plan-instruments.ts'
import { polygonProvider } from '../server/src/market-data/providers/polygon.ts'
import { ensureSource } from '../server/src/market-data/stock-source.ts'
import { storeCandles } from '../server/src/market-data/store-candles.ts'
import type { CandleDraft } from '../server/src/market-data/judge-candle.ts'
import { storeInstruments } from '../server/src/market-data/store-instruments.ts'
import { benchPostgres, openOwner, startServer } from './bench-server.ts'
import type { BenchServer } from './bench-server.ts'
import { tickerOf, TICKERS } from './fake-market.ts'
import { runLoad } from './http-load.ts'
import { seedCustomers } from './seed-customers.ts'
import { fixed, markdownTable, median, whole } from './table.ts'

const CANDLES = 600_000
const BACKFILL_ROUNDS = 3
const silent = { info() {}, warn() {} }
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
  const market = await startMarket()
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
    market.stop()
    await postgres.stop()
  }
}

interface Market {
  readonly url: string
  /** Days of the whole market that were asked for so far. */
  asked(): Promise<number>
  stop(): void
}

async function startMarket(): Promise<Market> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'fake-market.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const port of createInterface({ input: child.stdout })) {
    const url = `http://127.0.0.1:${port}`
    return {
      url,
      asked: async () => Number(await (await fetch(`${url}/asked`)).text()),
      stop: () => child.kill('SIGKILL'),
    }
  }
  throw new Error('the market did not open')
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
  const turns = cpuOfTurns()
  for (let round = 0; round <= rounds; round += 1) {
    const before = process.cpuUsage()
    const startedMs = performance.now()
    if (round === 1) {
      delay.enable()
      turns.start()
    }
    const taken = await ingestDay(deps, source, dayOf(round), { isNewest: false, signal })
    if (taken?.stored !== TICKERS) throw new Error(`stored ${taken?.stored}`)
    // The first warms the compiler up and builds the plans.
    if (round > 0) took.push(performance.now() - startedMs)
    const { user, system } = process.cpuUsage(before)
    if (round > 0) cpu.push((user + system) / 1000)
  }
  return [
    ['a day of 12,000 rows, request to commit', `${whole(median(took))} ms`, '< 1,000 ms'],
    ['CPU of the process', `${whole(median(cpu))} ms`, ''],
    [
      'delay of its event loop: p99, longest',
      `${fixed(delay.percentile(99) / 1e6, 1)}, ${fixed(delay.max / 1e6, 1)} ms`,
      '',
    ],
    ['longest work in one turn, by CPU', `${fixed(turns.longestMs(), 1)} ms`, '≤ 20 ms'],
  ]
}

/** Unlike the delay of the event loop, what else the machine does is not in it. */
function cpuOfTurns() {
  const spentMs = () => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
  let longestMs = 0
  let before = 0
  let timer: NodeJS.Timeout | null = null
  return {
    start: () => {
      before = spentMs()
      timer = setInterval(() => {
        longestMs = Math.max(longestMs, spentMs() - before)
        before = spentMs()
      }).unref()
    },
    longestMs: () => {
      if (timer !== null) clearInterval(timer)
      return longestMs
    },
  }
}

async function measureBackfill(owner: Database): Promise<Row[]> {
  const { rows: ids } = await owner.query<{ id: number }>(
    'select id from market_data.instruments order by id limit 40',
  )
  const perInstrument = CANDLES / ids.length
  const startMs = Date.UTC(2024, 0, 1)
  // A past comes instrument by instrument, and is made so here: 600,000 rows at once would measure their collection.
  const draftsOf = (id: number) =>
    Array.from({ length: perInstrument }, (_, index): CandleDraft => {
      const price = fixed(100 + (index % 5000) / 100, 2)
      const at = new Date(startMs + index * 60_000)
      const prices = { open: price, high: price, low: price, close: price, vwap: null }
      return { instrumentId: id, startAt: at, volume: `${index}`, ...prices }
    })
  const file = join(tmpdir(), `kantor-bench-candles-${process.pid}.txt`)
  const line = (one: CandleDraft) =>
    `${one.startAt.toISOString()}\t${one.instrumentId}\t1\t1\t${one.open}\t${one.high}\t${one.low}\t${one.close}\t${one.volume}\n`
  await writeFile(file, ids.flatMap(({ id }) => draftsOf(id).map(line)).join(''))
  await chmod(file, 0o644)
  await owner.query('create table public.copied (like market_data.candles including all)')
  const copied: number[] = []
  const stored: number[] = []
  // In turns, so that what else the machine does falls on both, and each into an empty table: deleted rows leave
  // ranges that are summarised, which each row then has to look at.
  for (let round = 0; round < BACKFILL_ROUNDS; round += 1) {
    await owner.query('truncate public.copied')
    copied.push(await timed(() => owner.query(`copy public.copied from '${file}'`)))
    await owner.query('truncate market_data.candles')
    let storedMs = 0
    for (const { id } of ids) {
      const drafts = draftsOf(id)
      storedMs += await timed(() => storeCandles(owner, 1, 'minute', drafts))
    }
    stored.push(storedMs)
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

/** The real server over HTTP, first with nothing to ingest, then while day after day is taken in without a pause. */
async function measureServer(
  owner: Database,
  databaseUrl: string,
  market: Market,
  seconds: number,
): Promise<Row[]> {
  const [customer] = await seedCustomers(owner, 1)
  const wallet = `GET /api/v1/wallet HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${customer?.key}\r\n\r\n`
  const start = (role: string) =>
    startServer(databaseUrl, {
      ROLE: role,
      STOCKS_PROVIDER: 'polygon',
      POLYGON_API_KEY: 'bench',
      POLYGON_URL: market.url,
      // Nobody is there, and nobody is waited for.
      POLYGON_WS_URL: market.url.replace('http', 'ws'),
    })
  const rows: Row[] = []
  for (const { roles, what } of TOPOLOGIES) {
    const servers: BenchServer[] = []
    for (const role of roles) servers.push(await start(role))
    const [server] = servers
    if (server === undefined) throw new Error('no server')
    try {
      rows.push(...(await besideIngestion({ owner, market, server, wallet, seconds, what })))
      if (server === servers.at(-1)) rows.push(await candlesPage(owner, server))
    } finally {
      for (const one of servers) await one.stop()
    }
  }
  return rows
}

/** The first of each is asked. */
const TOPOLOGIES = [
  { what: 'one process', roles: ['all'] },
  { what: 'api beside a worker', roles: ['api', 'worker'] },
] as const

interface Beside {
  readonly owner: Database
  readonly market: Market
  readonly server: BenchServer
  readonly wallet: string
  readonly seconds: number
  readonly what: string
}

async function besideIngestion({ owner, market, server, wallet, seconds, what }: Beside): Promise<Row[]> {
  await sleep(3_000)
  await owner.query(`update market_data.stock_feeds set next_at = now() + interval '1 day'`)
  await paced(server, wallet, 3)
  const idle = await paced(server, wallet, seconds)
  await beginIngesting(owner, market)
  const before = await market.asked()
  const beside = await paced(server, wallet, seconds)
  const days = (await market.asked()) - before
  const figures = (one: typeof idle) => `${fixed(one.p50, 1)}, ${fixed(one.p99, 1)} ms`
  return [
    [`GET /wallet, ${what}, idle: p50, p99`, figures(idle), ''],
    [`the same beside ${fixed(days / seconds, 1)} days ingested a second`, figures(beside), ''],
    ['p99 beside over idle', fixed(beside.p99 / idle.p99, 2), '≤ 1.5'],
  ]
}

async function candlesPage(owner: Database, server: BenchServer): Promise<Row> {
  const { rows } = await owner.query<{ id: number }>('select min(id) as id from market_data.instruments')
  const path = `/api/v1/instruments/${rows[0]?.id}/candles?span=day&from=2024-01-01T00:00:00Z`
  const page = await paced(server, `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`, 5)
  const figures = `${fixed(page.p50, 1)}, ${fixed(page.p95, 1)} ms`
  return ['GET …/candles, two years of days: p50, p95', figures, '']
}

/** The jobs look every minute what is due. */
async function beginIngesting(owner: Database, market: Market): Promise<void> {
  await owner.query(`update market_data.stock_feeds set next_at = now() where feed in ('days', 'past')`)
  const before = await market.asked()
  for (let waited = 0; (await market.asked()) < before + 2; waited += 1) {
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
