import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { inject } from 'vitest'
import { migrate, openDatabase, type Database } from '#db'
import { afterwards } from './afterwards.ts'
import { readMigrationFiles } from './migration-files.ts'
import { TEST_PREFIX } from './test-databases.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A server on which the tests may create and drop databases. */
    serverUrl: string
    /** Begins the name of every database of this run, which drops them when it ends. */
    runPrefix: string
  }
}

export interface TestDatabase {
  /** As the application sees it: role kantor_app. */
  db: Database
  /** As the migrations see it, for what a test has to prepare behind the application's back. */
  ownerDb: Database
  /** Of the same database, for a process or a pool of the test's own. */
  url: string
}

const TEMPLATE_PREFIX = 'kantor_template_'
const LEFTOVER_AGE_MS = 2 * 60 * 60_000
const CLOSE_TIMEOUT_MS = 5_000

/**
 * A database of this test file's own, with every migration in it: `const { db } = await testDatabase()` at the top of
 * the file; or of one test's own. Cloned from a template in about 100 ms. Its connections are closed after the file's last
 * test or that one: all test files together have a hundred. It is dropped when the run ends, since on ext4 what deletes a
 * thousand files makes creating the next thousand ten times as slow for a while (measured: 1.0 s instead of 0.1).
 */
export async function testDatabase(options: { connectionsMax?: number } = {}): Promise<TestDatabase> {
  const server = openOwner(inject('serverUrl'), 'postgres')
  const template = await ensureTemplate(server)
  const name = newName()
  await server.query(`create database ${name} template ${template} strategy wal_log`)
  const url = addressOf(inject('serverUrl'), name)
  const random = Math.random
  const db = openDatabase({
    url,
    connectionsMax: options.connectionsMax ?? 8,
    applicationName: 'test',
    random,
  })
  const ownerDb = openOwner(inject('serverUrl'), name)
  afterwards(async () => {
    // A connection that a test forgot would keep its pool from ending, until the server ends it.
    await Promise.race([Promise.all([db.close(), ownerDb.close()]), sleep(CLOSE_TIMEOUT_MS)])
    await server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
    await server.close()
  })
  return { db, ownerDb, url }
}

/** A new database without any migration; gives its address. For tests of what comes before the first one. */
export async function emptyDatabase(): Promise<string> {
  const server = openOwner(inject('serverUrl'), 'postgres')
  const name = newName()
  await server.query(`create database ${name} template template0 encoding 'UTF8' strategy wal_log`)
  await server.close()
  return addressOf(inject('serverUrl'), name)
}

function newName(): string {
  return `${inject('runPrefix')}${randomBytes(4).toString('hex')}`
}

function openOwner(serverUrl: string, database: string): Database {
  const url = addressOf(serverUrl, database)
  const random = Math.random
  return openDatabase({
    url,
    connectionsMax: 2,
    applicationName: 'test-owner',
    role: null,
    random,
    statementTimeoutMs: 240_000,
    // Whoever comes second waits until the template is built.
    lockTimeoutMs: 240_000,
  })
}

function addressOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${database}`
  return url.href
}

/** Built once per set of migrations and server, whoever comes first; the others wait for its lock. */
async function ensureTemplate(server: Database): Promise<string> {
  const hash = createHash('sha256')
    .update(await readMigrationFiles())
    .digest('hex')
    .slice(0, 16)
  const template = `${TEMPLATE_PREFIX}${hash}`
  const client = await server.connect()
  try {
    const lockKey = BigInt(`0x${hash.slice(0, 15)}`)
    await client.query('select pg_advisory_lock($1)', [lockKey])
    try {
      const { rowCount } = await client.query('select from pg_database where datname = $1', [template])
      if (rowCount === 0) await buildTemplate(server, template)
    } finally {
      await client.query('select pg_advisory_unlock($1)', [lockKey])
    }
  } finally {
    client.release()
  }
  return template
}

async function buildTemplate(server: Database, template: string): Promise<void> {
  await dropLeftovers(server)
  // Renamed when complete, so that a killed test run leaves no half of a template under its name.
  const building = newName()
  await server.query(`create database ${building} template template0 encoding 'UTF8'`)
  await migrate({
    url: addressOf(inject('serverUrl'), building),
    log: { info: () => {}, warn: console.warn },
  })
  await server.query(`alter database ${building} rename to ${template}`)
  await server.query(`comment on database ${template} is '${Date.now()}'`)
}

/** What killed test runs left behind, and templates of older migrations. */
async function dropLeftovers(server: Database): Promise<void> {
  const { rows } = await server.query<{ name: string; template_since: string | null }>(
    `select datname as name, shobj_description(oid, 'pg_database') as template_since from pg_database
      where datname ^@ $1 or datname ^@ $2`,
    [TEST_PREFIX, TEMPLATE_PREFIX],
  )
  for (const { name, template_since } of rows) {
    const since = Number(template_since ?? name.slice(TEST_PREFIX.length).split('_')[0])
    if (since > Date.now() - LEFTOVER_AGE_MS) continue
    await server.query(`drop database if exists ${name} with (force)`).catch((error: unknown) => {
      console.warn(`${name} was not dropped`, error)
    })
  }
}
