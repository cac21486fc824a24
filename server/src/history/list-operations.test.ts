import { operationsQuery, type Operation } from '@kantor/contract/api'
import { accountId, JOURNAL_KINDS, mirrorOf, PURPOSE, type JournalKind, type PostCommand } from '#ledger'
import { testDatabase } from '#test/harness'
import { seededRandom } from '#test/seeded-random'
import { deposit, EUR, funding, hashOf, JPY, testLedger, transfer, USD } from '#test/test-ledger'
import { openAssetBook } from '#wallets'
import { beforeAll, describe, expect, test } from 'vitest'
import type { HistoryDeps } from './deps.ts'
import { indexNextChunk } from './index-chunk.ts'
import { listOperations } from './list-operations.ts'

/**
 * The oracle reads every journal and judges it by itself: with its own arithmetic, in the open, without an index.
 * Whatever `listOperations` finds by sources, indexes and cursors must be that.
 */

const database = await testDatabase()
const { db } = database
const ledger = await testLedger(database)
const clock = () => new Date()

const WALLETS = [1000n, 1001n, 1002n, 1003n]
const HANDLES = new Map(WALLETS.map((id) => [`user${id}`, id]))
const CODES = new Map([
  ['EUR', { id: EUR, digits: 2 }],
  ['USD', { id: USD, digits: 2 }],
  ['JPY', { id: JPY, digits: 0 }],
])
const NOTES = [
  'Rent for November',
  'rental car, Łódź',
  'Zażółć gęślą jaźń',
  'lunch — pizza & cola',
  'Konstantynopolitańczykowianeczka pisze bardzo długie słowa',
  'no 000123',
  'no 000124 renty',
  '🎉',
]

const deps: HistoryDeps = {
  db,
  assets: openAssetBook(db, clock),
  people: {
    byWalletIds: async (ids) => new Map(ids.map((id) => [id, { handle: `user${id}`, name: 'Us**' }])),
    walletOfHandle: async (handle) => HANDLES.get(handle) ?? null,
  },
  indexBuilder: { consider: () => {}, idle: async () => {}, close: async () => {} },
}

const random = seededRandom()
let keys = 0

function account(walletId: bigint, assetId: number, purpose: number = PURPOSE.available): bigint {
  return accountId({ walletId, assetId, purpose })
}

function command(kind: JournalKind, scope: bigint, moves: [bigint, bigint, bigint][]): PostCommand {
  const postings = moves.map(([from, to, amount]) => ({ from, to, amount }))
  const opens = postings.flatMap(({ from, to }) => [from, to])
  return { kind, scope, key: `k${(keys += 1)}`, requestHash: hashOf('any'), postings, opens }
}

/** Amounts that often repeat, so that ranges meet none, few and many. */
function anyAmount(): bigint {
  return random.pick([1n, 10n, 1000n, 1000n, 1234n, random.bigint(1n, 5000n)])
}

function anyCommand(): PostCommand {
  const walletId = random.pick(WALLETS)
  const other = random.pick(WALLETS.filter((id) => id !== walletId))
  const assetId = random.pick([EUR, EUR, EUR, USD, JPY])
  const own = account(walletId, assetId)
  const reserved = account(walletId, assetId, PURPOSE.reserved)
  const amount = anyAmount()
  const note = random.pick(['', ...NOTES])
  const detail = note === '' ? {} : { detail: { note } }
  return random.pick<() => PostCommand>([
    () => deposit(`k${(keys += 1)}`, own, amount),
    () => transfer(`k${(keys += 1)}`, own, account(other, assetId), amount, detail),
    () => transfer(`k${(keys += 1)}`, own, account(other, assetId), amount, detail),
    () => command('reserve', walletId, [[own, reserved, amount]]),
    () => command('release', walletId, [[reserved, own, amount]]),
    () => anyConversion(walletId, amount),
    () =>
      command('trade', walletId, [
        [reserved, account(1n, assetId, PURPOSE.brokerage), amount],
        [reserved, own, 1n],
      ]),
    () => command('fee', walletId, [[own, account(1n, assetId, PURPOSE.fees), 1n]]),
  ])()
}

function anyConversion(walletId: bigint, amount: bigint): PostCommand {
  const conversion = command('conversion', walletId, [
    [account(walletId, EUR), account(1n, EUR, PURPOSE.conversion), amount],
    [account(1n, USD, PURPOSE.conversion), account(walletId, USD), amount + 3n],
    [account(walletId, EUR), account(1n, EUR, PURPOSE.fees), 2n],
  ])
  return { ...conversion, detail: { rate: '1.0842' } }
}

async function postAny(count: number): Promise<void> {
  const verdicts = await Promise.all(Array.from({ length: count }, () => ledger.post(anyCommand())))
  for (const verdict of verdicts) {
    if (verdict.outcome !== 'posted' || verdict.journal.kind !== 'transfer' || random.next() > 0.1) continue
    const { id, postings } = verdict.journal
    await ledger.post({ ...command('reversal', 0n, []), reverses: id, postings: mirrorOf(postings) })
  }
}

