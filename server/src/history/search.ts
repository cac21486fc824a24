import type { Queryable } from '#db'
import { JOURNAL_KINDS, journalsBySeq, type JournalRef } from '#ledger'
import { asksForNothing, KIND_NUMBERS, matches, type OperationFilter } from './filter.ts'
import { termsSource, wordSource } from './index-sources.ts'
import { assetSource, counterpartySource, feedSource } from './ledger-sources.ts'
import { facetTerm } from './note-words.ts'
import { sizeSource, type LastChunk } from './size-source.ts'
import { intersect, type Agreement, type Source, type Stretch } from './source.ts'

/** How much one page may look at. Past it the page is short, and its cursor goes on from there. */
const ROUNDS_MAX = 6
/** Operations that each source is asked for, when there are several or when few of its operations may match. */
const COUNT_SEVERAL = 256
const COUNT_DOUBTFUL = 128
const COUNT_MAX = 2_048
const GROWTH = 4
/** Journals read in one round to see whether they match. */
const JUDGED_MAX = 512
/** So few operations are rather judged than looked for in the other sources. */
const RARE_MAX = 128
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
  if (asksForNothing(filter)) return { journals: [], below: null }
  const zones = zonesOf(filter, needsIndex(filter) ? await readIndexState(q, filter.walletId) : null)
  const found: JournalRef[] = []
  let below = place.below < filter.seqEnd ? place.below : filter.seqEnd
  let count = 0
  for (let round = 0; round < ROUNDS_MAX && below > filter.seqMin && found.length <= limit; round += 1) {
    const zone = zones.find(({ floor }) => below > floor)
    if (zone === undefined) break
    count = Math.max(count, zone.countFirst(limit))
    const looked = await lookFurther(q, filter, { zone, below, count, wanted: limit + 1 - found.length })
    found.push(...looked.journals)
    below = looked.reached
    count = below > zone.floor ? Math.min(count * GROWTH, COUNT_MAX) : 0
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
  readonly countFirst: (limit: number) => number
}

function zonesOf(filter: OperationFilter, index: IndexState | null): Zone[] {
  const { seqMin } = filter
  const known = sourcesOf(filter, index)
  const countKnown = (limit: number): number => (known.length > 1 ? COUNT_SEVERAL : limit + 1)
  const indexed = { sources: known, floor: seqMin, countFirst: countKnown }
  if (!needsIndex(filter)) return [indexed]
  const recent = { sources: sourcesOf(filter, null), floor: seqMin, countFirst: () => COUNT_DOUBTFUL }
  if (index === null || index.lastSeq < seqMin) return [recent]
  return index.isComplete ? [indexed] : [{ ...recent, floor: index.lastSeq + 1n }, indexed]
}

/** Whether the wallet's index has something to say that the ledger's own indexes have not. */
export function needsIndex({ words, sizes, kind, assetId }: OperationFilter): boolean {
  return words.length > 0 || sizes !== null || (kind !== null && assetId !== null)
}

/** Never empty, the quickest to read first. What another source implies is left out. */
function sourcesOf(filter: OperationFilter, index: LastChunk | null): Source[] {
  const { walletId, kind, assetId, sizes, counterpartyId, words } = filter
  const sources: Source[] = []
  if (index !== null) {
    const longest = words.toSorted((one, other) => other.length - one.length).slice(0, WORD_SOURCES_MAX)
    sources.push(...longest.map((word) => wordSource(walletId, word)))
    if (sizes !== null && assetId !== null) sources.push(sizeSource({ walletId, assetId, sizes }, index))
    if (kind !== null && assetId !== null) {
      sources.push(termsSource(walletId, [facetTerm(JOURNAL_KINDS[kind], assetId)]))
    }
  }
  const impliesAsset = index !== null && (sizes !== null || kind !== null)
  const impliesKind = counterpartyId !== null || (index !== null && assetId !== null)
  if (counterpartyId !== null) sources.push(counterpartySource(walletId, counterpartyId))
  if (assetId !== null && !impliesAsset) sources.push(assetSource(walletId, assetId))
  if (kind !== null && !impliesKind) sources.push(feedSource(walletId, kind))
  return sources.length > 0 ? sources : [feedSource(walletId, null)]
}

