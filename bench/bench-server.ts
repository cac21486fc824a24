import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openDatabase, startEmbedded } from '../server/src/db/index.ts'
import type { Database } from '../server/src/db/index.ts'

/** A PostgreSQL to measure on, with databases of our own that are dropped at the end. */
export interface BenchPostgres {
  /** The server as its owner, for pgbench. */
  readonly adminUrl: string
  readonly version: string
  create(name: string): Promise<string>
  stop(): Promise<void>
}

const silent = { info() {}, warn() {} }

export function openOwner(url: string): Database {
  return openDatabase({
    url,
    connectionsMax: 2,
    applicationName: 'kantor-bench',
    role: null,
    random: Math.random,
    statementTimeoutMs: 600_000,
  })
}

/** The server of `DATABASE_URL`, or an embedded one in a temporary folder. */
export async function benchPostgres(): Promise<BenchPostgres> {
  const given = process.env['DATABASE_URL']
  const directory = given === undefined ? await mkdtemp(join(tmpdir(), 'kantor-bench-')) : null
  const embedded = directory === null ? null : await startEmbedded({ dataDir: directory, log: silent })
  const adminUrl = given ?? embedded?.url ?? ''
  const admin = openOwner(adminUrl)
  const created: string[] = []
  const { rows } = await admin.query<{ version: string }>(
    `select current_setting('server_version') as version`,
  )
  return {
    adminUrl,
    version: `${rows[0]?.version ?? 'unknown'} (${embedded === null ? 'server' : 'embedded'})`,
    create: async (name) => {
      await admin.query(`drop database if exists ${name} with (force)`)
      await admin.query(`create database ${name}`)
      created.push(name)
      const url = new URL(adminUrl)
      url.pathname = `/${name}`
      return url.href
    },
    stop: async () => {
      for (const name of created) await admin.query(`drop database if exists ${name} with (force)`)
      await admin.close()
      await embedded?.stop()
      if (directory !== null) await rm(directory, { recursive: true, force: true })
    },
  }
}

export interface BenchServer {
  readonly port: number
  readonly process: ChildProcess
  stop(): Promise<void>
}

const MAIN = join(import.meta.dirname, '../server/src/main.ts')
const NODE_ARGS = (process.env['BENCH_NODE_ARGS'] ?? '').split(' ').filter((argument) => argument !== '')

/** The real program on a database, on a free port of loopback, with its limits off. */
export async function startServer(
  databaseUrl: string,
  environment: Record<string, string> = {},
): Promise<BenchServer> {
  const child = spawn(process.execPath, [...NODE_ARGS, MAIN], {
    env: {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: databaseUrl,
      SECRET_KEY: randomBytes(32).toString('base64url'),
      PORT: '0',
      RATE_LIMITS: 'off',
      LOG_LEVEL: 'warn',
      RATES_PROVIDERS: 'simulated',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /^http:\/\/127\.0\.0\.1:(\d+)$/.exec(line)?.[1]
    if (port === undefined) continue
    return {
      port: Number(port),
      process: child,
      stop: async () => {
        child.kill('SIGTERM')
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      },
    }
  }
  throw new Error('the server ended before it printed its address')
}
