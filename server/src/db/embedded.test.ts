import { existsSync } from 'node:fs'
import { chmod, chown, cp, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { openDatabase, startEmbedded, type Database, type EmbeddedServer } from '#db'
import { startProcess, type TestProcess } from '#test/child-process'

const HOLDER = join(import.meta.dirname, '../../test/hold-embedded.ts')
const START_SECONDS_MAX = 90
const END_SECONDS_MAX = 45
const log = { info: () => {}, warn: () => {} }

// Mode 0700, as a home is.
const home = await mkdtemp(join(tmpdir(), 'kantor-embedded-'))
const holders = new Set<TestProcess>()
const servers = new Set<EmbeddedServer>()
afterEach(async () => {
  await Promise.all([...servers].map((server) => server.stop()))
  servers.clear()
  for (const { child } of holders) child.kill('SIGKILL')
  holders.clear()
})
afterAll(() => rm(home, { recursive: true, force: true }))

async function start(dataDir: string): Promise<EmbeddedServer> {
  const server = await startEmbedded({ dataDir, log })
  servers.add(server)
  return server
}

const made = join(home, 'made')

/** A folder after its first start and end: copied, since only some tests are about making one. */
async function madeFolder(name: string): Promise<string> {
  if (!existsSync(made)) await (await startEmbedded({ dataDir: made, log })).stop()
  await cp(made, join(home, name), { recursive: true })
  return join(home, name)
}

/** Another process on this data directory; `prefix` says under whose name. */
async function hold(dataDir: string, prefix: string[] = [], env: NodeJS.ProcessEnv = process.env) {
  const [program = process.execPath, ...args] = [...prefix, process.execPath, HOLDER, dataDir]
  const holder = startProcess(program, args, { env })
  holders.add(holder)
  const url = await holder.line((line) => line.startsWith('postgres://'), START_SECONDS_MAX)
  return { ...holder, url }
}

async function using<T>(url: string, work: (db: Database) => Promise<T>): Promise<T> {
  const db = openDatabase({
    url,
    connectionsMax: 1,
    applicationName: 'test',
    role: null,
    random: Math.random,
  })
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}

const valueOf = (url: string, sql: string) =>
  using(url, async (db) => (await db.query<{ value: unknown }>(sql)).rows[0]?.value)

/** All processes that name this folder on their command line: the postmaster, above all. */
async function processesOn(dataDir: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  )
  return commands.filter((command) => command.includes(join(dataDir, 'postgres')))
}

test('the first start makes a PostgreSQL that asks for a password, on loopback only, and keeps its word', async () => {
  const dataDir = join(home, 'first')
  const { url } = await start(dataDir)
  expect(new URL(url).hostname).toBe('127.0.0.1')
  const settings = await using(url, (db) =>
    db.query(`select name, setting from pg_settings where name = any($1) order by name`, [
      ['fsync', 'full_page_writes', 'listen_addresses', 'password_encryption', 'synchronous_commit', 'jit'],
    ]),
  )
  expect(settings.rows.map(({ name, setting }) => `${name}=${setting}`)).toEqual([
    'fsync=on',
    'full_page_writes=on',
    'jit=off',
    'listen_addresses=127.0.0.1',
    'password_encryption=scram-sha-256',
    'synchronous_commit=on',
  ])
  const guess = new URL(url)
  guess.password = 'guess'
  await expect(valueOf(guess.href, 'select 1 as value')).rejects.toMatchObject({ cause: { code: '28P01' } })
  expect((await stat(join(dataDir, 'postgres-password'))).mode & 0o777).toBe(0o600)
  expect((await stat(dataDir)).mode & 0o777).toBe(0o700)
})

test('a second start finds everything', async () => {
  const dataDir = join(home, 'second')
  const first = await startEmbedded({ dataDir, log })
  await using(first.url, (db) => db.query('create table kept as select 42 as value'))
  await first.stop()
  expect(await processesOn(dataDir)).toEqual([])
  const { url } = await start(dataDir)
  expect(await valueOf(url, 'select value from kept')).toBe(42)
})

test('a second Kantor on the same folder is told so, and the first does not notice', async () => {
  const dataDir = await madeFolder('shared')
  const { child, url } = await hold(dataDir)
  const attempt = startEmbedded({ dataDir, log })
  await expect(attempt).rejects.toThrow(`Another Kantor (process ${child.pid}) already runs on ${dataDir}.`)
  expect(await valueOf(url, 'select 1 as value')).toBe(1)
})

