import { testDatabase } from '#test/harness'
import { bulkCounterparties, insertBulkHistory } from '#test/bulk-history'
import { fakeClock } from '#test/fake-clock'
import { declareCurrencies } from '#test/test-ledger'
import { beforeAll, expect, test } from 'vitest'
import { createIndexBuilder } from './index-builder.ts'
import { indexNextChunk } from './index-chunk.ts'
import { runsDownFrom } from './size-source.ts'

const { db, ownerDb } = await testDatabase()
const clock = fakeClock()
const errors: unknown[] = []
const builder = () => createIndexBuilder({ db, clock: clock.now, onError: (error) => errors.push(error) })

const chunksOf = async (walletId: bigint) => {
  const { rows } = await db.query<{ no: number; last_seq: bigint }>(
    'select no, last_seq from history.chunks where wallet_id = $1 order by no',
    [walletId],
  )
  return rows
}

beforeAll(async () => {
  await declareCurrencies(db)
  for (const [walletId, operations] of [
    [1000n, 100],
    [1001n, 300],
    [1002n, 5_000],
  ] as const) {
    await insertBulkHistory(ownerDb, { walletId, operations })
  }
})

test('a wallet with few operations gets no index, whatever is asked of it', async () => {
  const { consider, idle } = builder()
  consider(1000n, 'searched')
  await idle()
  expect(await chunksOf(1000n)).toEqual([])
})

test('a search has a wallet indexed that opening its history does not', async () => {
  const { consider, idle } = builder()
  consider(1001n, 'read')
  await idle()
  expect(await chunksOf(1001n)).toEqual([])
  consider(1001n, 'searched')
  await idle()
  expect(await chunksOf(1001n)).toHaveLength(1)
})

test('opening a long history has it indexed to its end but for less than a chunk', async () => {
  const { consider, idle } = builder()
  consider(1002n, 'read')
  await idle()
  expect(await chunksOf(1002n)).toHaveLength(1)
  consider(1002n, 'searched')
  await idle()
  const chunks = await chunksOf(1002n)
  const { rows } = await db.query<{ last: bigint }>(
    'select max(seq) as last from ledger.entries where account_id >> 27 = 1002',
  )
  expect(chunks.at(-1)?.last_seq).toBe(rows[0]?.last)
})

test('two builders at once index each operation once', async () => {
  const walletId = bulkCounterparties(1002n).frequent
  const index = () => indexNextChunk(db, walletId, { operationsLeast: 1, operationsMost: 20 })
  for (let turn = 0; turn < 6; turn += 1) await Promise.all([index(), index(), index()])
  while (await index());
  const { rows } = await db.query<{ listed: bigint; different: bigint; all: bigint }>(
    `select count(*) as listed, count(distinct seq) as different,
       (select count(distinct seq) from ledger.entries where account_id >> 27 = $1) as all
     from history.terms cross join unnest(seqs) seq where wallet_id = $1 and term like '#%'`,
    [walletId],
  )
  expect(rows[0]?.listed).toBe(rows[0]?.all)
  expect(rows[0]?.different).toBe(rows[0]?.all)
})

test('a builder that fails says so and goes on; a closed one takes nothing more', async () => {
  const failing = createIndexBuilder({
    db: { ...db, transaction: () => Promise.reject(new Error('away')) },
    clock: clock.now,
    onError: (error) => errors.push(error),
  })
  failing.consider(1001n, 'searched')
  await failing.idle()
  expect(errors).toEqual([new Error('away')])
  await failing.close()
  failing.consider(1002n, 'searched')
  await failing.idle()
  expect(errors).toHaveLength(1)
})

test('a wallet is considered again only after a pause', async () => {
  let looks = 0
  const counting = createIndexBuilder({
    db: { ...db, transaction: async () => Promise.reject(new Error(`look ${(looks += 1)}`)) },
    clock: clock.now,
    onError: () => {},
  })
  for (let turn = 0; turn < 3; turn += 1) {
    counting.consider(1000n, 'searched')
    await counting.idle()
  }
  expect(looks).toBe(1)
  clock.advance(2_000)
  counting.consider(1000n, 'searched')
  await counting.idle()
  expect(looks).toBe(2)
})

test.each([
  [0, ['0:0']],
  [2, ['0:2', '0:1', '0:0']],
  [15, ['1:0']],
  [17, ['0:17', '0:16', '1:0']],
  [255, [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((run) => `1:${run}`)],
  [33, ['0:33', '0:32', '1:1', '1:0']],
])('chunks 0 to %i are covered by the fewest complete runs, newest first', (chunk, expected) => {
  expect(runsDownFrom(chunk).map(({ level, run }) => `${level}:${run}`)).toEqual(expected)
})
