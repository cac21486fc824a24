import type { NoticeContent } from '@kantor/contract/api'
import type { Queryable, Tx } from '#db'

/** Of this channel a process hears which wallet (by its id) has a new notice in the app. */
const CHANNEL = 'kantor_notices'

export type NoticeRow = NoticeContent & {
  id: string
  position: bigint
  created_at: Date
}

/** Holds the wallet's list until the tx ends: places are given, and become visible, one after the other. */
export function lockInbox(tx: Tx, walletId: bigint): Promise<void> {
  return lockInboxes(tx, [walletId])
}

/** Ascending, so that two who lock cannot cross. */
export async function lockInboxes(tx: Tx, walletIds: readonly bigint[]): Promise<void> {
  await tx.query({
    name: 'notifications.lock_inboxes',
    text: `
      insert into notifications.inboxes as known (wallet_id)
      select distinct wallet_id from unnest($1::bigint[]) as wanted (wallet_id) order by wallet_id
      on conflict (wallet_id) do update set last_position = known.last_position`,
    values: [[...walletIds]],
  })
}

export interface NewNotice {
  readonly id: string
  readonly walletId: bigint
  readonly content: NoticeContent
  readonly dedupeKey: string
  readonly createdAt: Date
  /** False: it is told by other ways only, and has no place in the list. */
  readonly inApp: boolean
}

/**
 * Each in the next place of its wallet's list, which the tx holds: so what was told before can be left out before
 * places are given, and none is given for nothing. @returns the ids of those that were not told before
 */
export async function insertNotices(tx: Tx, notices: readonly NewNotice[]): Promise<ReadonlySet<string>> {
  const rows = notices.map(({ id, walletId, content, dedupeKey, createdAt, inApp }, number) => ({
    id,
    number,
    wallet_id: `${walletId}`,
    kind: content.kind,
    detail: content.detail,
    dedupe_key: dedupeKey,
    created_at: createdAt,
    in_app: inApp,
  }))
  const { rows: told } = await tx.query<{ id: string }>({
    name: 'notifications.insert_notices',
    text: `
      with wanted as (
        select distinct on (wallet_id, dedupe_key) * from jsonb_to_recordset($1::jsonb) as given (
          id uuid, number integer, wallet_id bigint, kind text, detail jsonb, dedupe_key text,
          created_at timestamptz, in_app boolean)
        order by wallet_id, dedupe_key, number),
      fresh as (
        select wanted.*, row_number() over (partition by wallet_id, in_app order by number) as place
        from wanted where not exists (
          select from notifications.notices
          where notices.wallet_id = wanted.wallet_id and notices.dedupe_key = wanted.dedupe_key)),
      told as (
        insert into notifications.notices (id, wallet_id, position, kind, detail, dedupe_key, created_at)
        select id, wallet_id, case when in_app then last_position + place end, kind, detail, dedupe_key, created_at
        from fresh join notifications.inboxes using (wallet_id)
        returning id, wallet_id, position),
      moved as (
        update notifications.inboxes set last_position = last.position
        from (select wallet_id, max(position) as position from told group by wallet_id) as last
        where inboxes.wallet_id = last.wallet_id and last.position is not null)
      select id, case when position is not null then pg_notify('${CHANNEL}', wallet_id::text) end from told`,
    values: [JSON.stringify(rows)],
  })
  return new Set(told.map(({ id }) => id))
}

const LISTED = 'id, position, kind, detail, created_at'

/** Newest first. */
export async function selectNotices(
  q: Queryable,
  walletId: bigint,
  page: { below: bigint | null; limit: number },
): Promise<NoticeRow[]> {
  const { rows } = await q.query<NoticeRow>(
    `select ${LISTED} from notifications.notices
      where wallet_id = $1 and position is not null and ($2::bigint is null or position < $2)
      order by position desc limit $3`,
    [walletId, page.below, page.limit],
  )
  return rows
}

/** Oldest first. */
export async function selectNoticesAfter(
  q: Queryable,
  walletId: bigint,
  page: { after: bigint; limit: number },
): Promise<NoticeRow[]> {
  const { rows } = await q.query<NoticeRow>(
    `select ${LISTED} from notifications.notices
      where wallet_id = $1 and position > $2 order by position limit $3`,
    [walletId, page.after, page.limit],
  )
  return rows
}

export interface Inbox {
  readonly lastPosition: bigint
  readonly readPosition: bigint
}

/** Zeros for a wallet that was never told anything. */
export async function selectInbox(q: Queryable, walletId: bigint): Promise<Inbox> {
  const { rows } = await q.query<{ last_position: bigint; read_position: bigint }>(
    'select last_position, read_position from notifications.inboxes where wallet_id = $1',
    [walletId],
  )
  const [row] = rows
  return { lastPosition: row?.last_position ?? 0n, readPosition: row?.read_position ?? 0n }
}

export async function selectLastPositions(
  q: Queryable,
  walletIds: readonly bigint[],
): Promise<Map<bigint, bigint>> {
  const { rows } = await q.query<{ wallet_id: bigint; last_position: bigint }>({
    name: 'notifications.last_positions',
    text: 'select wallet_id, last_position from notifications.inboxes where wallet_id = any ($1::bigint[])',
    values: [walletIds],
  })
  return new Map(rows.map((row) => [row.wallet_id, row.last_position]))
}

/** Never backwards. Null when the wallet has no such notice in its list. */
export async function updateReadPosition(
  q: Queryable,
  walletId: bigint,
  noticeId: string,
): Promise<Inbox | null> {
  const { rows } = await q.query<{ last_position: bigint; read_position: bigint }>(
    `update notifications.inboxes set read_position = greatest(read_position, position)
       from notifications.notices
      where inboxes.wallet_id = $1 and notices.wallet_id = $1 and notices.id = $2 and position is not null
     returning last_position, read_position`,
    [walletId, noticeId],
  )
  const [row] = rows
  return row === undefined ? null : { lastPosition: row.last_position, readPosition: row.read_position }
}
