import type { WebhookAttempt } from '@kantor/contract/api'
import type { Tx } from '#db'
import { failWaiting, recordAttempt } from './delivery-store.ts'
import type { AttemptMade, DueDelivery, LeasedReceiver, NextState } from './delivery-store.ts'
import type { Notify } from './notify.ts'
import type { Posted, PostOutside } from './post-outside.ts'
import { signatureHeaders } from './webhook-secrets.ts'
import type { SealedSecrets } from './webhook-secrets.ts'
import { lockWebhook, updateWebhook } from './webhook-store.ts'
import type { WebhookRow } from './webhook-store.ts'

export interface AttemptDeps {
  readonly clock: () => Date
  /** Between 0 and 1. */
  readonly random: () => number
  readonly secrets: SealedSecrets
  readonly post: PostOutside
  readonly notify: Notify
}

const [SECOND, MINUTE, HOUR] = [1, 60, 3_600]
/** Standard Webhooks' schedule: ten attempts over 75 hours. */
const RETRY_AFTER_SECONDS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
]
/** Nobody has vouched for this address yet, so it is not asked for days. */
const CHALLENGE_RETRIES = 2
/** A tenth more or less, so that those who failed together do not come back together. */
const JITTER = 0.1
const RETRY_AFTER_SECONDS_MAX = 24 * HOUR
/** Without one success for so long, an address is given up. */
const GIVE_UP_AFTER_HOURS = 72
const RESPONSE_START_CHARS = 200
const GONE = 410

export interface Attempt {
  readonly made: AttemptMade
  readonly succeeded: boolean
  readonly retryAfterSeconds: number | null
}

/** Signs and sends once. Outside of any tx: the answer may take as long as it is given. */
export async function attemptDelivery(
  { clock, secrets, post }: AttemptDeps,
  receiver: LeasedReceiver,
  { id, type, body }: DueDelivery,
): Promise<Attempt> {
  const at = clock()
  const signed = { id, timestamp: Math.floor(at.getTime() / 1000), body }
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Kantor-Webhooks/1',
    ...signatureHeaders(signed, secretsOf(secrets, receiver, at)),
  }
  const posted = await post(receiver.url, headers, body)
  const failure = failureOf(posted, type, body)
  return {
    made: {
      at,
      durationMs: posted.durationMs,
      status: posted.status,
      failure,
      responseStart: posted.status === null ? null : firstCharacters(posted.responseBody),
    },
    succeeded: failure === null && isSuccess(posted.status),
    retryAfterSeconds: posted.retryAfterSeconds,
  }
}

/** The present secret first, and the one before it as long as it holds. */
function secretsOf(secrets: SealedSecrets, receiver: LeasedReceiver, at: Date): Buffer[] {
  const present = secrets.open(receiver.sealed_secret, receiver.id)
  const { sealed_previous_secret: previous, previous_secret_until: until } = receiver
  if (previous === null || until === null || until <= at) return [present]
  return [present, secrets.open(previous, receiver.id)]
}

const isSuccess = (status: number | null) => status !== null && status >= 200 && status <= 299

function failureOf(posted: Posted, type: string, body: string): WebhookAttempt['failure'] {
  if (type !== 'webhook.verification' || !isSuccess(posted.status)) return posted.failure
  return posted.responseBody.includes(challengeOf(body)) ? null : 'challenge_not_answered'
}

function challengeOf(body: string): string {
  const { data } = JSON.parse(body) as { data: { challenge: string } }
  return data.challenge
}

/** Strangers' text: what cannot be stored or shown on one line is left out. */
const firstCharacters = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ').slice(0, RESPONSE_START_CHARS)

/** Writes down what came of it: when to try again, and what it says about the receiver. */
export async function settleAttempt(
  tx: Tx,
  deps: AttemptDeps,
  receiver: LeasedReceiver,
  delivery: DueDelivery,
  attempt: Attempt,
): Promise<void> {
  const webhook = await lockWebhook(tx, receiver.id)
  // Deleted meanwhile, with all that was to be sent.
  if (webhook === undefined) return
  const now = deps.clock()
  const next = webhook.status === 'disabled' ? ended(attempt) : nextState(deps, delivery, attempt, now)
  await recordAttempt(tx, webhook.id, delivery.position, attempt.made, next)
  if (attempt.succeeded) {
    const verifies = delivery.type === 'webhook.verification' && webhook.status === 'pending'
    await updateWebhook(tx, webhook, {
      failing_since: null,
      ...(verifies ? { status: 'active', verified_at: webhook.verified_at ?? now } : {}),
    })
    return
  }
  const failing = concernsReceiver(webhook, delivery)
    ? await updateWebhook(tx, webhook, { failing_since: webhook.failing_since ?? now })
    : webhook
  const reason = reasonToGiveUp(failing, attempt, now)
  if (reason !== null) await giveUp(tx, deps, failing, reason)
}

/**
 * Whether a failure is one of the receiver's. A program that has been on for long need not answer challenges any more:
 * that its owner asked for one would else count, days later, as the first of the failures for which it is given up.
 */
const concernsReceiver = ({ status }: WebhookRow, { type }: DueDelivery) =>
  status !== 'active' || type !== 'webhook.verification'

const ended = ({ succeeded }: Attempt): NextState => ({ status: succeeded ? 'delivered' : 'failed' })

function nextState(
  { random }: AttemptDeps,
  { type, attempts }: DueDelivery,
  attempt: Attempt,
  now: Date,
): NextState {
  const retriesMax = type === 'webhook.verification' ? CHALLENGE_RETRIES : RETRY_AFTER_SECONDS.length
  const usual = attempts < retriesMax ? RETRY_AFTER_SECONDS[attempts] : undefined
  if (attempt.succeeded || usual === undefined) return ended(attempt)
  const asked = Math.min(attempt.retryAfterSeconds ?? 0, RETRY_AFTER_SECONDS_MAX)
  const seconds = Math.max(usual * (1 + JITTER * (2 * random() - 1)), asked)
  return { status: 'waiting', nextAttemptAt: new Date(now.getTime() + seconds * 1000) }
}

function reasonToGiveUp(webhook: WebhookRow, { made }: Attempt, now: Date): 'gone' | 'failing' | null {
  if (webhook.status !== 'active') return null
  if (made.status === GONE) return 'gone'
  const failingMs = now.getTime() - (webhook.failing_since?.getTime() ?? now.getTime())
  return failingMs >= GIVE_UP_AFTER_HOURS * HOUR * 1000 ? 'failing' : null
}

async function giveUp(
  tx: Tx,
  { notify }: AttemptDeps,
  webhook: WebhookRow,
  reason: 'gone' | 'failing',
): Promise<void> {
  await failWaiting(tx, webhook.id)
  await updateWebhook(tx, webhook, { status: 'disabled', disabled_reason: reason })
  await notify(tx, {
    kind: 'webhook_disabled',
    walletId: webhook.wallet_id,
    detail: { webhookId: webhook.id, url: webhook.url, reason },
  })
}
