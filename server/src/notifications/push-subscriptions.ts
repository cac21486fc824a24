import type { PushSubscriptionRequest } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import type { Database, Queryable } from '#db'
import type { Principal } from '#http'
import { lockInbox } from './notice-queries.ts'
import { refusalOfUrl } from './post-outside.ts'

export interface PushSubscriptionDeps {
  readonly db: Database
  readonly clock: () => Date
  readonly newId: () => string
  /** For development: any address. */
  readonly allowPrivate: boolean
}

/** A browser more than anybody has; the one that asked first is forgotten beyond it. */
const SUBSCRIPTIONS_MAX = 10

/**
 * Where the makers of browsers push from. Only these: an address of anybody's choosing would be one more way to have
 * this server call it, and its answers could hold up the queue.
 */
const PUSH_SERVICES: readonly RegExp[] = [
  /^fcm\.googleapis\.com$/,
  /^jmt17\.google\.com$/,
  /^updates\.push\.services\.mozilla\.com$/,
  /^[a-z0-9-]+\.notify\.windows\.com$/,
  /^web\.push\.apple\.com$/,
]

function isPushService(endpoint: string): boolean {
  const { hostname } = new URL(endpoint)
  return PUSH_SERVICES.some((service) => service.test(hostname))
}

/** A browser asks to be pushed to, as long as its session holds. One that another customer used before it is this customer's from now on. */
export async function subscribe(
  { db, clock, newId, allowPrivate }: PushSubscriptionDeps,
  { walletId, credentialId: sessionId }: Pick<Principal, 'walletId' | 'credentialId'>,
  { endpoint, keys }: PushSubscriptionRequest,
): Promise<void> {
  if (refusalOfUrl(endpoint, { allowPrivate }) !== null || !(allowPrivate || isPushService(endpoint))) {
    const message = 'must be an address of a known push service'
    throw new Problem('invalid_request', { errors: [{ path: 'endpoint', message }] })
  }
  await db.transaction(async (tx) => {
    await lockInbox(tx, walletId)
    // With what still waits to be pushed there: it was for the customer before.
    await tx.query('delete from notifications.push_subscriptions where endpoint = $1 and wallet_id <> $2', [
      endpoint,
      walletId,
    ])
    await tx.query(
      `insert into notifications.push_subscriptions (id, wallet_id, endpoint, p256dh, auth, created_at, session_id)
       values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (endpoint) do update
              set p256dh = excluded.p256dh, auth = excluded.auth, created_at = excluded.created_at,
                  session_id = excluded.session_id`,
      [newId(), walletId, endpoint, keys.p256dh, keys.auth, clock(), sessionId],
    )
    await tx.query(
      `delete from notifications.push_subscriptions where id in (
         select id from notifications.push_subscriptions where wallet_id = $1
          order by created_at desc, id desc offset $2)`,
      [walletId, SUBSCRIPTIONS_MAX],
    )
  })
}

/** One's own browser asks no more; an address that is not there, or somebody else's, is none. */
export async function unsubscribe(q: Queryable, walletId: bigint, endpoint: string): Promise<void> {
  await q.query('delete from notifications.push_subscriptions where wallet_id = $1 and endpoint = $2', [
    walletId,
    endpoint,
  ])
}

/** Nobody is there any more, says the push service; or nobody is signed in there. */
export async function forgetSubscription(q: Queryable, id: string): Promise<void> {
  await q.query('delete from notifications.push_subscriptions where id = $1', [id])
}
