import { openReplica } from '#db'
import { accountId, HOUSE_WALLET_ID, PURPOSE } from '#ledger'
import { faultProxy } from '#test/fault-proxy'
import { testDatabase } from '#test/harness'
import { moneyFixture, type Customer } from '#test/money-fixture'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { historyRoutes } from './routes.ts'

// A second database is the replica, which lags exactly as far behind as a test lets it.

const fixture = await moneyFixture()
const { ask, clock, customer, ledger, ownerDb } = fixture
const copy = await testDatabase()
const proxy = await faultProxy(copy.url)
const warnings: string[] = []
const replica = openReplica({
  url: proxy.url,
  connectionsMax: 2,
  applicationName: 'test-replica',
  random: Math.random,
  clock: clock.now,
  log: { info: () => {}, warn: (_fields, message) => warnings.push(message) },
})
fixture.serve(
  historyRoutes({
    ...fixture,
    replica,
    people: { byWalletIds: async () => new Map(), walletOfHandle: async () => null },
    indexBuilder: { consider: () => {}, idle: async () => {}, close: async () => {} },
  }),
)
afterAll(async () => {
  await replica.close()
  await proxy.close()
})

const EUR = 978
let ewa: Customer
let adam: Customer
let keys = 0

async function receive(of: Customer, note: string): Promise<string> {
  const from = accountId({ walletId: HOUSE_WALLET_ID, assetId: EUR, purpose: PURPOSE.funding })
  const to = accountId({ walletId: of.walletId, assetId: EUR, purpose: PURPOSE.available })
  const verdict = await ledger.post({
    kind: 'deposit',
    scope: 0n,
    key: `deposit ${(keys += 1)}`,
    requestHash: Buffer.alloc(16),
    postings: [{ from, to, amount: 100n }],
    opens: [from, to],
    detail: { note },
  })
  if (verdict.outcome === 'refused') throw new Error(verdict.reason)
  return verdict.journal.id
}

/** What has come to the primary comes to the copy, where each note says so: a read tells by it where it was made. */
async function catchUp(): Promise<void> {
  for (const table of ['assets', 'blocks', 'journals', 'entries']) {
    const { rows } = await ownerDb.query<{ all: string }>(
      `select coalesce(json_agg(row), '[]')::text as all from ledger.${table} row`,
    )
    await copy.ownerDb.query(
      `insert into ledger.${table} select * from json_populate_recordset(null::ledger.${table}, $1) on conflict do nothing`,
      [rows[0]?.all],
    )
  }
  await copy.ownerDb.transaction(async (tx) => {
    await tx.query('set local session_replication_role = replica')
    await tx.query(
      `update ledger.journals set detail = detail || '{"note": "on the replica"}' where detail ? 'note'`,
    )
  })
}

async function notesOf(of: Customer): Promise<unknown[]> {
  const { status, body } = await ask(of, 'GET', '/operations')
  expect(status).toBe(200)
  return (body['items'] as { note?: string }[]).map(({ note }) => note)
}

beforeAll(async () => {
  ewa = await customer('ewa')
  adam = await customer('adam')
  await receive(ewa, 'first')
  await catchUp()
})

test('a history that the replica has in full is read there', async () => {
  expect(await notesOf(ewa)).toEqual(['on the replica'])
})

test('what was acknowledged a moment ago is in the list and by itself, though the replica has not got it yet', async () => {
  const id = await receive(ewa, 'second')
  expect(await notesOf(ewa)).toEqual(['second', 'first'])
  expect((await ask(ewa, 'GET', `/operations/${id}`)).body).toMatchObject({ id, note: 'second' })
  await catchUp()
  expect(await notesOf(ewa)).toEqual(['on the replica', 'on the replica'])
  expect((await ask(ewa, 'GET', `/operations/${id}`)).body).toMatchObject({ id, note: 'on the replica' })
})

test('that others are ahead of the replica keeps nobody from it', async () => {
  await receive(adam, 'another wallet')
  expect(await notesOf(ewa)).toEqual(['on the replica', 'on the replica'])
  expect(await notesOf(adam)).toEqual(['another wallet'])
})

test('a refusal is a refusal, wherever it was read', async () => {
  const id = await receive(adam, 'not for Ewa')
  expect((await ask(ewa, 'GET', `/operations/${id}`)).status).toBe(404)
  expect((await ask(ewa, 'GET', '/operations?cursor=nonsense')).body).toMatchObject({
    code: 'invalid_cursor',
  })
  expect(warnings).toEqual([])
})

test('without the replica the primary is read, it is told once, and the replica is used again when it is back', async () => {
  proxy.away()
  for (let time = 0; time < 3; time += 1) expect(await notesOf(ewa)).toEqual(['second', 'first'])
  expect(warnings).toEqual(['the read replica fails; the primary is read instead'])
  proxy.back()
  expect(await notesOf(ewa)).toEqual(['second', 'first'])
  clock.advance(31_000)
  expect(await notesOf(ewa)).toEqual(['on the replica', 'on the replica'])
})
