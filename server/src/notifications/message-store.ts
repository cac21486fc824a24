import type { NoticeContent } from '@kantor/contract/api'
import type { Queryable, Tx } from '#db'

/** A notice to be sent one way: by mail, or to each of the wallet's browsers. */
export interface NewMessage {
  readonly noticeId: string
  readonly walletId: bigint
  readonly way: 'mail' | 'push'
}

/** One for each place that a notice is to be sent to. */
export async function insertMessages(
  tx: Tx,
  wanted: readonly NewMessage[],
  newId: () => string,
): Promise<{ messageId: string; way: 'mail' | 'push' }[]> {
  const pushed = wanted.filter(({ way }) => way === 'push').map(({ walletId }) => walletId)
  const browsers = pushed.length === 0 ? new Map<bigint, string[]>() : await selectSubscriptionIds(tx, pushed)
  const messages = wanted.flatMap(({ noticeId, walletId, way }) => {
    const places = way === 'mail' ? [null] : (browsers.get(walletId) ?? [])
    return places.map((subscriptionId) => ({ messageId: newId(), noticeId, way, subscriptionId }))
  })
  if (messages.length === 0) return []
  await tx.query({
    name: 'notifications.insert_messages',
    text: `
      insert into notifications.messages (id, notice_id, channel, subscription_id)
      select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[])`,
    values: [
      messages.map(({ messageId }) => messageId),
      messages.map(({ noticeId }) => noticeId),
      messages.map(({ way }) => way),
      messages.map(({ subscriptionId }) => subscriptionId),
    ],
  })
  return messages
}

async function selectSubscriptionIds(tx: Tx, walletIds: readonly bigint[]): Promise<Map<bigint, string[]>> {
  const { rows } = await tx.query<{ id: string; walletId: bigint }>({
    name: 'notifications.browsers_of_wallets',
    // Held against a browser that unsubscribes at this moment, which would fail the tx that tells.
    text: `
      select id, wallet_id as "walletId" from notifications.push_subscriptions
      where wallet_id = any ($1::bigint[]) order by id for key share`,
    values: [[...new Set(walletIds)]],
  })
  const ids = new Map<bigint, string[]>()
  for (const { id, walletId } of rows) ids.set(walletId, [...(ids.get(walletId) ?? []), id])
  return ids
}

export interface Subscription {
  readonly id: string
  readonly endpoint: string
  readonly p256dh: string
  readonly auth: string
  /** In which the browser asked for it. */
  readonly sessionId: string
}

export interface Message {
  readonly id: string
  readonly noticeId: string
  readonly walletId: bigint
  readonly content: NoticeContent
  readonly createdAt: Date
  /** Null for mail. */
  readonly subscription: Subscription | null
}

type MessageRow = NoticeContent & {
  id: string
  notice_id: string
  wallet_id: bigint
  created_at: Date
  subscription_id: string | null
  endpoint: string
  p256dh: string
  auth: string
  session_id: string
}

/** Null when it was sent before, or its place has gone. */
export async function selectUnsent(q: Queryable, messageId: string): Promise<Message | null> {
  const { rows } = await q.query<MessageRow>(
    `select messages.id, notice_id, notices.wallet_id, kind, detail, notices.created_at,
            subscription_id, endpoint, p256dh, auth, session_id
       from notifications.messages
       join notifications.notices on notices.id = notice_id
       left join notifications.push_subscriptions as places on places.id = subscription_id
      where messages.id = $1 and sent_at is null`,
    [messageId],
  )
  const [row] = rows
  if (row === undefined) return null
  const { endpoint, p256dh, auth, session_id: sessionId } = row
  return {
    id: row.id,
    noticeId: row.notice_id,
    walletId: row.wallet_id,
    content: { kind: row.kind, detail: row.detail } as NoticeContent,
    createdAt: row.created_at,
    subscription:
      row.subscription_id === null ? null : { id: row.subscription_id, endpoint, p256dh, auth, sessionId },
  }
}

export async function markSent(q: Queryable, messageId: string, at: Date): Promise<void> {
  await q.query('update notifications.messages set sent_at = $2 where id = $1', [messageId, at])
}
