import { z } from 'zod'
import { counterparty } from './history.ts'
import {
  amountText,
  assetCode,
  cursor,
  decimalText,
  id,
  pageLimit,
  signedMoney,
  timestamp,
  webAddress,
} from './shared.ts'

const side = z.enum(['buy', 'sell'])
/** Kinds of rules as journals name them, and as notices do. A price alert tells by itself. */
export const RULE_KINDS_TOLD = {
  'conversion-order': 'limitConversion',
  'recurring-conversion': 'recurringConversion',
  'standing-order': 'standingOrder',
} as const
const ruleKind = z.enum(RULE_KINDS_TOLD)

/**
 * What each kind of notice says. Stored as it was told, so a release may add optional fields to a kind and may not
 * take any away.
 */
export const noticeDetails = {
  money_received: z.strictObject({
    operationId: id,
    asset: assetCode,
    amount: amountText,
    /** Null when it came from outside: a deposit. */
    from: counterparty.nullable(),
    note: z.string().nullable(),
  }),
  order_filled: z.strictObject({
    operationId: id,
    orderId: id,
    instrument: assetCode,
    side,
    quantity: amountText,
    price: decimalText,
    priceCurrency: assetCode,
  }),
  order_ended: z.strictObject({
    orderId: id,
    instrument: assetCode,
    side,
    status: z.string(),
    reason: z.string().nullable(),
  }),
  dividend: z.strictObject({
    operationId: id,
    instrument: assetCode,
    asset: assetCode,
    amount: amountText,
    exDate: z.string(),
  }),
  /** A split: so many new shares (`to`) for so many old ones (`from`). */
  corporate_action: z.strictObject({
    operationId: id,
    instrument: assetCode,
    exDate: z.string(),
    from: decimalText,
    to: decimalText,
  }),
  price_alert: z.strictObject({
    alertId: id,
    /** An instrument's asset code, or a pair such as EUR/PLN. */
    subject: z.string(),
    direction: z.enum(['above', 'below']),
    threshold: decimalText,
    price: decimalText,
    currency: assetCode,
    asOf: timestamp,
  }),
  rule_executed: z.strictObject({
    ruleId: id,
    ruleKind,
    run: z.int().positive(),
    operationId: id,
    amounts: z.array(signedMoney).max(20),
  }),
  rule_failed: z.strictObject({
    ruleId: id,
    ruleKind,
    run: z.int().positive(),
    /** A code of docs/errors.md. */
    code: z.string(),
    /** True when the rule will not be tried again. */
    ended: z.boolean(),
  }),
  signed_in: z.strictObject({ ip: z.string(), userAgent: z.string() }),
  webhook_disabled: z.strictObject({
    webhookId: id,
    url: z.string(),
    reason: z.enum(['failing', 'gone']),
  }),
} as const satisfies Record<string, z.ZodType>

export type NoticeKind = keyof typeof noticeDetails

/** A kind with what it says. */
export type NoticeContent = {
  [Kind in NoticeKind]: { readonly kind: Kind; readonly detail: z.infer<(typeof noticeDetails)[Kind]> }
}[NoticeKind]

const listed = <Kind extends NoticeKind>(kind: Kind) =>
  z.strictObject({ id, kind: z.literal(kind), at: timestamp, read: z.boolean(), detail: noticeDetails[kind] })

export const notice = z.discriminatedUnion('kind', [
  listed('money_received'),
  listed('order_filled'),
  listed('order_ended'),
  listed('dividend'),
  listed('corporate_action'),
  listed('price_alert'),
  listed('rule_executed'),
  listed('rule_failed'),
  listed('signed_in'),
  listed('webhook_disabled'),
])
export type Notice = z.infer<typeof notice>

export const noticesQuery = z.strictObject({ cursor: cursor.optional(), limit: pageLimit(100, 30) })
export type NoticesQuery = z.infer<typeof noticesQuery>

const unread = z.int().nonnegative()
export const notices = z.strictObject({ items: z.array(notice), nextCursor: z.string().nullable(), unread })
export type Notices = z.infer<typeof notices>

/** Everything up to and including this notice has been seen. */
export const readNoticesRequest = z.strictObject({ through: id })
export const readNoticesReply = z.strictObject({ unread })

export const NOTICE_CHANNELS = ['inApp', 'mail', 'push'] as const
export const noticeChannel = z.enum(NOTICE_CHANNELS)
export type NoticeChannel = z.infer<typeof noticeChannel>

/** In the order in which pages show them. */
export const NOTICE_KINDS = [
  'money_received',
  'order_filled',
  'order_ended',
  'dividend',
  'corporate_action',
  'price_alert',
  'rule_executed',
  'rule_failed',
  'signed_in',
  'webhook_disabled',
] as const satisfies readonly NoticeKind[]
const noticeKind = z.enum(NOTICE_KINDS)

export const noticePreference = z.strictObject({
  kind: noticeKind,
  inApp: z.boolean(),
  mail: z.boolean(),
  push: z.boolean(),
})
export const noticePreferences = z.strictObject({
  items: z.array(noticePreference),
  /** False: whoever runs this has no mail server set up, and what is chosen for mail waits for it. */
  mailAvailable: z.boolean(),
  /** What a browser subscribes with (VAPID); null when push is not set up. */
  pushPublicKey: z.string().nullable(),
})
export type NoticePreferences = z.infer<typeof noticePreferences>

export const updateNoticePreferencesRequest = z.strictObject({
  changes: z
    .array(z.strictObject({ kind: noticeKind, channel: noticeChannel, enabled: z.boolean() }))
    .min(1)
    .max(NOTICE_KINDS.length * NOTICE_CHANNELS.length),
})
export type UpdateNoticePreferencesRequest = z.infer<typeof updateNoticePreferencesRequest>

const pushEndpoint = webAddress(1000, 'must be the address that the browser gave')
const base64url = (characters: number) =>
  z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${characters}}=*$`), 'must be as the browser gave it')

/** As `PushSubscription.toJSON()` has it, without the time at which it ends. */
export const pushSubscriptionRequest = z.strictObject({
  endpoint: pushEndpoint,
  /** A point of P-256, 65 bytes, and 16 random bytes. */
  keys: z.strictObject({ p256dh: base64url(87), auth: base64url(22) }),
})
export type PushSubscriptionRequest = z.infer<typeof pushSubscriptionRequest>
export const endPushSubscriptionRequest = z.strictObject({ endpoint: pushEndpoint })

/** What a service worker is handed, encrypted so that the push service cannot read it. */
export const pushPayload = z.strictObject({
  noticeId: id,
  title: z.string(),
  text: z.string(),
  /** Where a click leads, below the app's own address. */
  path: z.string(),
})
export type PushPayload = z.infer<typeof pushPayload>
