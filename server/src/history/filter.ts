import { JOURNAL_KINDS, movedAmounts, type JournalKind, type JournalRef } from '#ledger'
import { counterpartyOf, touchedAssets } from './moved-amounts.ts'
import { noteHasWords } from './note-words.ts'

/** Which of a wallet's operations are asked for. What is null asks for nothing. */
export interface OperationFilter {
  readonly walletId: bigint
  readonly kind: JournalKind | null
  readonly assetId: number | null
  /** Size of what moved in the asset, in minor units, both included, whichever way it went. Only with an asset. */
  readonly sizes: { readonly least: bigint; readonly most: bigint } | null
  readonly counterpartyId: bigint | null
  /** Compared words, each the beginning of a word of the note; empty asks for nothing. */
  readonly words: readonly string[]
  /** Operations from `seqMin` up to, not with, `seqEnd`: what the time range comes to. */
  readonly seqMin: bigint
  readonly seqEnd: bigint
}

export const SEQ_END = 2n ** 63n - 1n

/**
 * The definition of a match, on the journal itself. The indexes only suggest; so an index may hold too much, and
 * what is answered is still right.
 */
export function matches(filter: OperationFilter, journal: JournalRef): boolean {
  const { walletId, kind, assetId, counterpartyId, words, seqMin, seqEnd } = filter
  if (journal.seq < seqMin || journal.seq >= seqEnd) return false
  if (kind !== null && journal.kind !== kind) return false
  if (assetId !== null && !touchedAssets(journal.postings, walletId).has(assetId)) return false
  if (counterpartyId !== null && counterpartyOf(journal, walletId) !== counterpartyId) return false
  if (!matchesSize(filter, journal)) return false
  return words.length === 0 || noteHasWords(noteOf(journal) ?? '', words)
}

function matchesSize({ sizes, assetId, walletId }: OperationFilter, journal: JournalRef): boolean {
  if (sizes === null || assetId === null) return true
  const moved = movedAmounts(journal.postings, walletId).get(assetId)
  if (moved === undefined) return false
  const size = sizeOf(moved)
  return size >= sizes.least && size <= sizes.most
}

/** What a size is. */
export function sizeOf(moved: bigint): bigint {
  return moved < 0n ? -moved : moved
}

export function noteOf({ detail }: JournalRef): string | null {
  const note = detail?.['note']
  return typeof note === 'string' && note !== '' ? note : null
}

export const KIND_NUMBERS: readonly number[] = Object.values(JOURNAL_KINDS)

/** What nothing can match: an empty range. */
export function asksForNothing({ seqMin, seqEnd, sizes }: OperationFilter): boolean {
  return seqMin >= seqEnd || (sizes !== null && sizes.least > sizes.most)
}
