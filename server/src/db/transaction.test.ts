import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterAll, beforeEach, expect, test } from 'vitest'
import {
  DatabaseUnavailable,
  OutcomeUnknown,
  TransactionAborted,
  openDatabase,
  type Database,
  type Tx,
} from '#db'
import { testDatabase } from '#test/harness'

const { db, ownerDb, url } = await testDatabase()

await ownerDb.query(`
  create schema sample;
  create table sample.rows (id int primary key, value int not null default 0,
    constraint value_at_most_9 check (value <= 9));
  create table sample.children (id int primary key references sample.rows deferrable initially deferred);
  grant usage on schema sample to kantor_app;
  grant select, insert, update, delete on all tables in schema sample to kantor_app`)

beforeEach(async () => {
  await db.query('delete from sample.children')
  await db.query('delete from sample.rows')
})

const insertRow = (tx: Tx, id: number, value = 0) =>
  tx.query('insert into sample.rows (id, value) values ($1, $2)', [id, value])

async function ids(): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>('select id from sample.rows order by id')
  return rows.map(({ id }) => id)
}

const raise = (tx: Tx, code: string) =>
  tx.query(`do $$ begin raise exception 'x' using errcode = '${code}'; end $$`)

test('what work returns is returned once it is committed', async () => {
  expect(await db.transaction(async (tx) => (await insertRow(tx, 1)).rowCount)).toBe(1)
  expect(await ids()).toEqual([1])
})

test('an error of the caller undoes everything and arrives unchanged', async () => {
  const refusal = new Error('insufficient funds')
  const attempt = db.transaction(async (tx) => {
    await insertRow(tx, 1)
    throw refusal
  })
  await expect(attempt).rejects.toBe(refusal)
  expect(await ids()).toEqual([])
})

test('two that deadlock both succeed', async () => {
  await db.transaction(async (tx) => {
    await insertRow(tx, 1)
    await insertRow(tx, 2)
  })
  let arrived = 0
  let open = () => {}
  const bothHoldOne = new Promise<void>((resolve) => {
    open = resolve
  })
  const add = (tx: Tx, id: number) => tx.query('update sample.rows set value = value + 1 where id = $1', [id])
  const both = [
    [1, 2],
    [2, 1],
  ].map(([first = 0, second = 0]) =>
    db.transaction(async (tx) => {
      await add(tx, first)
      arrived += 1
      if (arrived === 2) open()
      await bothHoldOne
      await add(tx, second)
    }),
  )
  await Promise.all(both)
  expect(arrived).toBe(3)
  expect((await db.query('select value from sample.rows')).rows).toEqual([{ value: 2 }, { value: 2 }])
})

test.each(['40001', '40P01'])('%s is tried five times in all, then reported', async (code) => {
  let attempts = 0
  const attempt = db.transaction(async (tx) => {
    attempts += 1
    await raise(tx, code)
  })
  await expect(attempt).rejects.toMatchObject({ code })
  expect(attempts).toBe(5)
})

test('a broken constraint is not tried again', async () => {
  let attempts = 0
  const attempt = db.transaction(async (tx) => {
    attempts += 1
    await insertRow(tx, 1, 10)
  })
  await expect(attempt).rejects.toMatchObject({ constraint: 'value_at_most_9' })
  expect(attempts).toBe(1)
})

test('a constraint that is checked at COMMIT is a plain refusal, not an unknown outcome', async () => {
  const attempt = db.transaction((tx) => tx.query('insert into sample.children values (7)'))
  await expect(attempt).rejects.toMatchObject({ code: '23503' })
  await expect(attempt).rejects.not.toBeInstanceOf(OutcomeUnknown)
})

test('an error that the caller hides cannot be committed as if nothing had been', async () => {
  const attempt = db.transaction(async (tx) => {
    await insertRow(tx, 1)
    await raise(tx, 'P0001').catch(() => {})
  })
  await expect(attempt).rejects.toBeInstanceOf(TransactionAborted)
  expect(await ids()).toEqual([])
})

test('a statement after the end is refused, for the connection may be somebody else’s by then', async () => {
  const kept = await db.transaction(async (tx) => tx)
  await expect(insertRow(kept, 1)).rejects.toThrow('has ended')
  expect(await ids()).toEqual([])
})

