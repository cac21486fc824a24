import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { checkMigrated, migrate, openDatabase } from '#db'
import { emptyDatabase, testDatabase } from '#test/harness'

const directories: string[] = []
afterAll(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true }))))

async function migrationsDir(files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'kantor-migrations-'))
  directories.push(directory)
  await cp(join(import.meta.dirname, 'migrations/0001-roles.sql'), join(directory, '0001-roles.sql'))
  for (const [name, sql] of Object.entries(files)) await writeFile(join(directory, name), sql)
  return directory
}

const log = { info: () => {}, warn: () => {} }
const table = { '0002-first.sql': 'create table public.first (id int)' }

test('four processes that migrate one new database at once apply each migration once', async () => {
  const url = await emptyDatabase()
  const results = await Promise.all([1, 2, 3, 4].map(() => migrate({ url, log })))
  const all = await migrate({ url: await emptyDatabase(), log })
  expect(results.flatMap(({ applied }) => applied).toSorted()).toEqual(all.applied)
  expect((await migrate({ url, log })).applied).toEqual([])
})

test('several new databases can be migrated at once, though their role is shared', async () => {
  const urls = await Promise.all([1, 2, 3, 4].map(() => emptyDatabase()))
  const dir = await migrationsDir({})
  const results = await Promise.all(urls.map((url) => migrate({ url, log, migrationsDir: dir })))
  expect(results.map(({ applied }) => applied)).toEqual(urls.map(() => ['0001-roles']))
})

test('an older Kantor refuses the database of a newer one', async () => {
  const url = await emptyDatabase()
  await migrate({ url, log, migrationsDir: await migrationsDir(table) })
  const older = migrate({ url, log, migrationsDir: await migrationsDir({}) })
  await expect(older).rejects.toThrow('The database is newer than this version of Kantor (it has 0002-first)')
})

test('a migration that was edited after it was applied is refused', async () => {
  const url = await emptyDatabase()
  await migrate({ url, log, migrationsDir: await migrationsDir(table) })
  const edited = await migrationsDir({ '0002-first.sql': 'create table public.first (id bigint)' })
  await expect(migrate({ url, log, migrationsDir: edited })).rejects.toThrow('0002-first was edited')
})

test('a migration that comes in before an applied one is refused', async () => {
  const url = await emptyDatabase()
  await migrate({ url, log, migrationsDir: await migrationsDir({ '0003-third.sql': 'select 1' }) })
  const late = await migrationsDir({ ...table, '0003-third.sql': 'select 1' })
  await expect(migrate({ url, log, migrationsDir: late })).rejects.toThrow('Renumber it')
})

test('a migration that fails leaves nothing of itself and all before it', async () => {
  const url = await emptyDatabase()
  const broken = { ...table, '0003-bad.sql': 'create table public.half (id int); select 1/0' }
  const attempt = migrate({ url, log, migrationsDir: await migrationsDir(broken) })
  await expect(attempt).rejects.toThrow('Migration 0003-bad failed: division by zero')
  const mended = { ...table, '0003-bad.sql': 'create table public.half (id int)' }
  const { applied } = await migrate({ url, log, migrationsDir: await migrationsDir(mended) })
  expect(applied).toEqual(['0003-bad'])
})

test('a migration that finds a table in use lets others use it too, until it is free', async () => {
  const url = await emptyDatabase()
  await migrate({ url, log, migrationsDir: await migrationsDir(table) })
  const owner = openDatabase({
    url,
    connectionsMax: 3,
    applicationName: 'test',
    role: null,
    random: Math.random,
  })
  const reader = await owner.connect()
  await reader.query('begin')
  await reader.query('select from public.first')
  const change = { ...table, '0003-wider.sql': 'alter table public.first add column more int' }
  const migrating = migrate({ url, log, migrationsDir: await migrationsDir(change) })
  const waiting = async () => {
    const { rowCount } = await owner.query(
      `select from pg_stat_activity where application_name = 'kantor-migrate' and wait_event_type = 'Lock'
          and datname = current_database()`,
    )
    return rowCount
  }
  await expect.poll(waiting, { interval: 20, timeout: 30_000 }).toBe(1)
  // Refused after 5 s, if it had to wait behind the migration for as long as that waits.
  await owner.query('insert into public.first values (1)')
  await reader.query('commit')
  reader.release()
  expect((await migrating).applied).toEqual(['0003-wider'])
  await owner.close()
})

test('two files of one number, or a name without one, are refused before anything is done', async () => {
  const url = await emptyDatabase()
  const twice = await migrationsDir({ ...table, '0002-second.sql': '' })
  await expect(migrate({ url, log, migrationsDir: twice })).rejects.toThrow('have the number 2')
  const unnamed = await migrationsDir({ 'first.sql': '' })
  await expect(migrate({ url, log, migrationsDir: unnamed })).rejects.toThrow('first.sql is not named')
})

test('a database that is not up yet is waited for, within a bound', async () => {
  const { url } = await testDatabase()
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  const away = new URL(url)
  away.host = `127.0.0.1:${port}`
  const told: string[] = []
  const listening = { ...log, info: (_: object, message: string) => told.push(message) }
  await expect(migrate({ url: away.href, log: listening, waitMs: 600 })).rejects.toThrow(
    'did not answer within 0.6 s',
  )
  expect(told).toEqual(['waiting for the database'])
})

test('a wrong database name is told at once', async () => {
  const missing = new URL(await emptyDatabase())
  missing.pathname = '/kantor_test_missing'
  const told: string[] = []
  const listening = { ...log, info: (_: object, message: string) => told.push(message) }
  await expect(migrate({ url: missing.href, log: listening })).rejects.toThrow()
  expect(told).toEqual([])
})

test('the application’s role can be taken on by whoever migrated', async () => {
  const url = await emptyDatabase()
  await migrate({ url, log, migrationsDir: await migrationsDir({}) })
  const db = openDatabase({ url, connectionsMax: 1, applicationName: 'test', random: Math.random })
  expect((await db.query('select current_user')).rows).toEqual([{ current_user: 'kantor_app' }])
  await db.close()
})

test('a process that does not migrate says what the database lacks, or has too much', async () => {
  const { db, ownerDb } = await testDatabase()
  await expect(checkMigrated(db)).resolves.toBeUndefined()
  await ownerDb.query(`insert into db.migrations (number, name, checksum) values (9999, '9999-future', 'x')`)
  await expect(checkMigrated(db)).rejects.toThrow('newer than this version of Kantor (it has 9999-future)')
  await ownerDb.query('delete from db.migrations where number > 2')
  await expect(checkMigrated(db)).rejects.toThrow(/lacks 0003-market-data, .* ROLE=migrate/)
  await ownerDb.query('drop schema db cascade')
  await expect(checkMigrated(db)).rejects.toThrow(/lacks 0001-roles, .* ROLE=migrate/)
})
