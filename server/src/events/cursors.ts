import type { Queryable, Tx } from '#db'

/** How long a process that stopped answering keeps a cursor from the others. It is held only while there is work. */
const LEASE_SECONDS = 5

/**
 * Begins at `seq`, unless it exists: a consumer is told of what happens from its first start on. Looked for first,
 * since `on conflict` waits for the tx that holds a cursor: a process could not start while a handler takes long.
 */
export async function declareCursor(q: Queryable, name: string, seq: bigint): Promise<void> {
  await q.query(
    `insert into events.cursors (name, seq)
     select $1, $2 where not exists (select from events.cursors where name = $1)
     on conflict (name) do nothing`,
    [name, seq],
  )
}

export interface CursorState {
  readonly seq: bigint
  readonly movedAt: Date
  /** Held by another process that was heard of within the lease. */
  readonly heldElsewhere: boolean
}

export async function readCursor(q: Queryable, name: string, holder: string): Promise<CursorState> {
  const { rows } = await q.query<CursorState>({
    name: 'events_read_cursor',
    text: `
      select seq, moved_at as "movedAt", holder is distinct from $2 and held_until > now() as "heldElsewhere"
      from events.cursors where name = $1`,
    values: [name, holder],
  })
  const [cursor] = rows
  if (cursor === undefined) throw new Error(`there is no cursor ${name}`)
  return cursor
}

/**
 * Locks the cursor until the end of the tx and keeps others off it for a lease. Null while another process has it.
 * @param takes whoever holds a lease on it: the broker says that this process is the one.
 */
export async function claimCursor(
  tx: Tx,
  claim: { name: string; holder: string; takes: boolean; leaseSeconds?: number },
): Promise<bigint | null> {
  const { rows } = await tx.query<{ seq: bigint }>({
    name: 'events_claim_cursor',
    text: `
      update events.cursors set holder = $2, held_until = now() + make_interval(secs => $4)
      where name = (
        select name from events.cursors
        where name = $1 and ($3 or holder is not distinct from $2 or held_until <= now())
        for update skip locked)
      returning seq`,
    values: [claim.name, claim.holder, claim.takes, claim.leaseSeconds ?? LEASE_SECONDS],
  })
  return rows[0]?.seq ?? null
}

/** Only by who has claimed it in this tx. The lease begins anew: the work may have taken longer than it. */
export async function advanceCursor(tx: Tx, name: string, seq: bigint): Promise<void> {
  await tx.query({
    name: 'events_advance_cursor',
    text: `
      update events.cursors set seq = $2, moved_at = now(), trying_seq = null, tries = 0,
        held_until = clock_timestamp() + (held_until - now())
      where name = $1 and seq <= $2`,
    values: [name, seq],
  })
}

/**
 * Writes down that an event is about to be tried alone, before it is: it may end the process. @returns its tries so
 * far, this one included. @param counted 0 when the last one failed for a reason that was not the event's.
 */
export async function noteTry(q: Queryable, name: string, seq: bigint, counted: 0 | 1): Promise<number> {
  const { rows } = await q.query<{ tries: number }>(
    `update events.cursors
        set trying_seq = $2, tries = case when trying_seq = $2 then tries + $3::integer else 1 end
      where name = $1 returning tries`,
    [name, seq, counted],
  )
  return rows[0]?.tries ?? 1
}

export async function forgetTries(q: Queryable, name: string): Promise<void> {
  await q.query(`update events.cursors set tries = 0, trying_seq = null where name = $1`, [name])
}

/** So that another process need not wait for the lease to run out. */
export async function releaseCursors(q: Queryable, holder: string): Promise<void> {
  await q.query(`update events.cursors set held_until = '-infinity' where holder = $1`, [holder])
}
