import type { Queryable } from '#db'
import { headOf, heightOf } from '#ledger'

export interface ConsumerStatus {
  readonly name: string
  /** Journals of the ledger that it has not seen yet, counted up to 100,000. */
  readonly waiting: bigint
  readonly deadLettered: bigint
  /** When it last saw something. */
  readonly lastSeenAt: Date
}

export interface EventsStatus {
  /** Height of the ledger. */
  readonly head: bigint
  /** Height up to which everything is published; the head where there is no broker. */
  readonly relayed: bigint
  /** Journals sealed and not yet published, counted up to 100,000. */
  readonly backlog: bigint
  readonly consumers: readonly ConsumerStatus[]
}

export const COUNTED_MAX = 100_000
export const RELAY = 'relay'

/** Of the consumers that this release has; others that once were keep their place in the table. */
export async function readStatus(
  q: Queryable,
  names: readonly string[],
  isRelayed: boolean,
): Promise<EventsStatus> {
  const { height } = await headOf(q)
  const { rows } = await q.query<{ name: string; seq: bigint; movedAt: Date; waiting: bigint; dead: bigint }>(
    `select cursors.name, cursors.seq, cursors.moved_at as "movedAt", behind.waiting, dead.count as dead
       from events.cursors
      cross join lateral (
        -- Blocks hold at least one journal, so that so many blocks are enough to count so far.
        select least(coalesce(sum(journal_count), 0), ${COUNTED_MAX})::bigint as waiting
          from (select journal_count from ledger.blocks where height > cursors.seq >> 12
                 order by height limit ${COUNTED_MAX}) block) behind
      cross join lateral (
        select count(*) from events.dead_letters where dead_letters.consumer = cursors.name) dead
      where cursors.name = any ($1::text[])
      order by cursors.name`,
    [[...names, RELAY]],
  )
  const relay = rows.find(({ name }) => name === RELAY)
  return {
    head: height,
    relayed: isRelayed && relay !== undefined ? heightOf(relay.seq) : height,
    backlog: isRelayed && relay !== undefined ? relay.waiting : 0n,
    consumers: rows
      .filter(({ name }) => name !== RELAY)
      .map(({ name, waiting, dead, movedAt }) => ({
        name,
        waiting,
        deadLettered: dead,
        lastSeenAt: movedAt,
      })),
  }
}
