import { createHash } from 'node:crypto'
import type { Queryable } from '#db'

/**
 * Judges the ledger's tables after the facts, written apart from the code that fills them: it imports none of it, does
 * its own arithmetic and hashing, and holds everything in memory, since it only ever judges tests.
 */

interface JournalRecord {
  seq: bigint
  recorded: bigint
  effective: bigint | null
  scope: bigint
  key: string
  request: string
  kind: number
  postings: bigint[]
  consumes: string | null
  reverses: bigint | null
  detail: unknown
}

interface EntryRecord {
  account_id: bigint
  version: bigint
  seq: bigint
  amount: bigint
  balance_after: bigint
  kind: number
}

interface BlockRecord {
  height: bigint
  sealed: bigint
  journal_count: number
  previous_hash: Buffer
  journals_root: Buffer
  hash: Buffer
}

interface AccountRecord {
  id: bigint
  balance: bigint
  version: bigint
}

/** What is wrong, one sentence each; empty when nothing is. */
export async function auditLedger(q: Queryable): Promise<string[]> {
  const journals = await readJournals(q)
  const { rows: blocks } = await q.query<BlockRecord>(
    `select height, (extract(epoch from sealed_at) * 1e6)::int8 sealed, journal_count, previous_hash, journals_root,
       hash from ledger.blocks order by height`,
  )
  const { rows: entries } = await q.query<EntryRecord>(
    'select account_id, version, seq, amount, balance_after, kind from ledger.entries order by account_id, version',
  )
  const { rows: accounts } = await q.query<AccountRecord>('select id, balance, version from ledger.accounts')
  const { rows: heads } = await q.query<{ height: bigint; hash: Buffer }>(
    'select height, hash from ledger.chain_head',
  )
  return [
    ...auditSums(journals, accounts),
    ...auditEntries(journals, entries),
    ...auditUniqueness(journals),
    ...auditChain(blocks, journals, heads[0]),
  ]
}

async function readJournals(q: Queryable): Promise<JournalRecord[]> {
  const { rows } = await q.query<JournalRecord>(
    `select seq, (extract(epoch from recorded_at) * 1e6)::int8 recorded,
       (extract(epoch from effective_at) * 1e6)::int8 effective, scope, replace(key_hash::text, '-', '') "key",
       replace(request_hash::text, '-', '') request, kind, postings, consumes, reverses, detail
     from ledger.journals order by seq`,
  )
  return rows
}

/** Replays all postings from nothing: what each account must hold, that no customer ever held less than zero. */
function auditSums(journals: JournalRecord[], accounts: AccountRecord[]): string[] {
  const wrong: string[] = []
  const held = new Map<bigint, bigint>()
  const count = new Map<bigint, bigint>()
  for (const { seq, postings } of journals) {
    for (let at = 0; at < postings.length; at += 3) {
      const [from, to, amount] = [postings[at] ?? 0n, postings[at + 1] ?? 0n, postings[at + 2] ?? 0n]
      if (amount < 1n) wrong.push(`journal ${seq} moves ${amount}`)
      if ((from / 128n) % 1048576n !== (to / 128n) % 1048576n) wrong.push(`journal ${seq} changes the asset`)
      held.set(from, (held.get(from) ?? 0n) - amount)
      if (from / 134217728n >= 1000n && (held.get(from) ?? 0n) < 0n)
        wrong.push(`journal ${seq} overdraws ${from}`)
      held.set(to, (held.get(to) ?? 0n) + amount)
      for (const id of [from, to]) count.set(id, (count.get(id) ?? 0n) + 1n)
    }
  }
  const perAsset = new Map<bigint, bigint>()
  for (const { id, balance, version } of accounts) {
    if (balance !== (held.get(id) ?? 0n)) wrong.push(`account ${id} holds ${balance}, not ${held.get(id)}`)
    if (version !== (count.get(id) ?? 0n))
      wrong.push(`account ${id} has version ${version}, not ${count.get(id)}`)
    held.delete(id)
    const asset = (id / 128n) % 1048576n
    perAsset.set(asset, (perAsset.get(asset) ?? 0n) + balance)
  }
  for (const id of held.keys()) wrong.push(`account ${id} is missing`)
  for (const [asset, sum] of perAsset) if (sum !== 0n) wrong.push(`asset ${asset} sums to ${sum}`)
  return wrong
}

/** The entries, as one multiset of lines, are those that the journals make. */
function auditEntries(journals: JournalRecord[], entries: EntryRecord[]): string[] {
  const running = new Map<bigint, { balance: bigint; version: bigint }>()
  const expected = new Set<string>()
  for (const { seq, kind, postings } of journals) {
    for (let at = 0; at < postings.length; at += 3) {
      const amount = postings[at + 2] ?? 0n
      for (const [id, change] of [
        [postings[at] ?? 0n, 0n - amount],
        [postings[at + 1] ?? 0n, amount],
      ] as const) {
        const last = running.get(id) ?? { balance: 0n, version: 0n }
        const now = { balance: last.balance + change, version: last.version + 1n }
        running.set(id, now)
        expected.add([id, now.version, seq, change, now.balance, kind].join(' '))
      }
    }
  }
  const wrong: string[] = []
  for (const { account_id, version, seq, amount, balance_after, kind } of entries) {
    const line = [account_id, version, seq, amount, balance_after, kind].join(' ')
    if (!expected.delete(line)) wrong.push(`entry ${line} follows from no journal`)
  }
  return [...wrong, ...[...expected].map((line) => `entry ${line} is missing`)]
}