interface RawJournal {
  seq: bigint
  kind: number
  at: Date
  postings: bigint[]
  note: string | null
}

async function allJournals(): Promise<RawJournal[]> {
  const { rows } = await db.query<RawJournal>(
    `select seq, kind, recorded_at as at, postings, detail->>'note' as note from ledger.journals order by seq desc`,
  )
  return rows
}

type Asked = Partial<
  Record<'kind' | 'asset' | 'counterparty' | 'from' | 'to' | 'amountMin' | 'amountMax' | 'q', string>
>

/** The figures of one asset in one journal, as its owner sees them. */
function netOf(journal: RawJournal, walletId: bigint): { touched: Set<number>; shown: Map<number, bigint> } {
  const net = new Map<number, { all: bigint; available: bigint }>()
  for (let index = 0; index < journal.postings.length; index += 3) {
    const [from = 0n, to = 0n, amount = 0n] = journal.postings.slice(index, index + 3)
    for (const [id, change] of [[from, -amount] as const, [to, amount] as const]) {
      if (id / 2n ** 27n !== walletId) continue
      const assetId = Number((id / 128n) % 2n ** 20n)
      const sums = net.get(assetId) ?? { all: 0n, available: 0n }
      net.set(assetId, {
        all: sums.all + change,
        available: sums.available + (id % 128n === 0n ? change : 0n),
      })
    }
  }
  const within = [...net.values()].every(({ all }) => all === 0n)
  const shown = [...net].map(([id, sums]) => [id, within ? sums.available : sums.all] as const)
  return { touched: new Set(net.keys()), shown: new Map(shown.filter(([, amount]) => amount !== 0n)) }
}

function otherSide(journal: RawJournal, walletId: bigint): bigint | null {
  if (journal.kind !== JOURNAL_KINDS.transfer && journal.kind !== JOURNAL_KINDS.reversal) return null
  const wallets = journal.postings.slice(0, 2).map((id) => id / 2n ** 27n)
  return wallets.find((id) => id !== walletId && id >= 1000n) ?? null
}

function plain(text: string): string[] {
  const spelt = text.toLowerCase().replaceAll('ł', 'l').normalize('NFD')
  return spelt
    .replace(/[\u0300-\u036f]/g, '')
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
}

function minor(text: string, digits: number): bigint {
  const [whole = '', decimals = ''] = text.split('.')
  return BigInt(whole + decimals.padEnd(digits, '0'))
}

function asksFor(journal: RawJournal, walletId: bigint, asked: Asked): boolean {
  const { touched, shown } = netOf(journal, walletId)
  if (touched.size === 0) return false
  if (asked.kind !== undefined && journal.kind !== JOURNAL_KINDS[asked.kind as JournalKind]) return false
  if (asked.from !== undefined && journal.at < new Date(asked.from)) return false
  if (asked.to !== undefined && journal.at > new Date(asked.to)) return false
  if (asked.counterparty !== undefined) {
    const other = HANDLES.get(asked.counterparty.replace('@', ''))
    if (other === undefined || otherSide(journal, walletId) !== other) return false
  }
  if (asked.q !== undefined) {
    const words = plain(journal.note ?? '')
    if (!plain(asked.q).every((start) => words.some((word) => word.startsWith(start)))) return false
  }
  const asset = asked.asset === undefined ? undefined : CODES.get(asked.asset)
  if (asset === undefined) return true
  if (!touched.has(asset.id)) return false
  if (asked.amountMin === undefined && asked.amountMax === undefined) return true
  const moved = shown.get(asset.id)
  if (moved === undefined) return false
  const size = moved < 0n ? -moved : moved
  return (
    (asked.amountMin === undefined || size >= minor(asked.amountMin, asset.digits)) &&
    (asked.amountMax === undefined || size <= minor(asked.amountMax, asset.digits))
  )
}

function anyQuestion(journals: RawJournal[]): Asked {
  const asked: Asked = {}
  const maybe = (share: number): boolean => random.next() < share
  const anyTime = (): string => random.pick(journals).at.toISOString()
  const code = random.pick(['EUR', 'USD', 'JPY'])
  if (maybe(0.3)) asked.kind = random.pick(Object.keys(JOURNAL_KINDS))
  if (maybe(0.5)) asked.asset = code
  if (maybe(0.2)) asked.counterparty = random.pick(['user1001', '@user1002', 'user1003', 'nobody'])
  if (maybe(0.2)) asked.from = anyTime()
  if (maybe(0.2)) asked.to = anyTime()
  if (asked.asset !== undefined && maybe(0.6)) {
    const digits = CODES.get(code)?.digits ?? 0
    const text = (amount: bigint): string =>
      digits === 0 ? `${amount}` : `${amount / 100n}.${(amount % 100n).toString().padStart(2, '0')}`
    if (maybe(0.8)) asked.amountMin = text(anyAmount())
    if (maybe(0.8)) asked.amountMax = text(anyAmount())
  }
  if (maybe(0.4)) {
    asked.q = random.pick([
      'rent',
      'r',
      'RENTA',
      'lodz',
      'zaż gę',
      'konstantyn',
      'konstantynopolitanczykowia',
      '0001',
      '00012',
      'no',
      'no 000124',
      'absent',
      'pizza lunch',
      'slow bardzo dlugie',
    ])
  }
  return asked
}

