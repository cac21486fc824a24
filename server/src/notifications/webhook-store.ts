import type { Webhook, WebhookEvent } from '@kantor/contract/api'
import type { Queryable, Tx } from '#db'

export type WebhookRow = {
  id: string
  wallet_id: bigint
  url: string
  name: string
  events: WebhookEvent[]
  status: Webhook['status']
  disabled_reason: Webhook['disabledReason']
  sealed_secret: Buffer
  sealed_previous_secret: Buffer | null
  previous_secret_until: Date | null
  verified_at: Date | null
  failing_since: Date | null
  created_at: Date
}

const COLUMNS = `id, wallet_id, url, name, events, status, disabled_reason, sealed_secret,
  sealed_previous_secret, previous_secret_until, verified_at, failing_since, created_at`

export function toWebhook(row: WebhookRow): Webhook {
  return {
    id: row.id,
    url: row.url,
    name: row.name,
    events: row.events,
    status: row.status,
    disabledReason: row.disabled_reason,
    failingSince: row.failing_since?.toISOString() ?? null,
    previousSecretUntil: row.previous_secret_until?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  }
}

/** Oldest first; few, since a wallet may have only so many. */
export async function selectWebhooks(q: Queryable, walletId: bigint): Promise<WebhookRow[]> {
  const { rows } = await q.query<WebhookRow>(
    `select ${COLUMNS} from notifications.webhooks where wallet_id = $1 order by created_at, id`,
    [walletId],
  )
  return rows
}

export async function selectWebhook(
  q: Queryable,
  walletId: bigint,
  id: string,
): Promise<WebhookRow | undefined> {
  const { rows } = await q.query<WebhookRow>(
    `select ${COLUMNS} from notifications.webhooks where wallet_id = $1 and id = $2`,
    [walletId, id],
  )
  return rows[0]
}

/** Held until the tx ends, whoever owns it. */
export async function lockWebhook(tx: Tx, id: string): Promise<WebhookRow | undefined> {
  const { rows } = await tx.query<WebhookRow>(
    `select ${COLUMNS} from notifications.webhooks where id = $1 for no key update`,
    [id],
  )
  return rows[0]
}

export async function insertWebhook(
  tx: Tx,
  webhook: Pick<WebhookRow, 'id' | 'wallet_id' | 'url' | 'name' | 'events' | 'sealed_secret' | 'created_at'>,
): Promise<WebhookRow> {
  const { rows } = await tx.query<WebhookRow>(
    `insert into notifications.webhooks (id, wallet_id, url, name, events, status, sealed_secret, created_at)
     values ($1, $2, $3, $4, $5, 'pending', $6, $7) returning ${COLUMNS}`,
    [
      webhook.id,
      webhook.wallet_id,
      webhook.url,
      webhook.name,
      webhook.events,
      webhook.sealed_secret,
      webhook.created_at,
    ],
  )
  return only(rows)
}

type Changeable = Pick<
  WebhookRow,
  | 'name'
  | 'events'
  | 'status'
  | 'disabled_reason'
  | 'verified_at'
  | 'failing_since'
  | 'sealed_secret'
  | 'sealed_previous_secret'
  | 'previous_secret_until'
>

/** The row must be locked: what is not changed is written as it was read. */
export async function updateWebhook(
  tx: Tx,
  before: WebhookRow,
  change: Partial<Changeable>,
): Promise<WebhookRow> {
  const after = { ...before, ...change }
  const { rows } = await tx.query<WebhookRow>(
    `update notifications.webhooks
        set name = $2, events = $3, status = $4, disabled_reason = $5, verified_at = $6,
            failing_since = $7, sealed_secret = $8, sealed_previous_secret = $9, previous_secret_until = $10
      where id = $1 returning ${COLUMNS}`,
    [
      after.id,
      after.name,
      after.events,
      after.status,
      after.disabled_reason,
      after.verified_at,
      after.failing_since,
      after.sealed_secret,
      after.sealed_previous_secret,
      after.previous_secret_until,
    ],
  )
  return only(rows)
}

/** With everything that was sent there. */
export async function deleteWebhook(tx: Tx, walletId: bigint, id: string): Promise<boolean> {
  const { rowCount } = await tx.query('delete from notifications.webhooks where wallet_id = $1 and id = $2', [
    walletId,
    id,
  ])
  return rowCount === 1
}

function only(rows: WebhookRow[]): WebhookRow {
  const [row] = rows
  if (row === undefined) throw new Error('a webhook that was locked has gone')
  return row
}