function auditUniqueness(journals: JournalRecord[]): string[] {
  const wrong: string[] = []
  const seen = new Set<string>()
  for (const { seq, scope, key, consumes, reverses } of journals) {
    const uses = [
      `key ${scope}/${key}`,
      consumes && `consumes ${consumes}`,
      reverses && `reverses ${reverses}`,
    ]
    for (const use of uses) {
      if (use && seen.has(use)) wrong.push(`journal ${seq} is not the first that ${use}`)
      if (use) seen.add(use)
    }
  }
  return wrong
}

function auditChain(
  blocks: BlockRecord[],
  journals: JournalRecord[],
  head: { height: bigint; hash: Buffer } | undefined,
): string[] {
  const wrong: string[] = []
  let previous = sha256(Buffer.from('kantor.genesis.v1'))
  let sealed = 0n
  let expectedHeight = 0n
  const byHeight = Map.groupBy(journals, ({ seq }) => seq / 4096n)
  for (const block of blocks) {
    expectedHeight += 1n
    const inside = byHeight.get(block.height) ?? []
    const header = Buffer.concat([
      Buffer.from('kantor.block.v1'),
      i64(block.height),
      previous,
      treeHash(inside.map(leafBytes)),
      Buffer.from([0, 0, inside.length >> 8, inside.length & 255]),
      i64(block.sealed),
    ])
    if (block.height !== expectedHeight) wrong.push(`block ${block.height} is not ${expectedHeight}`)
    if (!block.hash.equals(sha256(header))) wrong.push(`block ${block.height} has another hash`)
    if (!block.previous_hash.equals(previous)) wrong.push(`block ${block.height} hangs in the air`)
    if (block.sealed < sealed) wrong.push(`block ${block.height} is older than its predecessor`)
    if (inside.some(({ seq }, at) => seq % 4096n !== BigInt(at))) wrong.push(`block ${block.height} has gaps`)
    if (inside.some(({ recorded }) => recorded !== block.sealed))
      wrong.push(`block ${block.height}: times differ`)
    previous = block.hash
    sealed = block.sealed
  }
  const sealedJournals = blocks.reduce((sum, { journal_count }) => sum + journal_count, 0)
  if (sealedJournals !== journals.length)
    wrong.push(`${journals.length - sealedJournals} journals are not sealed`)
  if (head?.height !== expectedHeight || !head.hash.equals(previous))
    wrong.push('the head is not the last block')
  return wrong
}

/** MTH of RFC 6962, as the RFC writes it: recursively, split at the largest power of two. */
function treeHash(leaves: Buffer[]): Buffer {
  const [only] = leaves
  if (only === undefined) return sha256(Buffer.alloc(0))
  if (leaves.length === 1) return sha256(Buffer.concat([Buffer.from([0]), only]))
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return sha256(
    Buffer.concat([Buffer.from([1]), treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split))]),
  )
}

function leafBytes(journal: JournalRecord): Buffer {
  const { effective, consumes, reverses, detail, postings } = journal
  const optional = [effective, consumes, reverses, detail].map((part) => part !== null)
  return Buffer.concat([
    Buffer.from([1, journal.kind]),
    i64(journal.scope),
    Buffer.from(journal.key + journal.request, 'hex'),
    Buffer.from([optional.reduce((bits, given, at) => bits + (given ? 2 ** at : 0), 0)]),
    effective === null ? Buffer.alloc(0) : i64(effective),
    consumes === null
      ? Buffer.alloc(0)
      : Buffer.concat([i64(BigInt(utf8(consumes).length)).subarray(6), utf8(consumes)]),
    reverses === null ? Buffer.alloc(0) : i64(reverses),
    Buffer.from([postings.length / 3]),
    ...postings.map(i64),
    detail === null ? Buffer.alloc(0) : valueBytes(detail),
  ])
}

function valueBytes(value: unknown): Buffer {
  if (value === null) return Buffer.from([0])
  if (value === false) return Buffer.from([1])
  if (value === true) return Buffer.from([2])
  if (typeof value === 'number') return Buffer.concat([Buffer.from([3]), i64(BigInt(value))])
  if (typeof value === 'string') return Buffer.concat([Buffer.from([4]), textBytes(value)])
  if (Array.isArray(value))
    return Buffer.concat([Buffer.from([5]), u32(value.length), ...value.map(valueBytes)])
  const members = Object.entries(Object(value)).toSorted(([one], [other]) => (one < other ? -1 : 1))
  const parts = members.flatMap(([key, member]) => [textBytes(key), valueBytes(member)])
  return Buffer.concat([Buffer.from([6]), u32(members.length), ...parts])
}

const utf8 = (text: string) => Buffer.from(text, 'utf8')
const textBytes = (text: string) => Buffer.concat([u32(utf8(text).length), utf8(text)])

function u32(value: number): Buffer {
  return i64(BigInt(value)).subarray(4)
}

/** Two's complement, big-endian, by hand. */
function i64(value: bigint): Buffer {
  return Buffer.from(BigInt.asUintN(64, value).toString(16).padStart(16, '0'), 'hex')
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
