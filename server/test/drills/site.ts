import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, startEmbedded, type Database } from '#db'
import { runProgram } from './program.ts'

/** Where a fleet of processes runs: a database of its own, and a folder for what they say. */
export interface Site {
  readonly databaseUrl: string
  readonly databaseName: string
  /** The database as its owner, for the judges. */
  readonly owner: Database
  readonly directory: string
  /** What every process of the fleet is started with, but for ROLE and PORT. */
  readonly environment: Readonly<Record<string, string>>
  /** Of everything that the fleet keeps on the broker. */
  readonly brokerPrefix: string
  /** Has the queues of these consumers removed at the end. */
  noteConsumers(names: readonly string[]): void
  /** Migrates, as a release does once. */
  migrate(): Promise<void>
  /** Leaves nothing behind; `keepLogs` leaves the folder. */
  close(options?: { keepLogs: boolean }): Promise<void>
}

export interface SiteOptions {
  /** A server on which databases can be created; null starts the embedded one in the site's folder. */
  readonly serverUrl: string | null
  /** Null: no broker. */
  readonly amqpUrl: string | null
  readonly environment?: Readonly<Record<string, string>>
}

const SWEEPER = join(import.meta.dirname, 'sweep.ts')

export async function openSite(options: SiteOptions): Promise<Site> {
  const directory = await mkdtemp(join(tmpdir(), 'kantor-drill-'))
  const sweeper = startSweeper()
  const embedded =
    options.serverUrl === null
      ? await startEmbedded({ dataDir: join(directory, 'data'), log: { info: () => {}, warn: console.warn } })
      : null
  const serverUrl = options.serverUrl ?? embedded?.url ?? ''
  const databaseName = `kantor_drill_${Date.now()}_${randomBytes(4).toString('hex')}`
  const brokerPrefix = databaseName.replaceAll('_', '.')
  const { amqpUrl } = options
  const toSweep = {
    serverUrl: options.serverUrl,
    databaseName,
    directory,
    amqpUrl,
    brokerPrefix,
    consumers: [],
  }
  sweeper.expect(toSweep)
  const server = openOwner(serverUrl)
  await server.query(`create database ${databaseName} template template0 encoding 'UTF8' strategy wal_log`)
  await server.close()
  const databaseUrl = new URL(serverUrl)
  databaseUrl.pathname = `/${databaseName}`
  const owner = openOwner(databaseUrl.href)
  const environment = {
    DATABASE_URL: databaseUrl.href,
    SECRET_KEY: randomBytes(32).toString('base64url'),
    RATES_PROVIDERS: 'simulated',
    STOCKS_PROVIDER: 'simulated',
    WELCOME_GRANT: 'EUR:10000,USD:5000',
    LOG_LEVEL: 'warn',
    // Who gets no answer signs up again, and an hour's sign-ups of one network would be used up on a slow machine.
    RATE_LIMITS: 'off',
    // Written by the first that ends well, the migration: each of the hundreds of starts takes half the time then.
    NODE_COMPILE_CACHE: join(directory, 'compiled'),
    ...(amqpUrl === null ? {} : { AMQP_URL: amqpUrl, AMQP_PREFIX: brokerPrefix }),
    ...options.environment,
  }
  return {
    databaseUrl: databaseUrl.href,
    databaseName,
    owner,
    directory,
    environment,
    brokerPrefix,
    noteConsumers: (consumers) => sweeper.expect({ ...toSweep, consumers }),
    migrate: () => runProgram([], { ...environment, ROLE: 'migrate' }, directory),
    close: async ({ keepLogs } = { keepLogs: false }) => {
      await owner.close()
      await embedded?.stop()
      await sweeper.sweep(keepLogs)
    },
  }
}

function openOwner(url: string): Database {
  return openDatabase({
    url,
    connectionsMax: 4,
    applicationName: 'drill',
    role: null,
    random: Math.random,
    statementTimeoutMs: 300_000,
  })
}

/** What the sweeper is told, a line of JSON each. */
export interface ToSweep {
  readonly serverUrl: string | null
  readonly databaseName: string
  readonly directory: string
  readonly amqpUrl: string | null
  readonly brokerPrefix: string
  readonly consumers: readonly string[]
}

/**
 * A process of its own that clears up when its input ends. So the same code does it after a good end, Ctrl-C and
 * kill -9; in a group of its own, which a signal to ours does not reach.
 */
function startSweeper() {
  const child = spawn(process.execPath, [SWEEPER], { stdio: ['pipe', 'ignore', 'inherit'], detached: true })
  const ended = once(child, 'exit')
  return {
    expect: (what: ToSweep) => void child.stdin.write(`${JSON.stringify(what)}\n`),
    sweep: async (keepLogs: boolean) => {
      child.stdin.end(keepLogs ? 'keep logs\n' : '')
      await ended
    },
  }
}
