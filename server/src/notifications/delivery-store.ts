import type { WebhookAttempt, WebhookDelivery } from '@kantor/contract/api'
import type { Queryable, Tx } from '#db'

/** A receiver that this process alone sends to, until the lease ends. */
export type LeasedReceiver = {
  id: string
  url: string
  sealed_secret: Buffer
  sealed_previous_secret: Buffer | null
  previous_secret_until: Date | null
}

export interface Lease {
  readonly by: string
  readonly now: Date
  readonly until: Date
}

/**
 * A receiver whose last attempt took longer than this, or failed, waits among the slow ones; so does one that never
 * answered its challenge, or whoever registers addresses that hang would hold up those that answer.
 */
const SLOW_MS = 2_000

/**
 * Takes receivers with something due, those served longest ago first; what another process holds is left to it. One that
 * was never served counts as served when it was registered: were it first, whoever registers and deletes addresses
 * that hang, again and again, would keep the places for slow ones from all others.
 */
export async function leaseReceivers(
  q: Queryable,
  lane: { slow: boolean; limit: number },
  { by, now, until }: Lease,
): Promise<LeasedReceiver[]> {
  const { rows } = await q.query<LeasedReceiver>({
    name: 'notifications.lease-receivers',
    text: `update notifications.webhooks set leased_by = $1, leased_until = $3, served_at = $2
            where id in (
              select id from notifications.webhooks
               where id in (select webhook_id from notifications.webhook_deliveries
                             where status = 'waiting' and next_attempt_at <= $2)
                 and (leased_until is null or leased_until <= $2)
                 and (verified_at is null or failing_since is not null or last_duration_ms > ${SLOW_MS}) = $4
               order by coalesce(served_at, created_at), id limit $5 for no key update skip locked)
        returning id, url, sealed_secret, sealed_previous_secret, previous_secret_until`,
    values: [by, now, until, lane.slow, lane.limit],
  })
  return rows
}

export async function endLease(q: Queryable, webhookId: string, by: string): Promise<void> {
  await q.query(
    `update notifications.webhooks set leased_until = null, leased_by = null where id = $1 and leased_by = $2`,
    [webhookId, by],
  )
}

export type DueDelivery = {
  position: bigint
  id: string
  type: string
  body: string
  attempts: number
}

/** The one due longest ago; of those due at the same moment, the one that happened first. */
export async function selectDue(
  q: Queryable,
  webhookId: string,
  now: Date,
): Promise<DueDelivery | undefined> {
  const { rows } = await q.query<DueDelivery>({
    name: 'notifications.due-delivery',
    text: `select position, messages.id, messages.type, messages.body, deliveries.attempts
             from notifications.webhook_deliveries as deliveries
             join notifications.webhook_messages as messages using (position)
            where deliveries.webhook_id = $1 and deliveries.status = 'waiting' and next_attempt_at <= $2
            order by next_attempt_at, position limit 1`,
    values: [webhookId, now],
  })
  return rows[0]
}

export interface AttemptMade {
  readonly at: Date
  readonly durationMs: number
  readonly status: number | null
  readonly failure: WebhookAttempt['failure']
  readonly responseStart: string | null
}

/** Null when the delivery has ended. */
export type NextState = { status: 'delivered' | 'failed' } | { status: 'waiting'; nextAttemptAt: Date }

export async function recordAttempt(
  tx: Tx,
  webhookId: string,
  position: bigint,
  made: AttemptMade,
  next: NextState,
): Promise<void> {
  await tx.query(
    `insert into notifications.webhook_attempts
       (webhook_id, position, number, at, duration_ms, status, failure, response_start)
     select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7
       from notifications.webhook_attempts where webhook_id = $1 and position = $2`,
    [webhookId, position, made.at, made.durationMs, made.status, made.failure, made.responseStart],
  )
  await tx.query(
    `update notifications.webhook_deliveries
        set status = $3, attempts = attempts + 1, next_attempt_at = $4
      where webhook_id = $1 and position = $2`,
    [webhookId, position, next.status, next.status === 'waiting' ? next.nextAttemptAt : null],
  )
  await tx.query('update notifications.webhooks set last_duration_ms = $2 where id = $1', [
    webhookId,
    made.durationMs,
  ])
}