test('a connection lost before COMMIT means that nothing has happened', async () => {
  const attempt = db.transaction(async (tx) => {
    await insertRow(tx, 1)
    const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
    await ownerDb.query('select pg_terminate_backend($1)', [rows[0]?.pid])
    await insertRow(tx, 2)
  })
  await expect(attempt).rejects.toBeInstanceOf(DatabaseUnavailable)
  await expect(attempt).rejects.not.toBeInstanceOf(OutcomeUnknown)
  expect(await ids()).toEqual([])
})

test('connections that die idle, or held but unused, are replaced without a word', async () => {
  const held = await db.connect()
  await db.query('select 1')
  await ownerDb.query(`select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'test'`)
  const alive = async () =>
    (
      await ownerDb.query(`select from pg_stat_activity
       where datname = current_database() and application_name = 'test'`)
    ).rowCount
  await expect.poll(alive).toBe(0)
  // They have gone; that they have is on its way to us.
  await new Promise((resolve) => setTimeout(resolve, 100))
  held.release(true)
  expect(await ids()).toEqual([])
})

test('a snapshot sees one instant and writes nothing', async () => {
  await db.transaction((tx) => insertRow(tx, 1))
  const count = 'select count(*) as n from sample.rows'
  await db.snapshot(async (q) => {
    const before = (await q.query(count)).rows
    await db.transaction((tx) => insertRow(tx, 2))
    expect((await q.query(count)).rows).toEqual(before)
  })
  await expect(db.snapshot((q) => q.query('delete from sample.rows'))).rejects.toMatchObject({
    code: '25006',
  })
})

interface Cut {
  /** Breaks the connection when the client sends this text. */
  at: string
  /** Whether the server still gets it. */
  forward: boolean
}

/** A proxy between driver and server that breaks a connection where it hurts. */
async function cutConnection(cut: Cut): Promise<{ cutDb: Database; close: () => Promise<void> }> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(Number(target.port || 5432), target.hostname)
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    server.pipe(client)
    client.on('data', (data) => {
      if (!data.includes(cut.at)) return server.write(data)
      server.unpipe(client)
      client.resetAndDestroy()
      return cut.forward ? server.write(data) : server.destroy()
    })
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String((proxy.address() as AddressInfo).port)
  const options = { connectionsMax: 1, applicationName: 'cut', random: Math.random }
  const cutDb = openDatabase({ url: through.href, ...options })
  const close = async () => {
    await cutDb.close()
    sockets.forEach((socket) => socket.destroy())
    proxy.close()
  }
  afterAll(close)
  return { cutDb, close }
}

test.each([
  ['arrived', true, [1]],
  ['was lost', false, []],
])('a connection that breaks at COMMIT is an unknown outcome, whether it %s', async (_, forward, left) => {
  const { cutDb } = await cutConnection({ at: 'commit', forward })
  const attempt = cutDb.transaction((tx) => insertRow(tx, 1))
  await expect(attempt).rejects.toBeInstanceOf(OutcomeUnknown)
  await expect.poll(ids).toEqual(left)
})

test('a lone statement whose reply is lost is an unknown outcome too', async () => {
  const { cutDb } = await cutConnection({ at: 'delete from', forward: true })
  await expect(cutDb.query('delete from sample.rows')).rejects.toBeInstanceOf(OutcomeUnknown)
})

test('a BEGIN that is lost is a database that is away', async () => {
  const { cutDb } = await cutConnection({ at: 'begin', forward: false })
  await expect(cutDb.transaction((tx) => insertRow(tx, 1))).rejects.toBeInstanceOf(DatabaseUnavailable)
})

test('a server that is not there is a database that is away', async () => {
  const away = openDatabase({
    url: 'postgres://nobody@127.0.0.1:1/none',
    connectionsMax: 1,
    applicationName: 'away',
    random: Math.random,
  })
  await expect(away.query('select 1')).rejects.toBeInstanceOf(DatabaseUnavailable)
  await expect(away.transaction((tx) => insertRow(tx, 1))).rejects.toBeInstanceOf(DatabaseUnavailable)
  await away.close()
})
