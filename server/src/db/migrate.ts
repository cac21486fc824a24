import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkVersion } from './check-server.ts'
import { openDatabase, type Database } from './database.ts'
import { DatabaseUnavailable, isLockedOut } from './errors.ts'
import type { DbLog } from './log.ts'
import type { Queryable } from './queryable.ts'
import type { Tx } from './transaction.ts'

interface Migration {
  number: number
  name: string
  sql: string
  checksum: string
}

interface AppliedMigration {
  number: number
  name: string
  checksum: string
}

export interface MigrateOptions {
  url: string
  log: DbLog
  migrationsDir?: string
  /** How long a server that does not answer yet is waited for. */
  waitMs?: number
}

export const MIGRATIONS_DIR = join(import.meta.dirname, 'migrations')
const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/
/** Any number, the same for every version of Kantor: two that migrate one database take turns. */
const LOCK_KEY = 7_305_620_411n
const WAIT_MS = 60_000
const MIGRATION_TIMEOUT_MS = 30 * 60_000
/** Whoever comes after a migration that waits for a table waits behind it: less than the 5 s that a request waits. */
const TABLE_WAIT_MS = 1_000
/** Then all of them go first. */
const TABLE_PAUSE_MS = 1_000

/** Brings the database to the schema of this code. Safe to call from several processes at once. */
export async function migrate(options: MigrateOptions): Promise<{ applied: string[] }> {
  const migrations = await readMigrations(options.migrationsDir ?? MIGRATIONS_DIR)
  const database = openDatabase({
    url: options.url,
    connectionsMax: 1,
    applicationName: 'kantor-migrate',
    role: null,
    random: () => 0.5,
    statementTimeoutMs: MIGRATION_TIMEOUT_MS,
    lockTimeoutMs: MIGRATION_TIMEOUT_MS,
  })
  try {
    await waitForServer(database, options.waitMs ?? WAIT_MS, options.log)
    await checkVersion(database)
    return { applied: await applyAll(database, migrations, options.log) }
  } finally {
    await database.close()
  }
}

/**
 * For a process that does not migrate: the database must be exactly as this code's migrations make it.
 * @throws Error with a sentence for the operator
 */
export async function checkMigrated(q: Queryable): Promise<void> {
  const migrations = await readMigrations(MIGRATIONS_DIR)
  const { rows: tables } = await q.query<{ name: string | null }>(
    `select to_regclass('db.migrations')::text as name`,
  )
  const applied = tables[0]?.name ? await readApplied(q) : []
  refuseDivergence(migrations, applied)
  const missing = migrations.slice(applied.length)
  if (missing.length === 0) return
  throw new Error(
    `The database lacks ${missing.map(({ name }) => name).join(', ')}. Run this version once with ROLE=migrate.`,
  )
}

/** In order of their numbers; each with the hash that tells whether it was edited after it was applied. */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).toSorted()
  const migrations = await Promise.all(
    names.map(async (file) => {
      const digits = FILE_NAME.exec(file)?.[1]
      if (digits === undefined) throw new Error(`${file} is not named NNNN-name.sql.`)
      const sql = await readFile(join(directory, file), 'utf8')
      const checksum = createHash('sha256').update(sql).digest('hex')
      return { number: Number(digits), name: file.slice(0, -'.sql'.length), sql, checksum }
    }),
  )
  for (const [index, migration] of migrations.entries()) {
    if (migrations[index + 1]?.number === migration.number) {
      throw new Error(`Two migrations have the number ${migration.number}.`)
    }
  }
  return migrations
}

/** A server that is starting, or whose container is, refuses connections; a wrong password is told at once. */
async function waitForServer(database: Database, waitMs: number, log: DbLog): Promise<void> {
  const deadline = Date.now() + waitMs
  for (let told = false; ; told = true) {
    try {
      await database.query('select 1')
      return
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable) || !isStartingUp(error.cause)) throw error
      if (Date.now() > deadline) {
        throw new Error(`The database did not answer within ${waitMs / 1000} s.`, { cause: error })
      }
      if (!told) log.info({ waitMs }, 'waiting for the database')
      await sleep(250)
    }
  }
}

