import { z } from 'zod'
import { OPERATION_KINDS } from './history.ts'
import { notice } from './notifications.ts'
import {
  amountText,
  assetCode,
  cursor,
  decimalText,
  givenTimestamp,
  id,
  nameText,
  page,
  pageLimit,
  signedMoney,
  timestamp,
  webAddress,
} from './shared.ts'

/** What a receiver may choose to be told of. */
export const WEBHOOK_EVENTS = [
  'operation.posted',
  'order.accepted',
  'order.filled',
  'order.ended',
  'notice.created',
] as const
export const webhookEvent = z.enum(WEBHOOK_EVENTS)
export type WebhookEvent = z.infer<typeof webhookEvent>

/** The version of every body. A new field may come within it; anything else is a new version. */
export const WEBHOOK_BODY_VERSION = 1

const bodyOf = <const Type extends string, Data extends z.ZodType>(type: Type, data: Data) =>
  z.strictObject({
    type: z.literal(type),
    version: z.literal(WEBHOOK_BODY_VERSION),
    /** When it happened; when it was sent is in the header `webhook-timestamp`. */
    timestamp,
    data,
  })

const side = z.enum(['buy', 'sell'])
/** The place in the ledger: of two operations of a wallet, the one with the smaller number came first. */
const seq = z.string().regex(/^[0-9]{1,19}$/)

/** Exactly what is sent to a receiver: its owner's side only, never another party's balance or identity. */
export const webhookBody = z.discriminatedUnion('type', [
  bodyOf(
    'operation.posted',
    z.strictObject({
      operationId: id,
      seq,
      kind: z.enum(OPERATION_KINDS),
      amounts: z.array(signedMoney),
      /** What the wallet held right after it, of each asset that it moved. */
      balances: z.array(z.strictObject({ asset: assetCode, available: amountText, reserved: amountText })),
    }),
  ),
  bodyOf('order.accepted', z.strictObject({ orderId: id, seq, instrument: assetCode, side })),
  bodyOf(
    'order.filled',
    z.strictObject({
      orderId: id,
      seq,
      instrument: assetCode,
      side,
      operationId: id,
      quantity: amountText,
      price: decimalText,
      priceCurrency: assetCode,
    }),
  ),
  bodyOf(
    'order.ended',
    z.strictObject({
      orderId: id,
      seq,
      instrument: assetCode,
      side,
      status: z.string(),
      reason: z.string().nullable(),
    }),
  ),
  bodyOf('notice.created', notice),
  /** Asked for by the owner, to see that messages arrive. */
  bodyOf('webhook.test', z.strictObject({ webhookId: id })),
  /** To be answered with status 2xx and the challenge in the answer's body, before anything else is sent. */
  bodyOf('webhook.verification', z.strictObject({ webhookId: id, challenge: z.string() })),
])
export type WebhookBody = z.infer<typeof webhookBody>

/** Also of the address as it is called, where what is no ASCII is longer. */
export const WEBHOOK_URL_LENGTH_MAX = 500
const name = nameText(100)
const events = z
  .array(webhookEvent)
  .min(1)
  .max(WEBHOOK_EVENTS.length)
  .refine((all) => new Set(all).size === all.length, 'must not repeat an event')

export const createWebhookRequest = z.strictObject({
  url: webAddress(WEBHOOK_URL_LENGTH_MAX, 'must be an address such as https://example.com/kantor'),
  /** The address's host unless given. */
  name: name.optional(),
  events,
})
export type CreateWebhookRequest = z.infer<typeof createWebhookRequest>

export const updateWebhookRequest = z
  .strictObject({ name, events, enabled: z.boolean() })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'must change at least one field')
export type UpdateWebhookRequest = z.infer<typeof updateWebhookRequest>

export const webhook = z.strictObject({
  id,
  url: z.string(),
  name: z.string(),
  events: z.array(webhookEvent),
  /** `pending` until the receiver has answered the challenge. */
  status: z.enum(['pending', 'active', 'disabled']),
  disabledReason: z.enum(['owner', 'failing', 'gone']).nullable(),
  /** Since when every attempt has failed; null when the last one went well. */
  failingSince: timestamp.nullable(),
  /** Until when the secret before this one is signed with too. */
  previousSecretUntil: timestamp.nullable(),
  createdAt: timestamp,
})
export type Webhook = z.infer<typeof webhook>
export const webhooks = z.strictObject({ items: z.array(webhook), nextCursor: z.null() })

/** The secret is in this answer and never again. */
export const createdWebhook = webhook.extend({ secret: z.string() })
export type CreatedWebhook = z.infer<typeof createdWebhook>
export const rotatedSecret = z.strictObject({ secret: z.string(), previousSecretUntil: timestamp })
export type RotatedSecret = z.infer<typeof rotatedSecret>

export const ATTEMPT_FAILURES = [
  'timeout',
  'address_refused',
  'name_not_found',
  'tls_failed',
  'connection_failed',
  'challenge_not_answered',
] as const

export const webhookAttempt = z.strictObject({
  at: timestamp,
  durationMs: z.int().nonnegative(),
  /** The answer's HTTP status; null when there was none. */
  status: z.int().nullable(),
  failure: z.enum(ATTEMPT_FAILURES).nullable(),
  /** The first characters of the answer. */
  responseStart: z.string().nullable(),
})
export type WebhookAttempt = z.infer<typeof webhookAttempt>

export const webhookDelivery = z.strictObject({
  /** Sent as `webhook-id`: the same at every attempt. */
  id,
  type: z.string(),
  status: z.enum(['waiting', 'delivered', 'failed']),
  createdAt: timestamp,
  nextAttemptAt: timestamp.nullable(),
  /** Newest first, at most 12. */
  attempts: z.array(webhookAttempt),
})
export type WebhookDelivery = z.infer<typeof webhookDelivery>
export const webhookDeliveries = page(webhookDelivery)
export type WebhookDeliveries = z.infer<typeof webhookDeliveries>
export const webhookDeliveriesQuery = z.strictObject({ cursor: cursor.optional(), limit: pageLimit(100, 20) })

export const replayRequest = z.union(
  [z.strictObject({ delivery: id }), z.strictObject({ from: givenTimestamp })],
  { error: 'must have either delivery, or from' },
)
export type ReplayRequest = z.infer<typeof replayRequest>
export const replayed = z.strictObject({
  queued: z.int().nonnegative(),
  /** Where to go on when there was more than one request may queue; null when that was all. */
  nextFrom: timestamp.nullable(),
})
export type Replayed = z.infer<typeof replayed>

export const webhookParams = z.strictObject({ id })
