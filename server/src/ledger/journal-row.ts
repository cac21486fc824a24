import { heightOf, journalId } from './journal-id.ts'
import { JOURNAL_KINDS, type JournalKind, type JournalRef, type JsonValue, type Posting } from './types.ts'

/** A stored journal, as the statements of this room select it (`JOURNAL_COLUMNS`). */
export interface JournalRow {
  seq: bigint
  kind: number
  scope: bigint
  recordedAt: Date
  effectiveAt: Date | null
  requestHash: Buffer
  postings: bigint[]
  /** The original's seq and time, from which its id is made. */
  reverses: bigint | null
  reversedAt: Date | null
  detail: { [key: string]: JsonValue } | null
}

const KIND_BY_NUMBER: ReadonlyMap<number, JournalKind> = new Map(
  Object.entries(JOURNAL_KINDS).map(([name, number]) => [number, name as JournalKind]),
)

export function kindOf(number: number): JournalKind {
  const kind = KIND_BY_NUMBER.get(number)
  if (kind === undefined) throw new Error(`a journal of unknown kind ${number}`)
  return kind
}

export function postingsOf(triples: readonly bigint[]): Posting[] {
  const postings: Posting[] = []
  for (let index = 0; index + 2 < triples.length; index += 3) {
    const [from = 0n, to = 0n, amount = 0n] = triples.slice(index, index + 3)
    postings.push({ from, to, amount })
  }
  return postings
}

export function refOf(row: JournalRow): JournalRef {
  return {
    id: journalId(row.recordedAt, row.seq),
    seq: row.seq,
    blockHeight: heightOf(row.seq),
    recordedAt: row.recordedAt,
    effectiveAt: row.effectiveAt ?? row.recordedAt,
    kind: kindOf(row.kind),
    scope: row.scope,
    postings: postingsOf(row.postings),
    reverses:
      row.reverses === null || row.reversedAt === null ? null : journalId(row.reversedAt, row.reverses),
    detail: row.detail,
  }
}
