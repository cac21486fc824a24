import { setTimeout as sleep } from 'node:timers/promises'
import { verifyLedger } from '#ledger'
import { auditLedger } from '#test/auditor'
import { testDatabase } from '#test/harness'
import { auditHistory, runWorkload } from '#test/random-workload'
import { seededRandom } from '#test/seeded-random'
import { testLedger } from '#test/test-ledger'
import { expect, it } from 'vitest'

const database = await testDatabase()
const { db, ownerDb } = database
const ledgers = await Promise.all([testLedger(database), testLedger(database), testLedger(database)])

it('loses and doubles nothing when three processes and own transactions post at random', async () => {
  const random = seededRandom()
  const load = { random, ledgers, db, commands: 1_000, atOnce: 40, firstWallet: 1_000, wallets: 12 }
  const history = await runWorkload(load)
  expect(await auditHistory(db, history)).toEqual([])
  expect(await auditLedger(db)).toEqual([])
  expect((await db.snapshot((q) => verifyLedger(q))).firstBreak).toBeNull()
  const answers = new Set(history.map(({ answer }) => answer))
  const expected = ['posted', 'insufficient_funds', 'key_reused', 'already_consumed', 'same_account']
  for (const answer of expected) expect(answers).toContain(answer)
})

it('loses and doubles nothing while its connections are killed under it', async () => {
  const fresh = await testDatabase()
  const own = await Promise.all([testLedger(fresh), testLedger(fresh)])
  const random = seededRandom()
  let kills = 0
  const end = new AbortController()
  const newestSeq = async () =>
    (await fresh.ownerDb.query<{ seq: bigint }>('select coalesce(max(seq), 0) as seq from ledger.journals'))
      .rows[0]?.seq ?? 0n
  // By what was done and not by time: on a slow machine nothing would ever be done between two kills.
  const killer = (async () => {
    for (let next = 0n; !end.signal.aborted;) {
      await sleep(5)
      const seq = await newestSeq()
      if (seq < next) continue
      next = seq + random.bigint(1n, 30n)
      const { rowCount } = await ownerDb.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = $1 and application_name in ('test-ledger', 'test') order by random() limit 1`,
        [new URL(fresh.url).pathname.slice(1)],
      )
      kills += rowCount ?? 0
    }
  })()
  const load = {
    random,
    ledgers: own,
    db: fresh.db,
    commands: 3_000,
    atOnce: 40,
    firstWallet: 1_000,
    wallets: 12,
  }
  const history = await runWorkload(load).finally(() => end.abort())
  await killer
  expect(kills).toBeGreaterThan(10)
  expect(await auditHistory(fresh.ownerDb, history)).toEqual([])
  expect(await auditLedger(fresh.ownerDb)).toEqual([])
})
