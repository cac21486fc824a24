import { DatabaseUnavailable, OutcomeUnknown } from '#db'
import { balanceOf } from '#ledger'
import { auditLedger } from '#test/auditor'
import { faultProxy } from '#test/fault-proxy'
import { testDatabase } from '#test/harness'
import { available, deposit, outcomeOf, posted, testLedger } from '#test/test-ledger'
import { afterAll, afterEach, expect, it } from 'vitest'

const database = await testDatabase()
const { db } = database
const proxy = await faultProxy(database.url)
const ledger = await testLedger({ db, url: proxy.url }, { retryWindowMs: 1_500 })
const direct = await testLedger(database)
afterAll(() => proxy.close())

afterEach(async () => {
  proxy.back()
  expect(await auditLedger(db)).toEqual([])
})

/** The name of the poster's COMMIT, as it is on the wire. */
const COMMIT = 'ledger_commit'
let wallets = 1000n
const account = () => available((wallets += 1n))
let keys = 0
const newKey = () => `key-${(keys += 1)}`

/** As after a restore: what the process has seen is not there any more. */
async function forgetEverything(): Promise<void> {
  await database.ownerDb.transaction(async (tx) => {
    await tx.query('set local session_replication_role = replica')
    for (const table of ['entries', 'journals', 'blocks', 'accounts'])
      await tx.query(`delete from ledger.${table}`)
    await tx.query(`update ledger.chain_head set height = 0, hash = sha256('kantor.genesis.v1')`)
  })
}

it('finds by its key what was committed although the answer was lost', async () => {
  const alice = account()
  await ledger.post(deposit(newKey(), alice, 1n))
  proxy.arm(COMMIT, 'reply-lost')
  const verdict = await ledger.post(deposit(newKey(), alice, 2n))
  expect(outcomeOf(verdict)).toBe('replayed')
  expect(await balanceOf(db, alice)).toBe(3n)
})

it('posts again what was lost before COMMIT arrived', async () => {
  const alice = account()
  proxy.arm(COMMIT, 'request-lost')
  expect(outcomeOf(await ledger.post(deposit(newKey(), alice, 2n)))).toBe('posted')
  expect(await balanceOf(db, alice)).toBe(2n)
})

it('gets every answer right through many cuts', async () => {
  const alice = account()
  const faults = ['reply-lost', 'request-lost'] as const
  const rounds = Array.from({ length: 12 }, (_, round) => round)
  for (const round of rounds) {
    proxy.arm(COMMIT, faults[round % 2] ?? 'reply-lost', 2)
    const verdicts = await Promise.all([1, 2, 3, 4].map(() => ledger.post(deposit(newKey(), alice, 1n))))
    for (const verdict of verdicts) posted(verdict)
  }
  expect(await balanceOf(db, alice)).toBe(48n)
})

it('says unknown, never failed, when it cannot find out whether COMMIT arrived', async () => {
  const alice = account()
  const command = deposit(newKey(), alice, 5n)
  await ledger.post(deposit(newKey(), alice, 1n))
  proxy.arm(COMMIT, 'reply-lost-then-away')
  await expect(ledger.post(command)).rejects.toBeInstanceOf(OutcomeUnknown)
  expect(await balanceOf(db, alice)).toBe(6n)
  expect(outcomeOf(await direct.post(command))).toBe('replayed')
})

it('says that nothing was posted when the database was away all the time, and works again when it is back', async () => {
  const alice = account()
  const command = deposit(newKey(), alice, 5n)
  proxy.away()
  const error: unknown = await ledger.post(command).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(DatabaseUnavailable)
  expect(error).not.toBeInstanceOf(OutcomeUnknown)
  expect(await balanceOf(db, alice)).toBe(0n)
  proxy.back()
  expect(outcomeOf(await ledger.post(command))).toBe('posted')
})

it('waits for a connection that hears nothing no longer than its time-out, and then finds out', async () => {
  const impatient = await testLedger({ db, url: proxy.url }, { statementTimeoutMs: 1_000 })
  const alice = account()
  await impatient.post(deposit(newKey(), alice, 1n))
  proxy.arm(COMMIT, 'silence')
  expect(outcomeOf(await impatient.post(deposit(newKey(), alice, 2n)))).toBe('posted')
  expect(await balanceOf(db, alice)).toBe(3n)
})

it('knows its accounts anew when another database is behind the address', async () => {
  const alice = account()
  await ledger.post(deposit(newKey(), alice, 1n))
  await forgetEverything()
  expect(outcomeOf(await ledger.post(deposit(newKey(), alice, 7n)))).toBe('posted')
  expect(await balanceOf(db, alice)).toBe(7n)
})

it('knows them anew in a caller’s tx as well', async () => {
  const alice = account()
  await ledger.post(deposit(newKey(), alice, 1n))
  await forgetEverything()
  const within = () => db.transaction((tx) => ledger.postWithin(tx, [deposit(newKey(), alice, 7n)]))
  await expect(within()).rejects.toBeInstanceOf(DatabaseUnavailable)
  expect((await within()).map(outcomeOf)).toEqual(['posted'])
  expect(await balanceOf(db, alice)).toBe(7n)
})

it('finishes what it took before it closes, and takes no more', async () => {
  const closing = await testLedger(database)
  const alice = account()
  const taken = Array.from({ length: 20 }, () => closing.post(deposit(newKey(), alice, 1n)))
  const closed = closing.close()
  await expect(closing.post(deposit(newKey(), alice, 1n))).rejects.toBeInstanceOf(DatabaseUnavailable)
  for (const verdict of await Promise.all(taken)) posted(verdict)
  await closed
  expect(await balanceOf(db, alice)).toBe(20n)
})
