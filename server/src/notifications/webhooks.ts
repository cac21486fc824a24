import { WEBHOOK_URL_LENGTH_MAX } from '@kantor/contract/api'
import type {
  CreateWebhookRequest,
  CreatedWebhook,
  Replayed,
  ReplayRequest,
  RotatedSecret,
  UpdateWebhookRequest,
  Webhook,
  WebhookDeliveries,
} from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import type { Database, Tx } from '#db'
import { recordAct } from '#identity'
import type { ClientInfo, Principal } from '#http'
import { failWaiting, requeueFrom, requeueOne, selectDeliveries } from './delivery-store.ts'
import { lockInbox } from './notice-queries.ts'
import { refusalOfUrl } from './post-outside.ts'
import { countAskedFor, tellOneReceiver } from './webhook-messages.ts'
import { newWebhookSecret, secretText } from './webhook-secrets.ts'
import type { SealedSecrets } from './webhook-secrets.ts'
import {
  deleteWebhook,
  insertWebhook,
  lockWebhook,
  selectWebhook,
  selectWebhooks,
  toWebhook,
  updateWebhook,
} from './webhook-store.ts'
import type { WebhookRow } from './webhook-store.ts'

export interface WebhookDeps {
  readonly db: Database
  readonly clock: () => Date
  readonly newId: () => string
  readonly randomBytes: (size: number) => Buffer
  readonly secrets: SealedSecrets
  /** For development: private addresses, any port, and http to loopback. */
  readonly allowPrivate: boolean
}

interface By {
  readonly principal: Principal
  readonly client: ClientInfo
}

const WEBHOOKS_MAX = 10
const SECRET_OVERLAP_HOURS = 24
const REPLAY_MAX = 1_000
const CHALLENGE_BYTES = 24
/** Each makes a request to an address that nobody has vouched for yet. */
const ASKED_PER_MINUTE_MAX = 10

export async function listWebhooks({ db }: WebhookDeps, walletId: bigint): Promise<Webhook[]> {
  return (await selectWebhooks(db, walletId)).map(toWebhook)
}

/** Registers an address and asks it the challenge; nothing else goes there before the answer. */
export async function createWebhook(
  deps: WebhookDeps,
  by: By,
  { url: text, name, events }: CreateWebhookRequest,
): Promise<CreatedWebhook> {
  const url = parseUrl(text, deps)
  const id = deps.newId()
  const secret = newWebhookSecret(deps.randomBytes)
  const { walletId } = by.principal
  const webhook = await deps.db.transaction(async (tx) => {
    // Held, so that two requests cannot both find room for the last one.
    await lockInbox(tx, walletId)
    if ((await selectWebhooks(tx, walletId)).length >= WEBHOOKS_MAX) throw new Problem('too_many_webhooks')
    const row = await insertWebhook(tx, {
      id,
      wallet_id: walletId,
      url: url.href,
      name: name ?? url.host,
      events,
      sealed_secret: deps.secrets.seal(secret, id),
      created_at: deps.clock(),
    })
    await askChallenge(tx, deps, row)
    await audit(tx, deps, by, 'webhook_created', row)
    return row
  })
  return { ...toWebhook(webhook), secret: secretText(secret) }
}

/** @throws Problem invalid_request when it may not be called, or is too long as it is called: `ż` is `%C5%BC` there. */
function parseUrl(text: string, deps: WebhookDeps): URL {
  const refusal = refusalOfUrl(text, deps)
  const url = refusal === null ? new URL(text) : null
  if (url !== null && url.href.length <= WEBHOOK_URL_LENGTH_MAX) return url
  const message = refusal ?? `must have at most ${WEBHOOK_URL_LENGTH_MAX} characters, encoded`
  throw new Problem('invalid_request', { errors: [{ path: 'url', message }] })
}

/** Changes what is given. Switched on again, a webhook that was verified once is active at once. */
export async function changeWebhook(
  deps: WebhookDeps,
  by: By,
  id: string,
  { enabled, ...change }: UpdateWebhookRequest,
): Promise<Webhook> {
  return deps.db.transaction(async (tx) => {
    const before = await requireOwn(tx, by, id)
    const isOff = before.status === 'disabled'
    if (enabled === false && !isOff) await failWaiting(tx, id)
    const after = await updateWebhook(tx, before, {
      name: change.name ?? before.name,
      events: change.events ?? before.events,
      ...(enabled === false && !isOff ? { status: 'disabled', disabled_reason: 'owner' } : {}),
      ...(enabled === true && isOff
        ? {
            status: before.verified_at === null ? 'pending' : 'active',
            disabled_reason: null,
            failing_since: null,
          }
        : {}),
    })
    if (isOff && after.status === 'pending') await askChallenge(tx, deps, after)
    await audit(tx, deps, by, 'webhook_changed', after)
    return toWebhook(after)
  })
}

export async function removeWebhook(deps: WebhookDeps, by: By, id: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const webhook = await requireOwn(tx, by, id)
    await deleteWebhook(tx, by.principal.walletId, id)
    await audit(tx, deps, by, 'webhook_deleted', webhook)
  })
}

