import { operationsQuery } from '@kantor/contract/api'
import type { Database } from '#db'
import { bulkCounterparties, insertBulkHistory, RARE } from '#test/bulk-history'
import { testDatabase } from '#test/harness'
import { declareCurrencies } from '#test/test-ledger'
import { openAssetBook } from '#wallets'
import { beforeAll, expect, test } from 'vitest'
import { indexNextChunk } from './index-chunk.ts'
import { listOperations } from './list-operations.ts'

/** Pages of 8 KiB that a list touches are counted, not time, so that a busy machine judges alike. */

const { db, ownerDb } = await testDatabase()
const SHORT = 1000n
const LONG = 1001n
const BUFFERS_MAX = 1_200

interface Plan {
  readonly 'QUERY PLAN': [{ Plan: { 'Shared Hit Blocks': number; 'Shared Read Blocks': number } }]
}

/** A database that explains each statement before it runs it. */
function counting(): { db: Database; touched: () => number } {
  let touched = 0
  const query: Database['query'] = async (statement, values) => {
    const { text, values: given } = typeof statement === 'string' ? { text: statement, values } : statement
    const { rows } = await db.query<{ 'QUERY PLAN': Plan['QUERY PLAN'] }>(
      `explain (analyze, buffers, format json) ${text}`,
      given,
    )
    const [row] = rows
    if (row === undefined) throw new Error('a statement without a plan')
    const [{ Plan: plan }] = row['QUERY PLAN']
    touched += plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
    return db.query(statement, values)
  }
  return { db: { ...db, query }, touched: () => touched }
}

async function costOf(
  walletId: bigint,
  asked: Record<string, string>,
): Promise<{ buffers: number; items: number }> {
  const counted = counting()
  const page = await listOperations(
    {
      db: counted.db,
      assets: openAssetBook(db, () => new Date()),
      people: {
        byWalletIds: async () => new Map(),
        walletOfHandle: async (handle) =>
          bulkCounterparties(walletId)[handle === 'rare' ? 'rare' : 'frequent'],
      },
      indexBuilder: { consider: () => {}, idle: async () => {}, close: async () => {} },
    },
    walletId,
    operationsQuery.parse(asked),
  )
  return { buffers: counted.touched(), items: page.items.length }
}

beforeAll(async () => {
  await declareCurrencies(db)
  await insertBulkHistory(ownerDb, { walletId: SHORT, operations: 1_000 })
  await insertBulkHistory(ownerDb, { walletId: LONG, operations: 100_000 })
  for (const walletId of [SHORT, LONG]) while (await indexNextChunk(db, walletId, { operationsLeast: 256 }));
  await ownerDb.query('vacuum analyze')
}, 300_000)

const amounts = { asset: 'EUR', amountMin: RARE.amountMin, amountMax: RARE.amountMax }

test.each<[string, Record<string, string>, number]>([
  ['everything', {}, 30],
  ['a frequent kind', { kind: 'transfer' }, 30],
  ['a kind that occurs 3 times', { kind: RARE.kind }, 3],
  ['a frequent asset', { asset: 'USD' }, 30],
  ['an asset used once', { asset: RARE.asset }, 1],
  ['a frequent counterparty', { counterparty: 'frequent' }, 30],
  ['a counterparty met 3 times', { counterparty: 'rare' }, 3],
  ['a wide range of amounts', { asset: 'EUR', amountMin: '100.00', amountMax: '900.00' }, 30],
  ['amounts that 3 have', amounts, 3],
  ['one exact amount', { asset: 'EUR', amountMin: RARE.amount, amountMax: RARE.amount }, 3],
  ['amounts that none has', { asset: 'EUR', amountMin: '1000.50', amountMax: '2000.00' }, 0],
  ['a word in 3 notes', { q: RARE.word }, 3],
  ['a beginning in 3 notes', { q: 'złotog' }, 3],
  ['a frequent word', { q: 'coffee' }, 30],
  ['a frequent beginning', { q: 'co' }, 30],
  ['a beginning of 300 words', { q: 'proje' }, 30],
  ['a word in no note', { q: 'absolutely' }, 0],
  ['a kind and an asset, 3 times', { kind: RARE.kind, asset: 'USD' }, 3],
  ['a frequent kind and a frequent asset that never meet', { kind: 'transfer', asset: 'USD' }, 0],
  ['a frequent kind and a rare word', { kind: 'transfer', q: RARE.word }, 3],
  ['a frequent counterparty and rare amounts', { counterparty: 'frequent', ...amounts }, 0],
  ['a rare counterparty and a frequent word', { counterparty: 'rare', q: 'coffee' }, 0],
])('a page of %s touches as little of a long history as of a short one', async (_, asked, least) => {
  const [short, long] = [await costOf(SHORT, asked), await costOf(LONG, asked)]
  expect(long.items).toBeGreaterThanOrEqual(least)
  // A binary search and a tree of runs are deeper for the long one, by a few dozen pages and never in proportion.
  expect(long.buffers).toBeLessThan(short.buffers * 1.5 + 250)
  expect(long.buffers).toBeLessThan(BUFFERS_MAX)
})

test('frequent filters that hardly meet end a page at its bound, with a cursor', async () => {
  const { buffers } = await costOf(LONG, { counterparty: 'frequent', q: 'coffee late project1' })
  expect(buffers).toBeLessThan(8_000)
})