test('of two that make the same new folder at once one wins, also where a killed one left half of it', async () => {
  const dataDir = join(home, 'race')
  await mkdir(join(dataDir, 'postgres.new/data'), { recursive: true })
  const results = await Promise.allSettled([hold(dataDir), hold(dataDir)])
  expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect(results.find((result) => result.status === 'rejected')?.reason.message).toContain('Another Kantor')
})

test('kill -9 of Kantor leaves no process, and the next start has what was committed', async () => {
  const dataDir = await madeFolder('killed')
  const { child, url } = await hold(dataDir)
  await using(url, (db) => db.query('create table kept as select 42 as value'))
  child.kill('SIGKILL')
  // Started at once: the new one waits for the old server's shutdown.
  const next = await start(dataDir)
  expect(await valueOf(next.url, 'select value from kept')).toBe(42)
  await next.stop()
  servers.clear()
  await expect.poll(() => processesOn(dataDir)).toEqual([])
  expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).toContain('database system is shut down')
})

test('a server that is killed comes back at the same address with what was committed', async () => {
  const dataDir = await madeFolder('restarted')
  const { url } = await start(dataDir)
  await using(url, (db) => db.query('create table kept as select 42 as value'))
  const [pid] = (await readFile(join(dataDir, 'postgres/postmaster.pid'), 'utf8')).split('\n')
  process.kill(Number(pid), 'SIGKILL')
  const read = () => valueOf(url, 'select value from kept').catch(() => 'away')
  await expect.poll(read, { interval: 100 }).toBe(42)
})

test('a lock whose number went to another process does not stop the next start', async () => {
  const dataDir = await madeFolder('stale')
  await writeFile(join(dataDir, 'kantor.lock'), `${process.pid} another-boot:1\n`)
  await writeFile(join(dataDir, 'postgres/postmaster.pid'), `${process.pid}\n${join(dataDir, 'postgres')}\n`)
  const { url } = await start(dataDir)
  expect(await valueOf(url, 'select 1 as value')).toBe(1)
})

test('data of another PostgreSQL is left alone, and said to be so', async () => {
  const dataDir = await madeFolder('older')
  await writeFile(join(dataDir, 'postgres/PG_VERSION'), '17\n')
  await expect(startEmbedded({ dataDir, log })).rejects.toThrow('was written by PostgreSQL 17')
})

function whatOnlyRootCanShow(): void {
  const NOBODY = 65_534

  test('an ordinary user with a home of mode 0700 has it too', async () => {
    const theirs = await mkdtemp(join(tmpdir(), 'kantor-nobody-'))
    await chown(theirs, NOBODY, NOBODY)
    const dataDir = join(theirs, '.kantor')
    const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
    const { child, url } = await hold(dataDir, asNobody)
    expect(await valueOf(url, 'select 1 as value')).toBe(1)
    child.kill('SIGKILL')
    await expect.poll(() => processesOn(dataDir)).toEqual([])
    await rm(theirs, { recursive: true })
  })

  test('where user namespaces are blocked, a home of mode 0700 works as well, and its data goes over', async () => {
    const blocked = join(home, 'bin')
    await mkdir(blocked)
    await writeFile(join(blocked, 'unshare'), '#!/bin/sh\nexit 1\n')
    await chmod(join(blocked, 'unshare'), 0o755)
    const dataDir = await madeFolder('blocked')
    const before = await startEmbedded({ dataDir, log })
    await using(before.url, (db) => db.query('create table kept as select 42 as value'))
    await before.stop()
    const env = { ...process.env, PATH: `${blocked}:${process.env['PATH']}` }
    const { child, end, url } = await hold(dataDir, [], env)
    expect(await valueOf(url, 'select value from kept')).toBe(42)
    expect((await stat(join(dataDir, 'postgres'))).uid).toBe(NOBODY)
    child.kill('SIGTERM')
    await end(END_SECONDS_MAX)
    expect(await processesOn(dataDir)).toEqual([])
    const after = await start(dataDir)
    expect(await valueOf(after.url, 'select value from kept')).toBe(42)
  })
}

// Not skipped elsewhere, since it has no meaning there: an ordinary user has shown its own case above.
if (process.getuid?.() === 0) describe('as root', whatOnlyRootCanShow)
