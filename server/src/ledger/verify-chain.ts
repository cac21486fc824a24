import type { Queryable } from '#db'
import { assetIdOf } from './account-id.ts'
import { GENESIS_HASH, hashBlock, merkleRoot } from './chain.ts'
import { rowsOf } from './cursor.ts'
import { mirrorOf } from './decide.ts'
import { heightOf, seqOf } from './journal-id.ts'
import { postingsOf } from './journal-row.ts'
import {
  BLOCK_COLUMNS,
  leafOfSealed,
  sealedJournals,
  type SealedBlockRow,
  type SealedJournal,
} from './sealed-journals.ts'
import type { BreakCollector, VerifyProgress } from './verify.ts'

interface ChainTerms {
  breaks: BreakCollector
  onProgress: (progress: VerifyProgress) => void
  expectedHead: { height: bigint; hash: string } | null
}

export interface ChainFacts {
  blocks: bigint
  journals: bigint
  postings: bigint
  head: { height: bigint; hash: Buffer; sealedAtMicros: bigint }
}

/** Blocks are read together until they hold this many journals: what is in memory at once. */
const JOURNALS_PER_WINDOW = 4_096

/** Every block follows from the one before it, and every journal is in the block that its seq names. */
export async function verifyChain(q: Queryable, terms: ChainTerms): Promise<ChainFacts> {
  const facts: ChainFacts = {
    blocks: 0n,
    journals: 0n,
    postings: 0n,
    head: { height: 0n, hash: GENESIS_HASH, sealedAtMicros: 0n },
  }
  const total = await storedHead(q)
  let window: SealedBlockRow[] = []
  let journalsInWindow = 0
  let isExpectedHeadSeen = terms.expectedHead === null || terms.expectedHead.height === 0n
  // From before the first possible seq, and on from where the last window ended, so that no journal lies between.
  let from = -(2n ** 63n)
  const flush = async (to: bigint) => {
    await verifyWindow(q, { terms, facts, window, from, to })
    from = to
    window = []
    journalsInWindow = 0
    terms.onProgress({ stage: 'chain', done: facts.head.height, total: total.height })
  }
  for await (const block of rowsOf<SealedBlockRow>(q, 'verify_blocks', blocksQuery)) {
    window.push(block)
    journalsInWindow += block.journalCount
    const { expectedHead } = terms
    if (block.height === expectedHead?.height && block.hash.toString('hex') === expectedHead.hash) {
      isExpectedHeadSeen = true
    }
    if (journalsInWindow >= JOURNALS_PER_WINDOW) await flush(seqOf(block.height + 1n, 0))
  }
  await flush(2n ** 63n - 1n)
  if (!isExpectedHeadSeen) {
    terms.breaks.report(
      terms.expectedHead?.height ?? null,
      'the head that was noted earlier is not in the chain',
    )
  }
  compareHead(terms.breaks, facts, total)
  return facts
}

const blocksQuery = `select ${BLOCK_COLUMNS} from ledger.blocks order by height`

interface StoredHead {
  height: bigint
  hash: Buffer
  sealedAtMicros: bigint
}

async function storedHead(q: Queryable): Promise<StoredHead> {
  const { rows } = await q.query<StoredHead>(
    `select height, hash, (extract(epoch from last_recorded_at) * 1000000)::bigint as "sealedAtMicros"
     from ledger.chain_head`,
  )
  return rows[0] ?? { height: -1n, hash: Buffer.alloc(0), sealedAtMicros: 0n }
}

function compareHead(breaks: BreakCollector, { head }: ChainFacts, stored: StoredHead): void {
  const agrees =
    stored.height === head.height &&
    stored.hash.equals(head.hash) &&
    stored.sealedAtMicros === head.sealedAtMicros
  if (!agrees) breaks.report(head.height, 'the chain head is not the last block')
}

interface Window {
  terms: ChainTerms
  facts: ChainFacts
  window: SealedBlockRow[]
  from: bigint
  to: bigint
}

