import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import type { Database } from '../server/src/db/index.ts'
import { benchPostgres, openOwner, startServer } from './bench-server.ts'
import type { BenchPostgres } from './bench-server.ts'
import { fundCustomers, postOf } from './fund-customers.ts'
import { runLoad } from './http-load.ts'
import type { LoadResult } from './http-load.ts'
import { seedCustomers } from './seed-customers.ts'
import type { BenchCustomer } from './seed-customers.ts'
import { fixed, markdownTable, median, whole } from './table.ts'

const CUSTOMERS = 10_000
const CONNECTIONS = [1, 8, 32, 128]
const SHAPES = ['uniform', 'zipf', 'hot'] as const
type Shape = (typeof SHAPES)[number]
const PGBENCH_SCALE = 10
const PGBENCH_CLIENTS = [8, 32]
const WARM_UP_SECONDS = 3

interface Options {
  readonly seconds: number
  readonly rounds: number
}

/** Cumulative shares of a Zipf distribution with exponent 1: the first of n gets about 1 / ln n of everything. */
function zipfShares(count: number): Float64Array {
  const shares = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank += 1) shares[rank] = sum += 1 / (rank + 1)
  return shares.map((share) => share / sum)
}

function pickBy(shares: Float64Array): number {
  const wanted = Math.random()
  let [low, high] = [0, shares.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((shares[middle] ?? 1) < wanted) low = middle + 1
    else high = middle
  }
  return low
}

/** Payer and payee of the next transfer: all alike, few often and many seldom, or everybody to one. */
function pairsOf(shape: Shape, count: number): () => [number, number] {
  const shares = zipfShares(count)
  const uniform = () => Math.floor(Math.random() * count)
  const pick = shape === 'zipf' ? () => pickBy(shares) : uniform
  return () => {
    const payer = pick()
    const payee = shape === 'hot' ? 0 : pick()
    return payer === payee ? [payer, (payee + 1) % count] : [payer, payee]
  }
}

function transfersOf(customers: readonly BenchCustomer[], shape: Shape): () => string {
  const next = pairsOf(shape, customers.length)
  return () => {
    const [payer, payee] = next()
    const body = `{"to":"@${customers[payee]?.handle}","asset":"EUR","amount":"0.01"}`
    return postOf('/transfers', customers[payer]?.key ?? '', body)
  }
}

const execute = promisify(execFile)

async function hasPgbench(): Promise<boolean> {
  return execute('pgbench', ['--version']).then(
    () => true,
    () => false,
  )
}

async function pgbench(url: string, clients: number, seconds: number): Promise<number> {
  const { stdout } = await execute('pgbench', [
    '-n',
    '-M',
    'prepared',
    '-c',
    String(clients),
    '-j',
    '2',
    '-T',
    String(seconds),
    url,
  ])
  return Number(/tps = ([\d.]+)/.exec(stdout)?.[1])
}

/** Of what a transfer writes to; market data comes in meanwhile, whatever is transferred. */
interface Footprint {
  readonly wal: bigint
  readonly disk: bigint
  readonly journals: bigint
}

async function footprint(owner: Database): Promise<Footprint> {
  const { rows } = await owner.query<Footprint>(
    `select (pg_current_wal_lsn() - '0/0')::bigint as wal,
       (select sum(pg_total_relation_size(c.oid))::bigint from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname in ('ledger', 'identity', 'wallets', 'history')) as disk,
       (select count(*) from ledger.journals) as journals`,
  )
  if (rows[0] === undefined) throw new Error('the database has no size')
  return rows[0]
}

interface Measured {
  readonly tpcB: Map<number, number[]>
  readonly runs: Map<string, LoadResult[]>
  walBytes: number
  diskBytes: number
}