/** What is not sent when a webhook is switched off can be sent again later. */
export async function failWaiting(tx: Tx, webhookId: string): Promise<void> {
  await tx.query(
    `update notifications.webhook_deliveries set status = 'failed', next_attempt_at = null
      where webhook_id = $1 and status = 'waiting'`,
    [webhookId],
  )
}

/** One message again, from its first attempt on. False when this receiver was never to get it. */
export async function requeueOne(tx: Tx, webhookId: string, messageId: string, now: Date): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update notifications.webhook_deliveries as deliveries
        set status = 'waiting', attempts = 0, next_attempt_at = $3
       from notifications.webhook_messages as messages
      where messages.id = $2 and deliveries.position = messages.position and deliveries.webhook_id = $1`,
    [webhookId, messageId, now],
  )
  return rowCount === 1
}

/** Everything this receiver wants that happened from a moment on, the first `limit` of it. */
export async function requeueFrom(
  tx: Tx,
  webhookId: string,
  { from, now, limit }: { from: Date; now: Date; limit: number },
): Promise<{ queued: number; last: Date | null }> {
  const { rows } = await tx.query<{ queued: bigint; last: Date | null }>(
    `with again as (
       select messages.position, messages.created_at
         from notifications.webhooks as receiver
         join notifications.webhook_messages as messages
           on messages.wallet_id = receiver.wallet_id and messages.type = any(receiver.events)
        where receiver.id = $1 and messages.created_at >= $2
        -- By the time to go on from, which two processes give in another order than their places.
        order by messages.created_at, messages.position limit $4),
     queued as (
       insert into notifications.webhook_deliveries (webhook_id, position, next_attempt_at)
       select $1, position, $3 from again
           on conflict (webhook_id, position)
           do update set status = 'waiting', attempts = 0, next_attempt_at = excluded.next_attempt_at)
     select count(*) as queued, max(created_at) as last from again`,
    [webhookId, from, now, limit],
  )
  return { queued: Number(rows[0]?.queued ?? 0n), last: rows[0]?.last ?? null }
}

const ATTEMPTS_SHOWN = 12

type DeliveryRow = {
  position: bigint
  id: string
  type: string
  status: WebhookDelivery['status']
  created_at: Date
  next_attempt_at: Date | null
  attempts: {
    at: string
    duration_ms: number
    status: number | null
    failure: WebhookAttempt['failure']
    response_start: string | null
  }[]
}

export interface PlacedDelivery {
  readonly position: bigint
  readonly delivery: WebhookDelivery
}

/** Newest first. */
export async function selectDeliveries(
  q: Queryable,
  webhookId: string,
  page: { below: bigint | null; limit: number },
): Promise<PlacedDelivery[]> {
  const { rows } = await q.query<DeliveryRow>(
    `select position, messages.id, messages.type, deliveries.status, messages.created_at, next_attempt_at,
            array(select json_build_object('at', at, 'duration_ms', duration_ms, 'status', made.status,
                         'failure', failure, 'response_start', response_start)
                    from notifications.webhook_attempts as made
                   where made.webhook_id = $1 and made.position = deliveries.position
                   order by number desc limit ${ATTEMPTS_SHOWN}) as attempts
       from notifications.webhook_deliveries as deliveries
       join notifications.webhook_messages as messages using (position)
      where deliveries.webhook_id = $1 and ($2::bigint is null or position < $2)
      order by position desc limit $3`,
    [webhookId, page.below, page.limit],
  )
  return rows.map((row) => ({ position: row.position, delivery: toDelivery(row) }))
}

function toDelivery(row: DeliveryRow): WebhookDelivery {
  return {
    id: row.id,
    type: row.type,
    status: row.status,
    createdAt: row.created_at.toISOString(),
    nextAttemptAt: row.next_attempt_at?.toISOString() ?? null,
    attempts: row.attempts.map((made) => ({
      at: new Date(made.at).toISOString(),
      durationMs: made.duration_ms,
      status: made.status,
      failure: made.failure,
      responseStart: made.response_start,
    })),
  }
}
