import type { NamedStatement } from '#db'
import { testDatabase } from '#test/harness'
import { available, testLedger, transfer } from '#test/test-ledger'
import { expect, it } from 'vitest'
import { int8s } from './array-parameters.ts'
import { lockStatements, readStatements, sealBatch } from './batch.ts'
import { decide } from './decide.ts'
import { prepareCommand } from './prepare-command.ts'
import { lockChainHead, POSTING_SETTINGS, readConsumed, readOriginals } from './statements.ts'

const database = await testDatabase()
const { db } = database
await testLedger(database)

const [alice, bob] = [available(1_000), available(1_001)]
const prepared = [prepareCommand(transfer('key', alice, bob, 1n))]
const account = { balance: 5n, floor: 0n, version: 1n }
const accounts = new Map([alice, bob].map((id) => [id, { ...account, id }]))
const state = { accounts, frozenByAsset: new Map([[978, false]]), byKey: new Map(), originals: new Map() }
const decision = decide({ ...state, consumed: new Set(), now: new Date() }, prepared)
const head = { height: 1n, lastRecordedAt: new Date(), hash: Buffer.alloc(32) }
const statements: NamedStatement[] = [
  ...lockStatements([alice, bob], [bob]),
  ...readStatements(prepared),
  readConsumed(['quote:1']),
  readOriginals([4096n]),
  lockChainHead(),
  ...sealBatch(decision, head, new Date()).statements,
]

/** Planned on empty tables without statistics, which is when a plan goes wrong and then stays. */
it.each(statements.map((statement) => [statement.name, statement] as const))(
  '%s touches tables by index only',
  async (_, { name, text, values = [] }) => {
    const plan = await db.transaction(async (tx) => {
      for (const [setting, value] of Object.entries(POSTING_SETTINGS))
        await tx.query(`set local ${setting} = ${value}`)
      const { rows } = await tx.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values)
      return rows.map((row) => row['QUERY PLAN']).join('\n')
    })
    expect(plan).not.toMatch(/Hash Join|Merge Join|Bitmap/)
    // The head is one row: no index is shorter.
    if (name !== 'ledger_head' && name !== 'ledger_seal') expect(plan).not.toMatch(/Seq Scan/)
    // Sorted by the index, or the locks would not be taken in order.
    if (name === 'ledger_lock') expect(plan).toMatch(/LockRows[\s\S]*Index Scan using accounts_pkey/)
  },
)

it('asks for locks in ascending order, whatever order the accounts came in, and each once', () => {
  const ids = [9n, 3n, 7n, 3n, 1n].map((wallet) => available(wallet))
  const [opens, locks] = lockStatements(ids, ids)
  const ascending = int8s([1n, 3n, 7n, 9n].map((wallet) => available(wallet)))
  expect([opens?.values?.[0], locks?.values?.[0]]).toEqual([ascending, ascending])
  // And says so to PostgreSQL too, which promises no order otherwise.
  for (const statement of [opens, locks]) expect(statement?.text).toMatch(/order by (wanted\.)?id/)
})
