import { WEBHOOK_BODY_VERSION, webhookBody } from '@kantor/contract/api'
import type { WebhookBody } from '@kantor/contract/api'
import type { Queryable, Tx } from '#db'

/** What a body says, without what all bodies have. */
export type WebhookSaying = WebhookBody extends infer Body
  ? Body extends { type: infer Type; data: infer Data }
    ? { readonly type: Type; readonly data: Data }
    : never
  : never

export interface MessageDeps {
  readonly clock: () => Date
  readonly newId: () => string
}

/** Which of these wallets have a receiver that ever answered its challenge. */
export async function walletsWithReceivers(
  q: Queryable,
  walletIds: readonly bigint[],
): Promise<ReadonlySet<bigint>> {
  const { rows } = await q.query<{ wallet_id: bigint }>({
    name: 'notifications.wallets-with-receivers',
    text: `select distinct wallet_id from notifications.webhooks
            where wallet_id = any($1::bigint[]) and verified_at is not null`,
    values: [[...new Set(walletIds)]],
  })
  return new Set(rows.map((row) => row.wallet_id))
}

/** Something to be told to the receivers of a wallet. */
export interface Telling {
  readonly walletId: bigint
  readonly at: Date
  readonly saying: WebhookSaying
}

/**
 * Queues what happened, in this order, for every receiver that wants it, in the tx in which it happened. Kept also when
 * no receiver is on at present, so that it can be sent later; so only of `walletsWithReceivers`.
 */
export async function tellReceivers(
  tx: Tx,
  { clock, newId }: MessageDeps,
  tellings: readonly Telling[],
): Promise<void> {
  if (tellings.length === 0) return
  await tx.query({
    name: 'notifications.tell_receivers',
    text: `
      with message as (
        insert into notifications.webhook_messages (id, wallet_id, type, body, created_at)
        select id, wallet_id, type, body, $5
        from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[])
          with ordinality as telling (id, wallet_id, type, body, number)
        order by number
        returning position, wallet_id, type)
      insert into notifications.webhook_deliveries (webhook_id, position, next_attempt_at)
      select receiver.id, message.position, $5
      from message join notifications.webhooks as receiver on receiver.wallet_id = message.wallet_id
      where receiver.status = 'active' and message.type = any (receiver.events)
      -- Against a deletion at this moment, which would fail the tx that tells.
      for key share of receiver`,
    values: [
      tellings.map(() => newId()),
      tellings.map(({ walletId }) => walletId),
      tellings.map(({ saying }) => saying.type),
      tellings.map(({ saying, at }) => bodyText(saying, at)),
      clock(),
    ],
  })
}

/** A test or a challenge: for one receiver, and due at once. */
export async function tellOneReceiver(
  tx: Tx,
  { clock, newId }: MessageDeps,
  { webhook, saying }: { webhook: { id: string; wallet_id: bigint }; saying: WebhookSaying },
): Promise<string> {
  const [id, now] = [newId(), clock()]
  await tx.query(
    `with message as (
       insert into notifications.webhook_messages (id, wallet_id, webhook_id, type, body, created_at)
       values ($1, $2, $3, $4, $5, $6) returning position)
     insert into notifications.webhook_deliveries (webhook_id, position, next_attempt_at)
     select $3, position, $6 from message`,
    [id, webhook.wallet_id, webhook.id, saying.type, bodyText(saying, now), now],
  )
  return id
}

/** How many tests and challenges a wallet had sent since then; those to receivers that were deleted count too. */
export async function countAskedFor(q: Queryable, walletId: bigint, since: Date): Promise<number> {
  const { rows } = await q.query<{ asked: bigint }>(
    `select count(*) as asked from notifications.webhook_messages
      where wallet_id = $1 and type in ('webhook.test', 'webhook.verification') and created_at > $2`,
    [walletId, since],
  )
  return Number(rows[0]?.asked ?? 0n)
}

/** Parsed first, so that nothing leaves that its schema does not name. */
function bodyText(saying: WebhookSaying, at: Date): string {
  const { type, data } = saying
  return JSON.stringify(
    webhookBody.parse({ type, version: WEBHOOK_BODY_VERSION, timestamp: at.toISOString(), data }),
  )
}
