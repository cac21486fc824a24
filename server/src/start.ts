import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { CURRENCIES } from '@kantor/contract/money'
import { ConfigError } from '#config'
import type { Config } from '#config'
import { checkDurability, checkMigrated, checkRole, migrate, openDatabase, startEmbedded } from '#db'
import { migrateJobs } from '#jobs'
import { declareAssets } from '#ledger'
import { createLog, createMetrics } from '#telemetry'
import type { Log } from '#telemetry'
import { createApp } from './app.ts'
import type { App } from './app.ts'

export interface StartOptions {
  readonly config: Config
  readonly version: string
  readonly webDirectory: string
  readonly clock: () => Date
  /** Between 0 and 1. */
  readonly random: () => number
}

export interface Running {
  readonly log: Log
  /** Where it answers: `http://127.0.0.1:8080`. */
  readonly address: string
  /** Drains, ends jobs and requests, closes connections, stops the embedded server: within `STOP_SECONDS_MAX`. */
  stop(): Promise<void>
}

export interface DatabaseAddress {
  readonly url: string
  stop(): Promise<void>
}

const JOBS_GRACE_SECONDS = 10
const WEBHOOKS_GRACE_SECONDS = 10
const EVENTS_GRACE_SECONDS = 5
/** Less than an orchestrator's patience, which is 30 s unless it is told otherwise. */
export const STOP_SECONDS_MAX = 25

/** The database this configuration names; the embedded one is started for it. */
export async function reachDatabase(config: Config, log: Log): Promise<DatabaseAddress> {
  if (config.databaseUrl === null) return startEmbedded({ dataDir: config.dataDir, log })
  return { url: config.databaseUrl, stop: async () => {} }
}

/** Brings the schema to this release, the queue's too, and declares the currencies. Safe to run twice, and at once. */
export async function prepareDatabase(url: string, log: Log, random: () => number): Promise<void> {
  await migrate({ url, log })
  await migrateJobs(url, log)
  const owner = openDatabase({
    url,
    connectionsMax: 1,
    applicationName: 'kantor-migrate',
    role: null,
    random,
  })
  try {
    await declareAssets(
      owner,
      CURRENCIES.map(({ id, code, kind, scale, name }) => ({
        id,
        code,
        name,
        scale,
        kind: kind === 'crypto' ? 'crypto' : 'currency',
      })),
    )
  } finally {
    await owner.close()
  }
}

/** Refuses a database on which an acknowledged operation could be lost, or history altered. */
async function checkDatabase(config: Config, url: string, random: () => number): Promise<void> {
  const db = openDatabase({
    url,
    connectionsMax: 1,
    applicationName: 'kantor-check',
    role: 'kantor_app',
    random,
  })
  try {
    await checkRole(db)
    if (config.role !== 'all') await checkMigrated(db)
    if (config.databaseUrl !== null) await checkDurability(db)
  } finally {
    await db.close()
  }
}

/** Starts what the role asks for; null when the role was to migrate, which is done then. */
export async function start(options: StartOptions): Promise<Running | null> {
  const { config, random } = options
  const log = createLog({ level: config.logLevel, name: `kantor-${config.role}` })
  const database = await reachDatabase(config, log)
  try {
    if (config.role === 'migrate' || config.role === 'all') await prepareDatabase(database.url, log, random)
    if (config.role === 'migrate') {
      await database.stop()
      return null
    }
    await checkDatabase(config, database.url, random)
    return await startApp(options, database, log)
  } catch (error) {
    await database.stop()
    throw error
  }
}

async function startApp(options: StartOptions, database: DatabaseAddress, log: Log): Promise<Running> {
  const { config } = options
  const app = await createApp({
    ...options,
    databaseUrl: database.url,
    webDirectory: existsSync(options.webDirectory) ? options.webDirectory : null,
    log,
    metrics: createMetrics(),
  })
  const runsJobs = config.role === 'all' || config.role === 'worker'
  try {
    // A worker answers too, for its health and metrics; a balancer just does not send it customers.
    const address = await app.http
      .listen({ host: config.host, port: config.port })
      .catch((error: unknown) => refuseAddress(error, config))
    await app.events.start({ relay: runsJobs, consumers: runsJobs })
    app.live.start()
    if (runsJobs) {
      await app.jobs.start()
      app.trading.startEngine()
      app.priceStream.start()
      app.rules.start()
      app.notifications.webhookSender.start()
    }
    app.begun()
    log.info({ address, role: config.role }, 'started')
    return { log, address, stop: () => stop(app, database, { runsJobs, log }) }
  } catch (error) {
    // What the app began would go on without an address, and keep the process alive.
    await app.http.close()
    await app.close()
    throw error
  }
}

/** The commonest way not to start: another program, often another Kantor, listens there. */
function refuseAddress(error: unknown, { host, port }: Config): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE')
    throw new ConfigError([`PORT ${port} of ${host} is taken by another program. Stop it, or set PORT.`])
  if (code === 'EACCES')
    throw new ConfigError([`PORT ${port} may not be listened on by this user. Set PORT.`])
  if (code === 'EADDRNOTAVAIL') throw new ConfigError([`HOST ${host} is no address of this machine.`])
  throw error
}

/**
 * What has not ended in time is left behind: a database that is away or answers nothing would otherwise be waited for
 * statement by statement. Whatever counts is there already, or is taken over elsewhere, as after a kill -9.
 */
async function stop(
  app: App,
  database: DatabaseAddress,
  { runsJobs, log }: { runsJobs: boolean; log: Log },
): Promise<void> {
  const patience = new AbortController()
  const late = sleep(STOP_SECONDS_MAX * 1000, 'late', { signal: patience.signal })
  try {
    if ((await Promise.race([endApp(app, runsJobs), late])) === 'late') log.warn('not all has ended in time')
  } finally {
    patience.abort()
    await database.stop()
  }
}

async function endApp(app: App, runsJobs: boolean): Promise<void> {
  app.drain()
  await Promise.all([
    app.events.stop(EVENTS_GRACE_SECONDS),
    runsJobs && app.jobs.stop(JOBS_GRACE_SECONDS),
    app.priceStream.stop(),
    app.notifications.webhookSender.stop(WEBHOOKS_GRACE_SECONDS),
  ])
  await app.http.close()
  await app.close()
}
