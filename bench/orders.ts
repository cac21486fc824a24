import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Database } from '../server/src/db/index.ts'
import { benchPostgres, openOwner, startServer } from './bench-server.ts'
import { fundCustomers, postOf } from './fund-customers.ts'
import { runLoad } from './http-load.ts'
import type { LoadResult } from './http-load.ts'
import { seedCustomers } from './seed-customers.ts'
import type { BenchCustomer } from './seed-customers.ts'
import { fixed, markdownTable, median, whole } from './table.ts'

const CUSTOMERS = 2_000
const CONNECTIONS = 128
const PRICE_EVERY_MS = 250
const FILL_PATIENCE_MS = 120_000
const INSTRUMENT_PATIENCE_MS = 120_000
const SETTLE_PATIENCE_MS = 300_000

interface Listed {
  readonly id: number
  readonly ticker: string
  readonly source: number
  readonly last: string
}

/** Waits until the simulated market has given a price of something. */
async function waitForPrice(owner: Database): Promise<Listed> {
  const end = Date.now() + INSTRUMENT_PATIENCE_MS
  for (;;) {
    const { rows } = await owner.query<Listed>(
      `select instruments.id, ticker, source, last::text as last from market_data.price_observations
       join market_data.instruments on instruments.id = instrument_id
       where status = 'active' order by seq desc limit 1`,
    )
    if (rows[0] !== undefined) return rows[0]
    if (Date.now() > end) throw new Error('no instrument had a price in time')
    await sleep(500)
  }
}

/**
 * Waits until everybody was told of all journals so far, and the simulated market has drawn its charts: else a phase
 * would do the work that the one before it has left over, orders that of a faster phase of transfers.
 */
async function settle(owner: Database): Promise<void> {
  const end = Date.now() + SETTLE_PATIENCE_MS
  for (;;) {
    const { rows } = await owner.query<{ settled: boolean }>(
      `select (select height from ledger.chain_head) <= (select min(seq >> 12) from events.cursors where name <> 'relay')
         and not exists (select from market_data.candle_wishes where fetched_at is null) as settled`,
    )
    if (rows[0]?.settled === true) return
    if (Date.now() > end) throw new Error('the server did not come to rest in time')
    await sleep(200)
  }
}

/** A price that does not move, again and again, so that what was ordered meanwhile is filled. */
function keepPricing(owner: Database, { id, source, last }: Listed): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const loop = async () => {
    while (!stopping.signal.aborted) {
      await owner.query(
        `insert into market_data.price_observations (as_of, fetched_at, instrument_id, source, timeliness, last)
         values (clock_timestamp(), clock_timestamp(), $1, $2, 1, $3)`,
        [id, source, last],
      )
      await sleep(PRICE_EVERY_MS)
    }
  }
  const running = loop()
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

async function countOrders(owner: Database): Promise<{ open: number; filled: number }> {
  const { rows } = await owner.query<{ open: number; filled: number }>(
    `select count(*) filter (where done_at is null)::int as open,
       count(*) filter (where status = 'filled')::int as filled from trading.orders`,
  )
  return rows[0] ?? { open: 0, filled: 0 }
}

interface Measured {
  readonly transfers: LoadResult[]
  readonly accepted: LoadResult[]
  /** From the first order asked for until the last is filled. */
  readonly filledPerSecond: number[]
}

async function measureOrders(
  port: number,
  owner: Database,
  customers: readonly BenchCustomer[],
  listed: Listed,
  seconds: number,
): Promise<{ accepted: LoadResult; filledPerSecond: number }> {
  const before = await countOrders(owner)
  const pricing = keepPricing(owner, listed)
  const startedAt = performance.now()
  const body = `{"instrument":"${listed.ticker}","side":"buy","type":"market","quantity":"0.01","timeInForce":"gtc"}`
  const accepted = await runLoad({
    port,
    connections: CONNECTIONS,
    seconds,
    next: () => postOf('/orders', customers[Math.floor(Math.random() * customers.length)]?.key ?? '', body),
  })
  const end = Date.now() + FILL_PATIENCE_MS
  let now = await countOrders(owner)
  while (now.open > 0) {
    if (Date.now() > end) throw new Error(`${now.open} orders were not filled in time`)
    await sleep(100)
    now = await countOrders(owner)
  }
  const elapsed = (performance.now() - startedAt) / 1_000
  await pricing.stop()
  return { accepted, filledPerSecond: (now.filled - before.filled) / elapsed }
}

