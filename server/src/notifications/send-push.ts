import type { PushPayload } from '@kantor/contract/api'
import type { Database } from '#db'
import { contactOf, sessionHolds } from '#identity'
import webPush from 'web-push'
import { markSent, selectUnsent } from './message-store.ts'
import type { Subscription } from './message-store.ts'
import { noticeWords } from './notice-words.ts'
import type { PostOutside } from './post-outside.ts'
import { forgetSubscription } from './push-subscriptions.ts'

/** What identifies this server to push services (RFC 8292): a P-256 pair in base64url. */
export interface Vapid {
  readonly publicKey: string
  readonly privateKey: string
  /** Whom a push service may write to: `mailto:` or `https:`. */
  readonly subject: string
}

export interface SendPushDeps {
  readonly db: Database
  readonly clock: () => Date
  readonly vapid: Vapid
  readonly post: PostOutside
  readonly log: { warn(fields: object, message: string): void }
}

/** Who was away for longer reads it in the app. */
const TTL_SECONDS = 86_400

/**
 * Once for each browser, but for a process that dies between the answer and our note of it; the browser then replaces
 * what it shows, as both bear the notice's id.
 * @throws when it should be tried again
 */
export async function sendPush(deps: SendPushDeps, messageId: string): Promise<void> {
  const message = await selectUnsent(deps.db, messageId)
  if (message === null || message.subscription === null) return
  const { id, sessionId } = message.subscription
  if (!(await sessionHolds(deps.db, sessionId, deps.clock()))) return forgetSubscription(deps.db, id)
  const contact = await contactOf(deps.db, message.walletId)
  if (contact === null) throw new Error(`wallet ${message.walletId} was told something and has no owner`)
  const { noticeId, subscription } = message
  const words = noticeWords(contact.locale, message.content)
  const { status, failure } = await push(deps, subscription, { noticeId, ...words })
  if (status === 404 || status === 410) return forgetSubscription(deps.db, subscription.id)
  if (status === null || status === 429 || status >= 500)
    throw new Error(`the push service did not take it: ${failure ?? status}`)
  if (status >= 300) {
    deps.log.warn({ status, messageId }, 'a push was refused for good')
    return
  }
  await markSent(deps.db, messageId, deps.clock())
}

/** Encrypted for the browser alone (RFC 8291) by the library, and posted under our own rules for addresses. */
function push({ vapid, post }: SendPushDeps, subscription: Subscription, payload: PushPayload) {
  const { endpoint, p256dh, auth } = subscription
  const request = webPush.generateRequestDetails(
    { endpoint, keys: { p256dh, auth } },
    JSON.stringify(payload),
    {
      vapidDetails: vapid,
      TTL: TTL_SECONDS,
      contentEncoding: 'aes128gcm',
    },
  )
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)])
  return post(request.endpoint, Object.fromEntries(headers), request.body ?? '')
}
