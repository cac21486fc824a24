import type { Queryable } from '#db'
import { JOURNAL_KINDS, journalsBySeq, type JournalRef } from '#ledger'
import { asksForNothing, matches, type OperationFilter } from './filter.ts'
import { termsSource, wordSource } from './index-sources.ts'
import { assetSource, counterpartySource, feedSource } from './ledger-sources.ts'
import { facetTerm } from './note-words.ts'
import { sizeSource } from './size-source.ts'
import { intersect, type Source, type Stretch } from './source.ts'

/** How much one page may look at. Past it the page is short, and its cursor goes on from there. */
const ROUNDS_MAX = 6
/** Operations that each source is asked for: few at first, then more, since few of them matched. */
const COUNT_FIRST = 128
const COUNT_MAX = 2_048
const COUNT_GROWTH = 4
/** Journals read in one round to see whether they match. */
const JUDGED_MAX = 512
/** Each word of a search is a source of its own; the longest ones say the most, the others are only judged. */
const WORD_SOURCES_MAX = 4

export interface FoundPage {
  /** Newest first, at most `limit`. */
  readonly journals: readonly JournalRef[]
  /** Everything from here up was looked at; null when there is no more. */
  readonly below: bigint | null
}

/**
 * One page of the operations that match, newest first, older than `below`. Each filter is a source of seqs in that
 * order; the sources are intersected in memory, and what remains is judged on the journals themselves. So one
 * rare filter makes any combination cheap. Of several frequent ones that hardly ever meet, a page looks at a
 * bounded part: it may then be short, or empty, and still have a cursor.
 */
export async function searchOperations(
  q: Queryable,
  filter: OperationFilter,
  place: { below: bigint; limit: number },
): Promise<FoundPage> {
  const { limit } = place
  const indexedTo = needsIndex(filter) ? await readIndexedTo(q, filter.walletId) : 0n
  const isExact = sourcesOf(filter, true).length === 1 && filter.words.length === 0 && !needsIndex(filter)
  const found: JournalRef[] = []
  let below = place.below < filter.seqEnd ? place.below : filter.seqEnd
  let count = isExact ? limit + 1 : Math.max(COUNT_FIRST, limit + 1)
  if (asksForNothing(filter)) return { journals: [], below: null }
  const zones = zonesOf(filter, indexedTo)
  for (let round = 0; round < ROUNDS_MAX && below > filter.seqMin && found.length <= limit; round += 1) {
    const zone = zones.find(({ floor }) => below > floor)
    if (zone === undefined) break
    const looked = await lookFurther(q, filter, { zone, below, count })
    found.push(...looked.journals)
    below = looked.reached
    if (below > zone.floor) count = Math.min(count * COUNT_GROWTH, COUNT_MAX)
  }
  return pageOf(found, below > filter.seqMin ? below : null, limit)
}

function pageOf(found: readonly JournalRef[], below: bigint | null, limit: number): FoundPage {
  if (found.length <= limit) return { journals: found, below }
  const journals = found.slice(0, limit)
  return { journals, below: journals.at(-1)?.seq ?? below }
}

/** A part of the history in which the same sources know everything: seq ≥ floor. */
interface Zone {
  readonly sources: readonly Source[]
  readonly floor: bigint
}

function zonesOf(filter: OperationFilter, indexedTo: bigint): Zone[] {
  const { seqMin } = filter
  const indexed = { sources: sourcesOf(filter, true), floor: seqMin }
  if (!needsIndex(filter)) return [indexed]
  const sources = sourcesOf(filter, false)
  const isIndexed = indexedTo > 0n && indexedTo >= seqMin
  return isIndexed ? [{ sources, floor: indexedTo + 1n }, indexed] : [{ sources, floor: seqMin }]
}

/** Whether the wallet's index has something to say that the ledger's own indexes have not. */
export function needsIndex({ words, sizes, kind, assetId }: OperationFilter): boolean {
  return words.length > 0 || sizes !== null || (kind !== null && assetId !== null)
}

/** Never empty. What another source implies is left out. */
function sourcesOf(filter: OperationFilter, indexed: boolean): Source[] {
  const { walletId, kind, assetId, sizes, counterpartyId, words } = filter
  const sources: Source[] = []
  if (counterpartyId !== null) sources.push(counterpartySource(walletId, counterpartyId))
  if (indexed) {
    const longest = words.toSorted((one, other) => other.length - one.length).slice(0, WORD_SOURCES_MAX)
    sources.push(...longest.map((word) => wordSource(walletId, word)))
    if (sizes !== null && assetId !== null) sources.push(sizeSource({ walletId, assetId, sizes }))
    if (kind !== null && assetId !== null) {
      sources.push(termsSource(walletId, [facetTerm(JOURNAL_KINDS[kind], assetId)]))
    } else if (assetId !== null && sizes === null) sources.push(assetSource(walletId, assetId))
    else if (kind !== null) sources.push(feedSource(walletId, kind))
  } else {
    if (kind !== null) sources.push(feedSource(walletId, kind))
    if (assetId !== null) sources.push(assetSource(walletId, assetId))
  }
  return sources.length > 0 ? sources : [feedSource(walletId, null)]
}

/** One round: asks every source of the zone, and judges what they agree on. */
async function lookFurther(
  q: Queryable,
  filter: OperationFilter,
  { zone, below, count }: { zone: Zone; below: bigint; count: number },
): Promise<{ journals: JournalRef[]; reached: bigint }> {
  const stretches: Stretch[] = []
  for (const source of zone.sources) {
    const stretch = await source.seek(q, below, count)
    stretches.push(stretch)
    const isRare = stretch.reached <= zone.floor && stretch.seqs.length <= COUNT_FIRST
    // Reading these few journals is cheaper than asking the other sources about them.
    if (isRare) break
  }
  const agreed = intersect(stretches)
  const inZone = agreed.seqs.filter((seq) => seq >= zone.floor)
  const judged = inZone.slice(0, JUDGED_MAX)
  const last = judged.at(-1)
  const cutOff = judged.length < inZone.length && last !== undefined
  const reached = cutOff ? last : agreed.reached > zone.floor ? agreed.reached : zone.floor
  const journals = judged.length === 0 ? [] : await journalsBySeq(q, judged)
  return { journals: journals.toReversed().filter((journal) => matches(filter, journal)), reached }
}

/** The last operation that the wallet's index knows; 0 while there is no index. */
async function readIndexedTo(q: Queryable, walletId: bigint): Promise<bigint> {
  const { rows } = await q.query<{ last_seq: bigint }>(
    `select last_seq from history.chunks where wallet_id = $1 order by no desc limit 1`,
    [walletId],
  )
  return rows[0]?.last_seq ?? 0n
}
