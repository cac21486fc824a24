import { randomUUIDv7 } from 'node:crypto'
import type { Queryable, Tx } from '#db'

export interface DeadLetter {
  readonly id: string
  readonly consumer: string
  /** Null for a message that was no event of ours; then `body` is what it was. */
  readonly seq: bigint | null
  readonly body: string | null
  readonly reason: string
  readonly tries: number
  readonly diedAt: Date
  /** It was asked to be handled once more, and has not been yet. */
  readonly isReplayed: boolean
}

/**
 * Past this a consumer waits instead of putting events aside: what fails for so many is no poison but a fault of the
 * consumer, and the ledger keeps what it has not read.
 */
export const DEAD_LETTERS_MAX = 1_000
const REASON_CHARS_MAX = 1_000
const BODY_CHARS_MAX = 65_536
const STRANGERS_MAX = 100
const LISTED_MAX = 100

/** Of events; not of what was none. */
export async function countDeadLetters(q: Queryable, consumer: string): Promise<number> {
  const { rows } = await q.query<{ count: number }>(
    `select count(*)::integer as count from events.dead_letters where consumer = $1 and seq is not null`,
    [consumer],
  )
  return rows[0]?.count ?? 0
}

export async function bury(
  tx: Tx,
  letter: { consumer: string; seq: bigint; reason: string; tries: number },
): Promise<void> {
  await tx.query(
    `insert into events.dead_letters (id, consumer, seq, reason, tries) values ($1, $2, $3, $4, $5)
         on conflict (consumer, seq) do update
            set reason = excluded.reason, tries = excluded.tries, died_at = now(), replay_at = null`,
    [randomUUIDv7(), letter.consumer, letter.seq, storable(letter.reason, REASON_CHARS_MAX), letter.tries],
  )
}

/** A message that was no event of ours, as far as there is room. @returns whether there was */
export async function buryStranger(q: Queryable, consumer: string, body: string): Promise<boolean> {
  const { rowCount } = await q.query(
    `insert into events.dead_letters (id, consumer, body, reason, tries)
     select $1, $2, $3, 'it is no event of ours', 0
      where (select count(*) from events.dead_letters where consumer = $2 and seq is null) < ${STRANGERS_MAX}`,
    [randomUUIDv7(), consumer, storable(body, BODY_CHARS_MAX)],
  )
  return rowCount === 1
}

/** PostgreSQL's text has every character but one. */
function storable(text: string, charsMax: number): string {
  return text.replaceAll('\0', '\uFFFD').slice(0, charsMax)
}

/** Newest first, at most 100. */
export async function selectDeadLetters(q: Queryable): Promise<DeadLetter[]> {
  const { rows } = await q.query<DeadLetter>(
    `select id, consumer, seq, body, reason, tries, died_at as "diedAt", replay_at is not null as "isReplayed"
       from events.dead_letters order by died_at desc, id limit ${LISTED_MAX}`,
  )
  return rows
}

/** False when there is none, or it was no event, which nobody could handle. */
export async function requestReplay(q: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await q.query(
    `update events.dead_letters set replay_at = now() where id = $1 and seq is not null`,
    [id],
  )
  return rowCount === 1
}

export async function requestReplays(q: Queryable, consumer: string): Promise<number> {
  const { rowCount } = await q.query(
    `update events.dead_letters set replay_at = now() where consumer = $1 and seq is not null`,
    [consumer],
  )
  return rowCount ?? 0
}

/** False when there is none. */
export async function discardDeadLetter(q: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await q.query(`delete from events.dead_letters where id = $1`, [id])
  return rowCount === 1
}

/**
 * Takes the request away before it is tried, so that an event that ends the process does so once per request, and of
 * two processes one has it.
 */
export async function takeReplay(
  q: Queryable,
  consumer: string,
): Promise<{ id: string; seq: bigint } | null> {
  const { rows } = await q.query<{ id: string; seq: bigint }>(
    `update events.dead_letters set replay_at = null, tries = tries + 1
      where id = (
        select id from events.dead_letters where consumer = $1 and replay_at is not null
         order by replay_at, seq limit 1 for update skip locked)
      returning id, seq`,
    [consumer],
  )
  return rows[0] ?? null
}

/** False when somebody else has done it. Locked until the end of the tx. */
export async function endDeadLetter(tx: Tx, id: string): Promise<boolean> {
  return discardDeadLetter(tx, id)
}

export async function noteReplayFailure(q: Queryable, id: string, reason: string): Promise<void> {
  await q.query(`update events.dead_letters set reason = $2, died_at = now() where id = $1`, [
    id,
    storable(reason, REASON_CHARS_MAX),
  ])
}