/** Everything once per round, so that what else the machine does falls on all alike. */
async function measure(
  port: number,
  owner: Database,
  customers: BenchCustomer[],
  tpcBUrl: string | null,
  options: Options,
): Promise<Measured> {
  const measured: Measured = { tpcB: new Map(), runs: new Map(), walBytes: 0, diskBytes: 0 }
  await runLoad({ port, connections: 128, seconds: WARM_UP_SECONDS, next: transfersOf(customers, 'uniform') })
  for (let round = 1; round <= options.rounds; round += 1) {
    if (tpcBUrl !== null) {
      for (const clients of PGBENCH_CLIENTS)
        append(measured.tpcB, clients, await pgbench(tpcBUrl, clients, options.seconds))
    }
    for (const shape of SHAPES) {
      for (const connections of CONNECTIONS) {
        const before = await footprint(owner)
        const result = await runLoad({
          port,
          connections,
          seconds: options.seconds,
          next: transfersOf(customers, shape),
        })
        if (result.firstFailure !== null) throw new Error(`refused: ${result.firstFailure}`)
        append(measured.runs, `${shape} ${connections}`, result)
        if (shape === 'uniform' && connections === 128)
          noteFootprint(measured, before, await footprint(owner))
        console.error(`round ${round}: ${shape}, ${connections} connections: ${whole(result.perSecond)}/s`)
      }
    }
  }
  return measured
}

function append<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  lists.set(key, [...(lists.get(key) ?? []), value])
}

function noteFootprint(measured: Measured, before: Footprint, after: Footprint): void {
  const journals = Number(after.journals - before.journals)
  measured.walBytes = Number(after.wal - before.wal) / journals
  measured.diskBytes = Number(after.disk - before.disk) / journals
}

function report(measured: Measured, postgres: BenchPostgres, options: Options): string {
  const tpcB = [...measured.tpcB].map(([clients, values]) => [clients, median(values)] as const)
  const best = Math.max(...tpcB.map(([, value]) => value))
  const ratio = (perSecond: number) => (tpcB.length === 0 ? 'no pgbench' : fixed(perSecond / best, 2))
  const rows = [...measured.runs].map(([name, results]) => {
    const perSecond = median(results.map((result) => result.perSecond))
    const [shape = '', connections = ''] = name.split(' ')
    const latency = (of: (result: LoadResult) => number) => fixed(median(results.map(of)), 1)
    return [
      shape,
      connections,
      whole(perSecond),
      ratio(perSecond),
      latency((r) => r.p50Ms),
      latency((r) => r.p95Ms),
      latency((r) => r.p99Ms),
    ]
  })
  const of = (name: string) => median((measured.runs.get(name) ?? []).map((result) => result.perSecond))
  return `# Transfers over HTTP, beside TPC-B

\`npm run bench -- transfers\`: ${options.rounds} rounds of ${options.seconds} s, interleaved, medians; ${cpus().length} cores shared by server, PostgreSQL and load client; PostgreSQL ${postgres.version}, \`synchronous_commit=on\`; ${whole(CUSTOMERS)} customers; API key, idempotency key and sealed block with each; every one acknowledged after commit.

${tpcB.map(([clients, value]) => `- pgbench TPC-B, \`-M prepared -s ${PGBENCH_SCALE} -c ${clients} -j 2\`: ${whole(value)}/s`).join('\n')}
- hot account over uniform at 128 connections: ${fixed(of('hot 128') / of('uniform 128'), 2)}
- per transfer: ${whole(measured.diskBytes)} bytes of table and index of the ledger and the people, ${whole(measured.walBytes)} bytes of WAL

${markdownTable(['shape', 'connections', 'transfers/s', 'over TPC-B', 'p50 ms', 'p95 ms', 'p99 ms'], rows)}
`
}

/** Options: `--seconds 5 --rounds 3`. Set DATABASE_URL to measure on a server of your own. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' } },
  })
  const options = { seconds: Number(values.seconds), rounds: Number(values.rounds) }
  const postgres = await benchPostgres()
  try {
    const url = await postgres.create('kantor_bench')
    const server = await startServer(url, { WELCOME_GRANT: 'EUR:10000' })
    const owner = openOwner(url)
    try {
      const tpcBUrl = (await hasPgbench()) ? await postgres.create('kantor_bench_tpcb') : null
      if (tpcBUrl !== null) await execute('pgbench', ['-i', '-q', '-s', String(PGBENCH_SCALE), tpcBUrl])
      const customers = await seedCustomers(owner, CUSTOMERS)
      await fundCustomers(server.port, customers, { asset: 'EUR', amount: '10000.00' })
      const text = report(await measure(server.port, owner, customers, tpcBUrl, options), postgres, options)
      await writeFile(join(import.meta.dirname, 'results/transfers.md'), text)
      console.log(text)
    } finally {
      await owner.close()
      await server.stop()
    }
  } finally {
    await postgres.stop()
  }
}