const CANNOT_CONNECT_NOW = '57P03'
const TOO_MANY_CONNECTIONS = '53300'
const ANSWERED = /^[0-9A-Z]{5}$/

function isStartingUp(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return !ANSWERED.test(code) || code === CANNOT_CONNECT_NOW || code === TOO_MANY_CONNECTIONS
}

/**
 * One transaction per migration: a failing one leaves those before it, and nothing of itself. One that finds a table in
 * use begins anew a moment later, so that a long transaction of somebody's makes it late and not everybody wait.
 */
async function applyAll(database: Database, migrations: Migration[], log: DbLog): Promise<string[]> {
  const deadline = Date.now() + MIGRATION_TIMEOUT_MS
  const applied: string[] = []
  for (;;) {
    try {
      const name = await database.transaction((tx) => applyNext(tx, migrations))
      if (name === null) return applied
      applied.push(name)
      log.info({ migration: name }, 'migration applied')
    } catch (error) {
      if (!(error instanceof Error) || !isLockedOut(error.cause) || Date.now() > deadline) throw error
      log.info({ err: error }, 'a migration waits for what others hold')
      await sleep(TABLE_PAUSE_MS)
    }
  }
}

async function applyNext(tx: Tx, migrations: Migration[]): Promise<string | null> {
  // The lock ends with the transaction, so that it also holds behind a pooler and after a crash.
  await tx.query('select pg_advisory_xact_lock($1)', [LOCK_KEY])
  const applied = await selectApplied(tx)
  refuseDivergence(migrations, applied)
  const next = migrations[applied.length]
  if (next === undefined) return null
  await tx.query(`set local lock_timeout = ${TABLE_WAIT_MS}`)
  try {
    await tx.query(next.sql)
  } catch (cause) {
    throw new Error(`Migration ${next.name} failed: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
  await insertApplied(tx, next)
  return next.name
}

/** What was applied must be the beginning of what this code brings, unchanged. */
function refuseDivergence(migrations: Migration[], applied: AppliedMigration[]): void {
  const known = new Set(migrations.map((migration) => migration.number))
  const unknown = applied.filter((migration) => !known.has(migration.number))
  if (unknown.length > 0) {
    const names = unknown.map((migration) => migration.name).join(', ')
    throw new Error(
      `The database is newer than this version of Kantor (it has ${names}). Start a newer Kantor.`,
    )
  }
  for (const [index, { number, name, checksum }] of applied.entries()) {
    const ours = migrations[index]
    if (ours?.number !== number) {
      throw new Error(
        `Migration ${ours?.name} was added before ${name}, which is applied already. Renumber it.`,
      )
    }
    if (ours.checksum !== checksum) {
      throw new Error(
        `Migration ${name} was edited after it was applied. Undo the edit and add a new migration.`,
      )
    }
  }
}

async function selectApplied(tx: Tx): Promise<AppliedMigration[]> {
  await tx.query('create schema if not exists db')
  await tx.query(
    `create table if not exists db.migrations (
       number int primary key,
       name text not null,
       checksum text not null,
       applied_at timestamptz not null default now()
     )`,
  )
  return readApplied(tx)
}

async function readApplied(q: Queryable): Promise<AppliedMigration[]> {
  const { rows } = await q.query<AppliedMigration>(
    'select number, name, checksum from db.migrations order by number',
  )
  return rows
}

async function insertApplied(tx: Tx, migration: Migration): Promise<void> {
  await tx.query('insert into db.migrations (number, name, checksum) values ($1, $2, $3)', [
    migration.number,
    migration.name,
    migration.checksum,
  ])
}
