import { randomBytes, randomUUIDv7 } from 'node:crypto'
import type { Config } from '#config'
import type { Database } from '#db'
import type { EventConsumer } from '#events'
import {
  createNotify,
  createPostOutside,
  createSealedSecrets,
  createSmtp,
  createWebhookSender,
  notificationsConsumer,
} from '#notifications'
import type {
  NotificationJobsDeps,
  NotificationRoutesDeps,
  Notify,
  NotifyDeps,
  WebhookSender,
} from '#notifications'
import type { Log, Metrics } from '#telemetry'

export interface NotificationsRoomDeps {
  readonly config: Pick<Config, 'mail' | 'vapid' | 'webhooksAllowPrivate' | 'publicUrl'>
  /** The installation's. */
  readonly secretKey: Buffer
  readonly db: Database
  readonly clock: () => Date
  /** Between 0 and 1. */
  readonly random: () => number
  readonly log: Log
  readonly metrics: Pick<Metrics, 'gauge'>
  readonly enqueue: NotifyDeps['enqueue']
}

/** The notifications room with all that it needs of the environment. */
export interface NotificationsRoom {
  readonly notify: Notify
  readonly consumer: EventConsumer
  /** Sends webhooks: a worker's part. */
  readonly webhookSender: WebhookSender
  readonly jobs: NotificationJobsDeps
  readonly routes: NotificationRoutesDeps
}

export function buildNotifications(deps: NotificationsRoomDeps): NotificationsRoom {
  const { config, db, clock, log } = deps
  const { publicUrl, webhooksAllowPrivate: allowPrivate } = config
  const own = { ...deps, newId: randomUUIDv7 }
  const post = createPostOutside({ allowPrivate })
  const secrets = createSealedSecrets(deps.secretKey, randomBytes)
  const telling = { ...own, available: { mail: config.mail !== null, push: config.vapid !== null } }
  const notify = createNotify(telling)
  const { mail, vapid } = config
  return {
    notify,
    consumer: notificationsConsumer(telling),
    webhookSender: createWebhookSender({ ...own, secrets, post, notify }),
    jobs: {
      db,
      clock,
      log,
      mail: mail === null ? null : { send: createSmtp(mail.smtpUrl, mail.from), publicUrl },
      push: vapid === null ? null : { vapid: { ...vapid, subject: subjectOf(publicUrl) }, post },
    },
    routes: {
      ...own,
      randomBytes,
      secrets,
      allowPrivate,
      mailAvailable: mail !== null,
      pushPublicKey: vapid?.publicKey ?? null,
    },
  }
}

/** Push services take a https address or a mailbox, and some refuse localhost. */
const subjectOf = (publicUrl: URL): string =>
  publicUrl.protocol === 'https:' ? publicUrl.origin : `mailto:kantor@${publicUrl.hostname}`
