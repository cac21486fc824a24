import type { Database, Tx } from '#db'
import { JOURNAL_KINDS, journalsBySeq, journalSeqsAfter, movedAmounts, type JournalRef } from '#ledger'
import { noteOf, sizeOf } from './filter.ts'
import {
  insertChunk,
  insertSizes,
  insertTerms,
  lockIndex,
  mergeSizes,
  readLastChunk,
  type MovedSize,
} from './index-statements.ts'
import { touchedAssets } from './moved-amounts.ts'
import { facetTerm, noteTerms } from './note-words.ts'
import { RUN_FAN_OUT, RUN_LEVEL_MAX } from './size-source.ts'

/** The larger, the fewer rows a rare word or a size search meets; the longer one transaction takes (0.1 s). */
const OPERATIONS_PER_CHUNK = 4_096
/** Read at once. Between reads the process does its other work. */
const OPERATIONS_PER_READ = 512
/** A chunk ends early past this, so that notes made of many words do not make a transaction long. */
const LISTED_PER_CHUNK = 150_000

interface Gathered {
  readonly lists: Map<string, bigint[]>
  readonly sizes: MovedSize[]
  listed: number
  lastSeq: bigint
}

/**
 * Indexes the wallet's next operations, oldest first, if at least `operationsLeast` wait. All or nothing; what
 * was indexed never changes. Nothing can be added before its end: seqs become visible in their order.
 * @returns whether to go on
 */
export async function indexNextChunk(
  db: Database,
  walletId: bigint,
  {
    operationsLeast,
    operationsMost = OPERATIONS_PER_CHUNK,
  }: { operationsLeast: number; operationsMost?: number },
): Promise<boolean> {
  return db.transaction(async (tx) => {
    if (!(await lockIndex(tx, walletId))) return false
    const last = await readLastChunk(tx, walletId)
    const seqs = await journalSeqsAfter(tx, walletId, last?.lastSeq ?? 0n, operationsMost)
    if (seqs.length < operationsLeast) return false
    const gathered = await gather(tx, walletId, seqs)
    const no = last === null ? 0 : last.no + 1
    await insertTerms(tx, walletId, gathered.lists)
    await insertSizes(tx, walletId, no, gathered.sizes)
    await mergeFullRuns(tx, walletId, no)
    await insertChunk(tx, walletId, no, gathered.lastSeq)
    return true
  })
}

async function gather(tx: Tx, walletId: bigint, seqs: readonly bigint[]): Promise<Gathered> {
  const gathered: Gathered = { lists: new Map(), sizes: [], listed: 0, lastSeq: 0n }
  for (
    let start = 0;
    start < seqs.length && gathered.listed < LISTED_PER_CHUNK;
    start += OPERATIONS_PER_READ
  ) {
    const journals = await journalsBySeq(tx, seqs.slice(start, start + OPERATIONS_PER_READ))
    for (const journal of journals) addJournal(gathered, walletId, journal)
  }
  return gathered
}

function addJournal(gathered: Gathered, walletId: bigint, journal: JournalRef): void {
  const { seq, kind, postings } = journal
  for (const assetId of touchedAssets(postings, walletId))
    list(gathered, facetTerm(JOURNAL_KINDS[kind], assetId), seq)
  for (const term of noteTerms(noteOf(journal) ?? '')) list(gathered, term, seq)
  for (const [assetId, moved] of movedAmounts(postings, walletId)) {
    gathered.sizes.push({ assetId, size: sizeOf(moved), seq })
  }
  gathered.lastSeq = seq
}

function list(gathered: Gathered, term: string, seq: bigint): void {
  const seqs = gathered.lists.get(term)
  if (seqs === undefined) gathered.lists.set(term, [seq])
  else seqs.push(seq)
  gathered.listed += 1
}

/** After the last of every 16 runs of a level, they are one of the next. */
async function mergeFullRuns(tx: Tx, walletId: bigint, chunk: number): Promise<void> {
  let run = chunk
  for (let level = 1; level <= RUN_LEVEL_MAX && (run + 1) % RUN_FAN_OUT === 0; level += 1) {
    const first = run + 1 - RUN_FAN_OUT
    await mergeSizes(tx, walletId, { level, run: first / RUN_FAN_OUT, first, last: run })
    run = first / RUN_FAN_OUT
  }
}
