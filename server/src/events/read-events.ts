import type { JournalEvent } from '@kantor/contract/events'
import type { Queryable } from '#db'
import {
  assetIdOf,
  assetsByIds,
  balancesBefore,
  blocksAfter,
  heightOf,
  journalsBySeq,
  journalSeqsAfter,
  journalsOfBlocks,
  lastEntries,
  lastSeqOf,
  type JournalRef,
} from '#ledger'
import { assetsMoved, customersOf, eventsOf, toldAccounts, type MappingTerms } from './map-journals.ts'

/** A stretch of the ledger as events. */
export interface Slice {
  readonly events: readonly JournalEvent[]
  /** Everything up to this seq is told; at least the last event's. */
  readonly upTo: bigint
}

const JOURNALS_PER_SLICE = 1_000
const BLOCKS_PER_SLICE = 256

/**
 * What the ledger's sealed blocks say behind this seq, oldest first; null when there is nothing yet. Whole blocks, of
 * about `journals` in all, and at least one block.
 */
export async function readSlice(
  q: Queryable,
  afterSeq: bigint,
  journals: number = JOURNALS_PER_SLICE,
): Promise<Slice | null> {
  // Read from a block's middle on, its beginning is read again and left out: nobody stops there for long.
  const doneHeight = afterSeq === lastSeqOf(heightOf(afterSeq)) ? heightOf(afterSeq) : heightOf(afterSeq) - 1n
  const blocks = await blocksAfter(q, doneHeight < 0n ? 0n : doneHeight, BLOCKS_PER_SLICE)
  let count = 0
  const wanted = blocks.filter(({ journalCount }, index) => {
    count += journalCount
    return index === 0 || count <= journals
  })
  const [first, last] = [wanted[0], wanted.at(-1)]
  if (first === undefined || last === undefined) return null
  const upTo = lastSeqOf(last.height)
  const read = await journalsOfBlocks(q, first.height, wanted.length)
  const fresh = read.filter(({ seq }) => seq > afterSeq)
  return { events: fresh.length === 0 ? [] : eventsOf(fresh, await readTerms(q, fresh)), upTo }
}

/**
 * One wallet's events behind this seq, oldest first: to catch up after a gap. They tell of that wallet only; its
 * counterparties are not read.
 */
export async function eventsAfter(
  q: Queryable,
  walletId: bigint,
  afterSeq: bigint,
  limit: number,
): Promise<JournalEvent[]> {
  const seqs = await journalSeqsAfter(q, walletId, afterSeq, limit)
  if (seqs.length === 0) return []
  const tells = (id: bigint) => id === walletId
  const journals = await journalsBySeq(q, seqs)
  return eventsOf(journals, await readTerms(q, journals, tells), tells)
}

/** The events of these journals alone, in order; those without a customer are left out. */
export async function eventsBySeq(q: Queryable, seqs: readonly bigint[]): Promise<JournalEvent[]> {
  const journals = await journalsBySeq(q, [...seqs])
  const events: JournalEvent[] = []
  // One at a time, since between them other journals may have moved what these leave alone.
  for (const journal of journals) events.push(...eventsOf([journal], await readTerms(q, [journal])))
  return events
}

async function readTerms(
  q: Queryable,
  journals: readonly JournalRef[],
  tells: (walletId: bigint) => boolean = () => true,
): Promise<MappingTerms> {
  const pairs = journals.flatMap(({ seq, kind, postings }) =>
    customersOf(postings)
      .filter(tells)
      .map((walletId) => ({ walletId, kind, seq, assetIds: assetsMoved(postings, walletId) })),
  )
  const entries = await lastEntries(q, pairs)
  const assetIds = new Set(journals.flatMap(({ postings }) => postings.map(({ from }) => assetIdOf(from))))
  const [opening, assets] = [
    await readOpening(q, pairs, entries, journals[0]?.seq ?? 0n),
    await assetsByIds(q, [...assetIds]),
  ]
  return { entries, opening, assets }
}

/** Of the accounts that are told of and not touched by the journal itself: what they held before all of these. */
async function readOpening(
  q: Queryable,
  pairs: readonly { walletId: bigint; seq: bigint; assetIds: readonly number[] }[],
  entries: Awaited<ReturnType<typeof lastEntries>>,
  firstSeq: bigint,
): Promise<ReadonlyMap<bigint, bigint>> {
  const touched = new Set(entries.map(({ seq, accountId }) => `${seq}:${accountId}`))
  const untouched = pairs.flatMap(({ walletId, seq, assetIds }) =>
    assetIds
      .flatMap((assetId) => Object.values(toldAccounts(walletId, assetId)))
      .filter((account) => !touched.has(`${seq}:${account}`)),
  )
  if (untouched.length === 0) return new Map()
  return balancesBefore(q, [...new Set(untouched)], firstSeq)
}