interface Look {
  readonly zone: Zone
  readonly below: bigint
  /** Operations that each source is asked for. */
  readonly count: number
  /** Matches that are enough. */
  readonly wanted: number
}

interface Looked {
  readonly journals: readonly JournalRef[]
  /** Every match from here up was found. */
  readonly reached: bigint
}

/** One round: asks every source of the zone, and judges what they agree on. */
async function lookFurther(q: Queryable, filter: OperationFilter, look: Look): Promise<Looked> {
  const { zone, below, count } = look
  const stretches: Stretch[] = []
  for (const source of zone.sources) {
    const stretch = await source.seek(q, below, count)
    stretches.push(stretch)
    if (stretch.reached <= zone.floor && stretch.seqs.length <= RARE_MAX) break
  }
  const { stretch, readFirst } = toJudge(intersect(stretches), look.wanted)
  const { floor } = zone
  const inZone = stretch.seqs.filter((seq) => seq >= floor)
  const seqs = inZone.slice(0, JUDGED_MAX)
  const { journals, judged } = await judge(q, filter, { seqs, readFirst, wanted: look.wanted })
  const last = inZone[judged - 1]
  if (judged < inZone.length && last !== undefined) return { journals, reached: last }
  return { journals, reached: stretch.reached > floor ? stretch.reached : floor }
}

/**
 * What all sources agree on is read first, and only as much as is wanted. Below that, where not every source was
 * read, it is worth reading on if there is little, or if enough agreed above to expect matches.
 */
function toJudge(
  { agreed, possible, share }: Agreement,
  wanted: number,
): { stretch: Stretch; readFirst: number } {
  const missing = wanted - agreed.seqs.length
  if (missing <= 0) return { stretch: agreed, readFirst: wanted }
  if (share > 0) return { stretch: possible, readFirst: agreed.seqs.length + Math.ceil(missing / share) }
  const isLittle = possible.seqs.length <= RARE_MAX
  return isLittle ? { stretch: possible, readFirst: RARE_MAX } : { stretch: agreed, readFirst: wanted }
}

/** Reads the journals, at first so many, until enough of them match. */
async function judge(
  q: Queryable,
  filter: OperationFilter,
  { seqs, readFirst, wanted }: { seqs: readonly bigint[]; readFirst: number; wanted: number },
): Promise<{ journals: JournalRef[]; judged: number }> {
  const journals: JournalRef[] = []
  let judged = 0
  for (let step = readFirst; judged < seqs.length && journals.length < wanted; step *= GROWTH) {
    const some = seqs.slice(judged, judged + step)
    const read = await journalsBySeq(q, some)
    journals.push(...read.toReversed().filter((journal) => matches(filter, journal)))
    judged += some.length
  }
  return { journals, judged }
}

interface IndexState extends LastChunk {
  /** Whether there is no later operation. */
  readonly isComplete: boolean
}

/** Null while the wallet has no index. */
async function readIndexState(q: Queryable, walletId: bigint): Promise<IndexState | null> {
  const { rows } = await q.query<IndexState>(
    `select no, last_seq as "lastSeq", not exists (
       select from unnest($2::bigint[]) wanted (kind)
       cross join lateral (
         select from ledger.entries
         where ((account_id >> 27) << 6 | entries.kind) = ($1::bigint << 6 | wanted.kind)
           and account_id >= 134217728000 and seq > last_seq
         limit 1
       ) newer
     ) as "isComplete"
     from history.chunks where wallet_id = $1 order by no desc limit 1`,
    [walletId, KIND_NUMBERS],
  )
  return rows[0] ?? null
}
