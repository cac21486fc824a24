import type { Queryable, Tx } from '#db'
import { newestPriceSeq } from '#market-data'

/**
 * Makes the cursor of a source: at the oldest price that an open order still waits to be followed, or at the end. Its
 * row may exist already.
 */
export async function openCursor(q: Queryable, source: string): Promise<void> {
  const newest = await newestPriceSeq(q)
  await q.query(
    `insert into trading.price_cursors (source, seq)
     values ($1, least($2, (select min(last_seq) from trading.orders where done_at is null)))
     on conflict (source) do nothing`,
    [source, newest],
  )
}

/** Where to go on, locked until the tx ends; null while another worker is at it. */
export async function lockCursor(tx: Tx, source: string): Promise<bigint | null> {
  const { rows } = await tx.query<{ seq: bigint }>({
    name: 'trading.lock_cursor',
    text: 'select seq from trading.price_cursors where source = $1 for update skip locked',
    values: [source],
  })
  return rows[0]?.seq ?? null
}

export async function readCursor(q: Queryable, source: string): Promise<bigint | null> {
  const { rows } = await q.query<{ seq: bigint }>({
    name: 'trading.cursor',
    text: 'select seq from trading.price_cursors where source = $1',
    values: [source],
  })
  return rows[0]?.seq ?? null
}

export async function moveCursor(tx: Tx, source: string, seq: bigint): Promise<void> {
  await tx.query({
    name: 'trading.move_cursor',
    text: 'update trading.price_cursors set seq = $2 where source = $1',
    values: [source, seq],
  })
}
