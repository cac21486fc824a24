import type { Notice, Notices, NoticesQuery } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import type { Queryable } from '#db'
import {
  selectInbox,
  selectLastPositions,
  selectNotices,
  selectNoticesAfter,
  updateReadPosition,
  type Inbox,
  type NoticeRow,
} from './notice-queries.ts'

/** A notice with its place in its owner's list: gapless, ascending in order of commit. */
export interface PlacedNotice {
  readonly position: bigint
  readonly notice: Notice
}

const unreadIn = ({ lastPosition, readPosition }: Inbox): number => Number(lastPosition - readPosition)

const POSITION = /^[1-9][0-9]{0,17}$/

/** A page of a wallet's notices, newest first, and how many of all are unread. A cursor is a place in that list. */
export async function listNotices(
  q: Queryable,
  walletId: bigint,
  { cursor, limit }: NoticesQuery,
): Promise<Notices> {
  if (cursor !== undefined && !POSITION.test(cursor)) throw new Problem('invalid_cursor')
  const inbox = await selectInbox(q, walletId)
  const below = cursor === undefined ? null : BigInt(cursor)
  const found = await selectNotices(q, walletId, { below, limit: limit + 1 })
  const page = found.slice(0, limit)
  return {
    items: page.map((row) => toNotice(row, inbox.readPosition)),
    nextCursor: found.length > limit ? `${page.at(-1)?.position}` : null,
    unread: unreadIn(inbox),
  }
}

/** What a wallet was told after a place in its list, oldest first, at most `limit`: how a stream catches up. */
export async function noticesAfter(
  q: Queryable,
  walletId: bigint,
  after: bigint,
  limit: number,
): Promise<PlacedNotice[]> {
  const { readPosition } = await selectInbox(q, walletId)
  const rows = await selectNoticesAfter(q, walletId, { after, limit })
  return rows.map((row) => ({ position: row.position, notice: toNotice(row, readPosition) }))
}

/** The place of the newest notice; 0 when there is none. */
export async function lastNoticePosition(q: Queryable, walletId: bigint): Promise<bigint> {
  return (await selectInbox(q, walletId)).lastPosition
}

/** The same of many wallets; absent where there is none. */
export const lastNoticePositions = selectLastPositions

/** @throws Problem not_found, also for another customer's notice */
export async function readNoticesThrough(q: Queryable, walletId: bigint, noticeId: string): Promise<number> {
  const inbox = await updateReadPosition(q, walletId, noticeId)
  if (inbox === null) throw new Problem('not_found')
  return unreadIn(inbox)
}

function toNotice({ id, kind, detail, created_at, position }: NoticeRow, readPosition: bigint): Notice {
  return { id, kind, detail, at: created_at.toISOString(), read: position <= readPosition } as Notice
}