function measureTransfers(
  port: number,
  customers: readonly BenchCustomer[],
  seconds: number,
): Promise<LoadResult> {
  return runLoad({
    port,
    connections: CONNECTIONS,
    seconds,
    next: () => {
      const payer = Math.floor(Math.random() * customers.length)
      const payee = customers[(payer + 1) % customers.length]
      const body = `{"to":"@${payee?.handle}","asset":"USD","amount":"0.01"}`
      return postOf('/transfers', customers[payer]?.key ?? '', body)
    },
  })
}

function report(
  measured: Measured,
  version: string,
  { seconds, rounds }: { seconds: number; rounds: number },
): string {
  const latencies = (results: readonly LoadResult[]) => [
    fixed(median(results.map(({ p50Ms }) => p50Ms)), 1),
    fixed(median(results.map(({ p99Ms }) => p99Ms)), 1),
  ]
  const transfers = median(measured.transfers.map(({ perSecond }) => perSecond))
  const accepted = median(measured.accepted.map(({ perSecond }) => perSecond))
  const filled = median(measured.filledPerSecond)
  const row = (name: string, perSecond: number, rest: string[]) => [
    name,
    whole(perSecond),
    fixed(perSecond / transfers, 2),
    ...rest,
  ]
  return `# Orders over HTTP, beside plain transfers

\`npm run bench -- orders\`: ${rounds} rounds of ${seconds} s, interleaved, medians; ${CONNECTIONS} connections; ${cpus().length} cores shared by server, engine, PostgreSQL and load client; PostgreSQL ${version}, \`synchronous_commit=on\`. Each order is a purchase at the market with an idempotency key: two journals (reserve, trade with what is released) where a transfer is one. A price comes every ${PRICE_EVERY_MS} ms. Each phase begins when the server has come to rest. *Filled* counts from the first order until the last one is filled.

${markdownTable(
  ['what', 'per second', 'over transfers', 'p50 ms', 'p99 ms'],
  [
    row('transfers', transfers, latencies(measured.transfers)),
    row('orders accepted', accepted, latencies(measured.accepted)),
    row('orders accepted and filled', filled, ['', '']),
    row('their journals', filled * 2, ['', '']),
  ],
)}
`
}

/** Options: `--seconds 15 --rounds 3`; the last orders wait for a price, which weighs on a short round. Set DATABASE_URL to measure on a server of your own. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '15' }, rounds: { type: 'string', default: '3' } },
  })
  const options = { seconds: Number(values.seconds), rounds: Number(values.rounds) }
  const postgres = await benchPostgres()
  try {
    const url = await postgres.create('kantor_bench_orders')
    const server = await startServer(url, { WELCOME_GRANT: 'USD:10000' })
    const owner = openOwner(url)
    try {
      const customers = await seedCustomers(owner, CUSTOMERS)
      await fundCustomers(server.port, customers, { asset: 'USD', amount: '1000000.00' })
      const listed = await waitForPrice(owner)
      const measured: Measured = { transfers: [], accepted: [], filledPerSecond: [] }
      for (let round = 1; round <= options.rounds; round += 1) {
        await settle(owner)
        measured.transfers.push(await measureTransfers(server.port, customers, options.seconds))
        await settle(owner)
        const orders = await measureOrders(server.port, owner, customers, listed, options.seconds)
        if (orders.accepted.firstFailure !== null) throw new Error(`refused: ${orders.accepted.firstFailure}`)
        measured.accepted.push(orders.accepted)
        measured.filledPerSecond.push(orders.filledPerSecond)
        console.error(
          `round ${round}: ${whole(orders.accepted.perSecond)}/s accepted, ${whole(orders.filledPerSecond)}/s filled, ${whole(measured.transfers.at(-1)?.perSecond ?? 0)} transfers/s`,
        )
      }
      const text = report(measured, postgres.version, options)
      await mkdir(join(import.meta.dirname, 'results'), { recursive: true })
      await writeFile(join(import.meta.dirname, 'results/orders.md'), text)
      console.log(text)
    } finally {
      await owner.close()
      await server.stop()
    }
  } finally {
    await postgres.stop()
  }
}
