import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { benchPostgres, openOwner, startServer } from './bench-server.ts'
import type { BenchPostgres, BenchServer } from './bench-server.ts'
import { fundCustomers, postOf } from './fund-customers.ts'
import { runLoad } from './http-load.ts'
import { seedCustomers } from './seed-customers.ts'
import type { BenchCustomer } from './seed-customers.ts'
import { createStreamClients } from './stream-clients.ts'
import type { StreamClients } from './stream-clients.ts'
import { fixed, markdownTable, whole } from './table.ts'

const SENDERS = 16
const SCREEN = '?pairs=EUR/PLN,EUR/USD,USD/PLN'
const SETTLE_MS = 5_000
const DELIVERY_PATIENCE_MS = 30_000
/** Of /proc: the kernel counts processor time in hundredths of a second. */
const TICKS_PER_SECOND = 100

interface Options {
  readonly clients: readonly number[]
  readonly rates: readonly number[]
  readonly seconds: number
}

interface Held {
  readonly clients: number
  readonly openSeconds: number
  readonly bytesPerClient: number
  readonly idlePercent: number
  readonly runs: readonly Delivered[]
}

interface Delivered {
  readonly perSecond: number
  /** Sorted. */
  readonly delays: readonly number[]
}

interface Usage {
  readonly residentBytes: number
  readonly cpuSeconds: number
}

async function usageOf({ process: { pid } }: BenchServer): Promise<Usage> {
  const [status, stat] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ])
  // Behind the name in brackets, which may hold anything, the 12th and 13th fields are user and system time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    residentBytes: Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024,
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
  }
}

/** Transfers among those who listen, so many a second; each is told to both sides. */
async function deliver(
  port: number,
  customers: readonly BenchCustomer[],
  streams: StreamClients,
  perSecond: number,
  seconds: number,
): Promise<Delivered> {
  streams.delays.length = 0
  const startedMs = performance.now()
  let asked = 0
  const next = async () => {
    const due = startedMs + (asked * 1000) / perSecond
    asked += 1
    await sleep(Math.max(0, due - performance.now()))
    const from = Math.floor(Math.random() * customers.length)
    const to = (from + 1 + Math.floor(Math.random() * (customers.length - 1))) % customers.length
    const body = `{"to":"@${customers[to]?.handle}","asset":"EUR","amount":"0.01"}`
    return postOf('/transfers', customers[from]?.key ?? '', body)
  }
  const result = await runLoad({ port, connections: SENDERS, seconds, next })
  if (result.firstFailure !== null) throw new Error(`refused: ${result.firstFailure}`)
  const wanted = result.answered * 2
  const until = Date.now() + DELIVERY_PATIENCE_MS
  while (streams.delays.length < wanted && Date.now() < until) await sleep(50)
  if (streams.delays.length !== wanted || streams.lost > 0) {
    throw new Error(
      `${wanted} frames were due, ${streams.delays.length} came; ${streams.lost} streams were lost`,
    )
  }
  return { perSecond: result.perSecond, delays: streams.delays.toSorted((a, b) => a - b) }
}

async function fundedCustomers(url: string, count: number): Promise<BenchCustomer[]> {
  const server = await startServer(url, { WELCOME_GRANT: 'EUR:10000' })
  const owner = openOwner(url)
  try {
    const customers = await seedCustomers(owner, count)
    await fundCustomers(server.port, customers, { asset: 'EUR', amount: '1000.00' })
    return customers
  } finally {
    await owner.close()
    await server.stop()
  }
}

/** On a server of its own, whose first half of the clients has warmed it up when the memory of the other is counted. */
async function hold(
  url: string,
  all: readonly BenchCustomer[],
  clients: number,
  { rates, seconds }: Options,
): Promise<Held> {
  const customers = all.slice(0, clients)
  const keys = customers.map(({ key }) => key)
  const half = Math.floor(clients / 2)
  const server = await startServer(url)
  const streams = createStreamClients(server.port, SCREEN)
  try {
    const began = performance.now()
    await streams.open(keys.slice(0, half))
    const openSeconds = ((performance.now() - began) / 1000) * 2
    await sleep(SETTLE_MS)
    const before = await usageOf(server)
    await streams.open(keys.slice(half))
    await sleep(SETTLE_MS)
    const held = await usageOf(server)
    await sleep(seconds * 1000)
    const idle = await usageOf(server)
    const runs: Delivered[] = []
    for (const rate of rates) {
      runs.push(await deliver(server.port, customers, streams, rate, seconds))
      console.error(`${clients} clients, ${rate} transfers/s: p99 ${whole(quantile(runs.at(-1), 0.99))} ms`)
    }
    return {
      clients,
      openSeconds,
      bytesPerClient: (held.residentBytes - before.residentBytes) / (clients - half),
      idlePercent: ((idle.cpuSeconds - held.cpuSeconds) / seconds) * 100,
      runs,
    }
  } finally {
    streams.close()
    await server.stop()
  }
}

function quantile(run: Delivered | undefined, share: number): number {
  const delays = run?.delays ?? []
  return delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? Number.NaN
}

function report(held: readonly Held[], postgres: BenchPostgres, { seconds }: Options): string {
  const holding = held.map(({ clients, openSeconds, bytesPerClient, idlePercent }) => [
    whole(clients),
    fixed(openSeconds, 1),
    fixed(bytesPerClient / 1024, 1),
    fixed(idlePercent, 1),
  ])
  const delivering = held.flatMap(({ clients, runs }) =>
    runs.map((run) => [
      whole(clients),
      whole(run.perSecond),
      whole(run.delays.length),
      ...[0.5, 0.95, 0.99, 1].map((share) => whole(quantile(run, share))),
    ]),
  )
  return `# The live stream

\`npm run bench -- stream\`: ${cpus().length} cores shared by server, PostgreSQL, the senders and all clients (one process); PostgreSQL ${postgres.version}. Each client is a customer with an API key who follows the wallet and three rates. ${seconds} s each.

Clients held by one server process, nothing happening (rates, heartbeats and who may listen are still looked at):

${markdownTable(['clients', 'opened in s', 'server KiB per client', 'server CPU % of a core'], holding)}

From the moment the ledger recorded a transfer to its frame at the client (both sides listen; every frame came, no stream was lost):

${markdownTable(['clients', 'transfers/s', 'frames', 'p50 ms', 'p95 ms', 'p99 ms', 'longest ms'], delivering)}
`
}

const numbers = (text: string) => text.split(',').map(Number)

/** Options: `--clients 1000,5000 --rates 50,200 --seconds 10`. Set DATABASE_URL to measure on a server of your own. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      clients: { type: 'string', default: '1000,5000' },
      rates: { type: 'string', default: '50,200' },
      seconds: { type: 'string', default: '10' },
    },
  })
  const options: Options = {
    clients: numbers(values.clients),
    rates: numbers(values.rates),
    seconds: Number(values.seconds),
  }
  const postgres = await benchPostgres()
  try {
    const url = await postgres.create('kantor_bench_stream')
    const customers = await fundedCustomers(url, Math.max(...options.clients))
    const held: Held[] = []
    for (const clients of options.clients) held.push(await hold(url, customers, clients, options))
    const text = report(held, postgres, options)
    await writeFile(join(import.meta.dirname, 'results/stream.md'), text)
    console.log(text)
  } finally {
    await postgres.stop()
  }
}