async function verifyWindow(q: Queryable, { terms, facts, window, from, to }: Window): Promise<void> {
  const journals = await sealedJournals(q, from, to)
  const originals = await originalsOf(q, journals)
  let next = 0
  for (const block of window) {
    const first = next
    while (next < journals.length && heightOf(journals[next]?.seq ?? 0n) <= block.height) next += 1
    const ofBlock = journals.slice(first, next)
    const broken = breakOfBlock(facts, block, ofBlock)
    if (broken !== null) terms.breaks.report(block.height, broken)
    for (const journal of ofBlock) {
      const what = breakOfJournal(journal, originals)
      if (what !== null) terms.breaks.report(block.height, what)
      facts.postings += BigInt(Math.floor(journal.postings.length / 3))
    }
    facts.blocks += 1n
    facts.journals += BigInt(ofBlock.length)
    facts.head = { height: block.height, hash: block.hash, sealedAtMicros: block.sealedAtMicros }
  }
  const stray = journals[next]
  if (stray !== undefined) terms.breaks.report(heightOf(stray.seq), `journal ${stray.seq} is in no block`)
}

function breakOfBlock({ head }: ChainFacts, block: SealedBlockRow, journals: SealedJournal[]): string | null {
  if (block.height !== head.height + 1n) return `block ${block.height} does not follow block ${head.height}`
  if (!block.previousHash.equals(head.hash)) return 'the block does not name the hash of the block before it'
  if (block.sealedAtMicros < head.sealedAtMicros) return 'the block was sealed before the block before it'
  if (journals.length !== block.journalCount) {
    return `the block holds ${journals.length} journals and counts ${block.journalCount}`
  }
  for (const [position, journal] of journals.entries()) {
    if (journal.seq !== seqOf(block.height, position)) return `journal ${journal.seq} is out of place`
    if (journal.recordedAtMicros !== block.sealedAtMicros) return `journal ${journal.seq} has another time`
  }
  const leaves = leavesOf(journals)
  if (leaves === null) return 'a journal holds what nobody could have posted'
  if (!merkleRoot(leaves).equals(block.journalsRoot)) return 'the journals are not those that were sealed'
  return hashBlock(block).equals(block.hash) ? null : 'the block is not what was sealed'
}

function leavesOf(journals: SealedJournal[]): Buffer[] | null {
  try {
    return journals.map(leafOfSealed)
  } catch {
    return null
  }
}

/** What the ledger would have refused. */
function breakOfJournal(journal: SealedJournal, originals: ReadonlyMap<bigint, bigint[]>): string | null {
  const named = `journal ${journal.seq}`
  for (const { from, to, amount } of postingsOf(journal.postings)) {
    if (amount <= 0n) return `${named} moves no positive amount`
    if (from === to || assetIdOf(from) !== assetIdOf(to)) return `${named} moves between assets or nowhere`
  }
  if (journal.reverses === null) return null
  const original = originals.get(journal.reverses)
  if (original === undefined || journal.reverses >= journal.seq) return `${named} reverses what was not there`
  if (journal.consumes !== `reversal:${journal.reverses}`) return `${named} may reverse more than once`
  const mirror = mirrorOf(postingsOf(original)).map(({ from, to, amount }) => `${from}>${to}:${amount}`)
  const moves = postingsOf(journal.postings).map(({ from, to, amount }) => `${from}>${to}:${amount}`)
  return mirror.toSorted().join() === moves.toSorted().join()
    ? null
    : `${named} reverses more than its original`
}

async function originalsOf(q: Queryable, journals: SealedJournal[]): Promise<Map<bigint, bigint[]>> {
  const seqs = journals.flatMap(({ reverses }) => reverses ?? [])
  if (seqs.length === 0) return new Map()
  const { rows } = await q.query<{ seq: bigint; postings: bigint[] }>(
    `select seq, postings from ledger.journals where seq = any ($1::bigint[])`,
    [seqs],
  )
  return new Map(rows.map(({ seq, postings }) => [seq, postings]))
}
