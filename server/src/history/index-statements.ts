import type { Queryable, Tx } from '#db'

/** Rows stay within their pages, so that a look-up reads one page and not a TOAST table. */
const SEQS_PER_ROW = 128
const SIZES_PER_ROW = 64

/** Names this room among the advisory locks; a wallet id has 36 bits. */
const LOCK_SPACE = 0x48n << 40n

/** False when another process is at it. Until the end of the tx. */
export async function lockIndex(tx: Tx, walletId: bigint): Promise<boolean> {
  const { rows } = await tx.query<{ locked: boolean }>(`select pg_try_advisory_xact_lock($1) as locked`, [
    LOCK_SPACE + walletId,
  ])
  return rows[0]?.locked === true
}

export async function readLastChunk(
  q: Queryable,
  walletId: bigint,
): Promise<{ no: number; lastSeq: bigint } | null> {
  const { rows } = await q.query<{ no: number; lastSeq: bigint }>(
    `select no, last_seq as "lastSeq" from history.chunks where wallet_id = $1 order by no desc limit 1`,
    [walletId],
  )
  return rows[0] ?? null
}

export async function insertChunk(tx: Tx, walletId: bigint, no: number, lastSeq: bigint): Promise<void> {
  await tx.query(`insert into history.chunks (wallet_id, no, last_seq) values ($1, $2, $3)`, [
    walletId,
    no,
    lastSeq,
  ])
}

/** @param lists by term, oldest first */
export async function insertTerms(
  tx: Tx,
  walletId: bigint,
  lists: ReadonlyMap<string, readonly bigint[]>,
): Promise<void> {
  const terms: string[] = []
  const firstSeqs: bigint[] = []
  const rows: string[] = []
  for (const [term, seqs] of lists) {
    for (let start = 0; start < seqs.length; start += SEQS_PER_ROW) {
      terms.push(term)
      firstSeqs.push(seqs[start] ?? 0n)
      rows.push(`{${seqs.slice(start, start + SEQS_PER_ROW).join(',')}}`)
    }
  }
  await tx.query(
    `insert into history.terms (wallet_id, term, first_seq, seqs)
     select $1, row.term, row.first_seq, row.seqs::bigint[]
     from unnest($2::text[], $3::bigint[], $4::text[]) row (term, first_seq, seqs)
     order by row.term, row.first_seq`,
    [walletId, terms, firstSeqs, rows],
  )
}

/** How much one operation moved of one asset. */
export interface MovedSize {
  readonly assetId: number
  readonly size: bigint
  readonly seq: bigint
}

/** Moved sizes (`asset_id, size, seq`) as the rows of one run: each asset's in order of size, cut into parts. */
const asRun = (moved: string): string => `
  insert into history.sizes (wallet_id, level, run, asset_id, part, smallest, largest, sizes, seqs)
  select $1, $2, $3, asset_id, part, min(size), max(size),
    array_agg(size order by size, seq), array_agg(seq order by size, seq)
  from (
    select asset_id, size, seq,
      (row_number() over (partition by asset_id order by size, seq) - 1) / ${SIZES_PER_ROW} as part
    from (${moved}) moved
  ) placed
  group by asset_id, part`

export async function insertSizes(
  tx: Tx,
  walletId: bigint,
  run: number,
  moved: readonly MovedSize[],
): Promise<void> {
  const insert = asRun(
    'select asset_id, size, seq from unnest($4::integer[], $5::bigint[], $6::bigint[]) given (asset_id, size, seq)',
  )
  const columns = [
    moved.map(({ assetId }) => assetId),
    moved.map(({ size }) => size),
    moved.map(({ seq }) => seq),
  ]
  await tx.query(insert, [walletId, 0, run, ...columns])
}

/** One run out of the complete runs `first` to `last` of the level below. */
export async function mergeSizes(
  tx: Tx,
  walletId: bigint,
  target: { level: number; run: number; first: number; last: number },
): Promise<void> {
  const insert = asRun(`
    select asset_id, each.size, each.seq
    from history.sizes below cross join unnest(below.sizes, below.seqs) each (size, seq)
    where below.wallet_id = $1 and below.level = $2::smallint - 1 and below.run between $4 and $5`)
  await tx.query(insert, [walletId, target.level, target.run, target.first, target.last])
}