async function allPages(
  walletId: bigint,
  asked: Asked,
  limit: number,
  between: () => Promise<void>,
): Promise<Operation[]> {
  const operations: Operation[] = []
  let cursor: string | null | undefined
  for (let pages = 0; cursor !== null; pages += 1) {
    if (pages > 1_000) throw new Error('pages without end')
    const query = operationsQuery.parse({
      ...asked,
      limit: `${limit}`,
      ...(cursor === undefined ? {} : { cursor }),
    })
    const page = await listOperations(deps, walletId, query)
    expect(page.items.length).toBeLessThanOrEqual(limit)
    operations.push(...page.items)
    cursor = page.nextCursor
    if (cursor !== null) await between()
  }
  return operations
}

async function compare(questions: number, between: () => Promise<void> = async () => {}): Promise<void> {
  for (let number = 0; number < questions; number += 1) {
    const walletId = random.pick(WALLETS)
    const journals = await allJournals()
    const asked = anyQuestion(journals)
    const limit = random.pick([3, 7, 30, 30, 100])
    const expected = journals.filter((journal) => asksFor(journal, walletId, asked))
    const found = await allPages(walletId, asked, limit, between)
    const label = JSON.stringify({ walletId: `${walletId}`, asked, limit })
    expect({ label, seqs: found.map(seqInId) }).toEqual({ label, seqs: expected.map(({ seq }) => seq) })
    for (const [index, operation] of found.entries()) expectFigures(operation, expected[index], walletId)
  }
}

/** The last 62 bits of an id are the seq's. */
function seqInId({ id }: Operation): bigint {
  return BigInt(`0x${id.slice(19).replaceAll('-', '')}`) % 2n ** 62n
}

function expectFigures(operation: Operation, journal: RawJournal | undefined, walletId: bigint): void {
  if (journal === undefined) throw new Error('more than expected')
  const { shown } = netOf(journal, walletId)
  const amounts = operation.amounts.map(({ asset, amount }) => {
    const { id, digits } = CODES.get(asset) ?? { id: 0, digits: 0 }
    const sign = amount.startsWith('-') ? -1n : 1n
    return [id, sign * minor(amount.replace('-', ''), digits)]
  })
  expect(new Map(amounts as [number, bigint][])).toEqual(shown)
  expect(operation.at).toBe(journal.at.toISOString())
  const other = otherSide(journal, walletId)
  expect(operation.counterparty?.handle).toBe(other === null ? undefined : `user${other}`)
}

beforeAll(async () => {
  for (const walletId of WALLETS) {
    for (const assetId of [EUR, USD, JPY]) {
      await ledger.post(deposit(`k${(keys += 1)}`, account(walletId, assetId), 10_000_000n))
    }
  }
  for (let batch = 0; batch < 15; batch += 1) await postAny(60)
  expect(funding()).toBeLessThan(2n ** 63n)
})

describe(
  'the pages together are the list that a reading of every journal gives',
  { timeout: 180_000 },
  () => {
    test('before there is an index', async () => {
      await compare(40)
    })

    test('while operations are posted between the pages', async () => {
      await compare(15, () => postAny(1))
    })

    test('while the index grows behind and under the pages', async () => {
      const grow = async (): Promise<void> => {
        await indexNextChunk(db, random.pick(WALLETS), {
          operationsLeast: 1,
          operationsMost: random.int(1, 6),
        })
      }
      await compare(30, grow)
    })

    test('with an index of two levels, and a rest that is not indexed', async () => {
      for (let batch = 0; batch < 10; batch += 1) await postAny(60)
      for (let chunk = 0; chunk < 200; chunk += 1) {
        await indexNextChunk(db, 1000n, { operationsLeast: 1, operationsMost: 1 })
      }
      const { rows } = await db.query<{ level: number }>('select max(level) as level from history.sizes')
      expect(rows[0]?.level).toBe(1)
      await compare(80)
    })

    test('with everything indexed', async () => {
      for (const walletId of WALLETS) {
        while (await indexNextChunk(db, walletId, { operationsLeast: 1, operationsMost: 40 }));
      }
      await compare(80)
    })
  },
)
