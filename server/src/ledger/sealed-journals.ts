import type { Queryable } from '#db'
import { encodeDetail, hashLeaf, type CanonicalJournal } from './canonical.ts'
import type { JsonValue } from './types.ts'

/** A journal as it is stored, to the microsecond, so that whatever was changed in it shows. */
export interface SealedJournal {
  seq: bigint
  recordedAtMicros: bigint
  effectiveAtMicros: bigint | null
  scope: bigint
  keyHash: Buffer
  requestHash: Buffer
  kind: number
  postings: bigint[]
  consumes: string | null
  reverses: bigint | null
  detail: { [key: string]: JsonValue } | null
}

/** Journals with from ≤ seq < to, in order. */
export async function sealedJournals(q: Queryable, from: bigint, to: bigint): Promise<SealedJournal[]> {
  const { rows } = await q.query<SealedJournal>(
    `select seq, (extract(epoch from recorded_at) * 1000000)::bigint as "recordedAtMicros",
       (extract(epoch from effective_at) * 1000000)::bigint as "effectiveAtMicros", scope,
       uuid_send(key_hash) as "keyHash", uuid_send(request_hash) as "requestHash", kind, postings, consumes, reverses,
       detail
     from ledger.journals where seq >= $1 and seq < $2 order by seq`,
    [from, to],
  )
  return rows
}

/** @throws TypeError for a journal that nobody could have posted. */
export function leafOfSealed(journal: SealedJournal): Buffer {
  return hashLeaf(canonicalOf(journal))
}

export function canonicalOf({ detail, ...journal }: SealedJournal): CanonicalJournal {
  return { ...journal, detail: detail === null ? null : encodeDetail(detail) }
}

export interface SealedBlockRow {
  height: bigint
  sealedAtMicros: bigint
  journalCount: number
  previousHash: Buffer
  journalsRoot: Buffer
  hash: Buffer
}

export const BLOCK_COLUMNS = `
  height, (extract(epoch from sealed_at) * 1000000)::bigint as "sealedAtMicros", journal_count as "journalCount",
  previous_hash as "previousHash", journals_root as "journalsRoot", hash`