/** A new secret; the one before is signed with too for a day, so that the receiver can change over in its own time. */
export async function rotateSecret(deps: WebhookDeps, by: By, id: string): Promise<RotatedSecret> {
  const secret = newWebhookSecret(deps.randomBytes)
  const until = new Date(deps.clock().getTime() + SECRET_OVERLAP_HOURS * 3_600_000)
  await deps.db.transaction(async (tx) => {
    const before = await requireOwn(tx, by, id)
    await updateWebhook(tx, before, {
      sealed_secret: deps.secrets.seal(secret, id),
      sealed_previous_secret: before.sealed_secret,
      previous_secret_until: until,
    })
    await audit(tx, deps, by, 'webhook_secret_rotated', before)
  })
  return { secret: secretText(secret), previousSecretUntil: until.toISOString() }
}

/** Asks the challenge once more; of a webhook that is on already, a way to see that it still answers. */
export async function verifyWebhook(deps: WebhookDeps, by: By, id: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const webhook = await requireOwn(tx, by, id)
    if (webhook.status === 'disabled') throw new Problem('webhook_not_active')
    await askChallenge(tx, deps, webhook)
  })
}

export async function testWebhook(deps: WebhookDeps, by: By, id: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const webhook = await requireActive(tx, by, id)
    await refuseBeyondRate(tx, deps, webhook)
    await tellOneReceiver(tx, deps, { webhook, saying: { type: 'webhook.test', data: { webhookId: id } } })
  })
}

/** Sends again: one message, or everything the receiver wants since a moment, up to a thousand at once. */
export async function replay(
  deps: WebhookDeps,
  by: By,
  id: string,
  request: ReplayRequest,
): Promise<Replayed> {
  const now = deps.clock()
  return deps.db.transaction(async (tx) => {
    await requireActive(tx, by, id)
    if ('delivery' in request) {
      if (!(await requeueOne(tx, id, request.delivery, now))) throw new Problem('not_found')
      return { queued: 1, nextFrom: null }
    }
    const { queued, last } = await requeueFrom(tx, id, {
      from: new Date(request.from),
      now,
      limit: REPLAY_MAX,
    })
    return { queued, nextFrom: queued === REPLAY_MAX ? (last?.toISOString() ?? null) : null }
  })
}

const POSITION = /^[1-9][0-9]{0,17}$/

/** A page of what was sent to a receiver, newest first, with its attempts. */
export async function listDeliveries(
  { db }: WebhookDeps,
  walletId: bigint,
  id: string,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<WebhookDeliveries> {
  if (cursor !== undefined && !POSITION.test(cursor)) throw new Problem('invalid_cursor')
  if ((await selectWebhook(db, walletId, id)) === undefined) throw new Problem('not_found')
  const below = cursor === undefined ? null : BigInt(cursor)
  const found = await selectDeliveries(db, id, { below, limit: limit + 1 })
  const page = found.slice(0, limit)
  return {
    items: page.map(({ delivery }) => delivery),
    nextCursor: found.length > limit ? `${page.at(-1)?.position}` : null,
  }
}

async function askChallenge(tx: Tx, deps: WebhookDeps, webhook: WebhookRow): Promise<void> {
  await refuseBeyondRate(tx, deps, webhook)
  const challenge = deps.randomBytes(CHALLENGE_BYTES).toString('base64url')
  const saying = { type: 'webhook.verification', data: { webhookId: webhook.id, challenge } } as const
  await tellOneReceiver(tx, deps, { webhook, saying })
}

async function refuseBeyondRate(tx: Tx, deps: WebhookDeps, { wallet_id }: WebhookRow): Promise<void> {
  const aMinuteAgo = new Date(deps.clock().getTime() - 60_000)
  if ((await countAskedFor(tx, wallet_id, aMinuteAgo)) >= ASKED_PER_MINUTE_MAX)
    throw new Problem('rate_limited', { retryAfterSeconds: 60 })
}

/** Locked. @throws Problem not_found, also for another customer's */
async function requireOwn(tx: Tx, { principal }: By, id: string): Promise<WebhookRow> {
  const webhook = await lockWebhook(tx, id)
  if (webhook === undefined || webhook.wallet_id !== principal.walletId) throw new Problem('not_found')
  return webhook
}

async function requireActive(tx: Tx, by: By, id: string): Promise<WebhookRow> {
  const webhook = await requireOwn(tx, by, id)
  if (webhook.status !== 'active') throw new Problem('webhook_not_active')
  return webhook
}

async function audit(
  tx: Tx,
  { clock }: WebhookDeps,
  { principal, client }: By,
  act: 'webhook_created' | 'webhook_changed' | 'webhook_deleted' | 'webhook_secret_rotated',
  { id, url }: WebhookRow,
): Promise<void> {
  const { customerId } = principal
  const detail = { webhookId: id, host: new URL(url).host }
  await recordAct(tx, { act, at: clock(), customerId, actorId: customerId, client, detail })
}
