/** For this room's tests: the room on a real database, and receivers that really listen, on loopback. */
import { randomBytes, randomUUIDv7 } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CreatedWebhook, Webhook, WebhookDeliveries, WebhookEvent } from '@kantor/contract/api'
import type { JournalEvent } from '@kantor/contract/events'
import { moneyFixture } from '#test/money-fixture'
import type { Customer, MoneyFixture } from '#test/money-fixture'
import { afterAll, afterEach, expect } from 'vitest'
import { notificationsConsumer } from './consume-events.ts'
import { createNotify } from './notify.ts'
import type { Notify, NotifyDeps } from './notify.ts'
import { createPostOutside } from './post-outside.ts'
import type { OutsideOptions } from './post-outside.ts'
import { notificationRoutes } from './routes.ts'
import { createSealedSecrets } from './webhook-secrets.ts'
import { createWebhookSender } from './webhook-sender.ts'
import type { WebhookSender } from './webhook-sender.ts'

export interface Received {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly bytes: Buffer
}

type Answering = (received: Received, response: ServerResponse) => void

export interface Receiver {
  readonly url: string
  /** In the order of arrival. */
  readonly received: Received[]
  /** How it answers from now on; at first with 200 and what it was sent, which also answers a challenge. */
  answer: Answering
}

export interface NotificationsFixture extends MoneyFixture {
  readonly notify: Notify
  /** Jobs that were queued: `send-mail <message id>`. */
  readonly queued: { job: string; messageId: string }[]
  /** Logs to `cutShort`, which must be empty again when a test ends. */
  readonly sender: WebhookSender
  readonly cutShort: string[]
  /** Another process's, with what is given instead. */
  anotherSender(options?: Partial<OutsideOptions>): WebhookSender
  receiver(): Promise<Receiver>
  /** Registers, and has the challenge answered. */
  activeWebhook(of: Customer, receiver: Receiver, events?: readonly WebhookEvent[]): Promise<CreatedWebhook>
  webhook(of: Customer, id: string): Promise<Webhook | undefined>
  deliveries(of: Customer, id: string): Promise<WebhookDeliveries['items']>
  /** What the events room would hand over. */
  happened(...events: JournalEvent[]): Promise<void>
}

const echo: Answering = ({ body }, response) => void response.end(body)

export async function notificationsFixture(
  options: { available?: NotifyDeps['available']; pushPublicKey?: string } = {},
): Promise<NotificationsFixture> {
  const fixture = await moneyFixture()
  const { ask, clock, db } = fixture
  const queued: NotificationsFixture['queued'] = []
  const own = { db, clock: clock.now, newId: randomUUIDv7, random: () => 0.5 }
  const available = options.available ?? { mail: false, push: false }
  const secrets = createSealedSecrets(randomBytes(32), randomBytes)
  const enqueue: NotifyDeps['enqueue'] = async (_tx, job, { messageId }) =>
    void queued.push({ job, messageId })
  const notify = createNotify({ ...own, available, enqueue })
  const cutShort: string[] = []
  const log = { warn: (_fields: object, message: string) => void cutShort.push(message) }
  afterEach(() => expect(cutShort.splice(0)).toEqual([]))
  const anotherSender = (given: Partial<OutsideOptions> = {}) => {
    const post = createPostOutside({ allowPrivate: true, timeoutMs: 60_000, ...given })
    return createWebhookSender({ ...own, secrets, post, notify, log, metrics: { gauge: () => {} } })
  }
  const sender = anotherSender()
  const consumer = notificationsConsumer({ ...own, available, enqueue })
  fixture.serve(
    notificationRoutes({
      ...own,
      randomBytes,
      secrets,
      allowPrivate: true,
      mailAvailable: available.mail,
      pushPublicKey: options.pushPublicKey ?? null,
    }),
  )
  const webhooksOf = async (of: Customer) =>
    (await ask(of, 'GET', '/webhooks')).body['items'] as unknown as Webhook[]
  return {
    ...fixture,
    notify,
    queued,
    sender,
    cutShort,
    anotherSender,
    receiver: startReceiver,
    activeWebhook: async (of, receiver, events = ['operation.posted', 'notice.created']) => {
      const { status, body } = await ask(of, 'POST', '/webhooks', { body: { url: receiver.url, events } })
      expect(status).toBe(201)
      await sender.drain()
      receiver.received.length = 0
      return body as unknown as CreatedWebhook
    },
    webhook: async (of, id) => (await webhooksOf(of)).find((webhook) => webhook.id === id),
    deliveries: async (of, id) =>
      (await ask(of, 'GET', `/webhooks/${id}/deliveries`)).body['items'] as WebhookDeliveries['items'],
    happened: (...events) => db.transaction((tx) => consumer.handle(tx, events)),
  }
}

async function startReceiver(): Promise<Receiver> {
  const receiver: { received: Received[]; answer: Answering } = { received: [], answer: echo }
  const server = createServer((request, response) => {
    void readAll(request).then((bytes) => {
      const headers = request.headers as Record<string, string>
      const received = { headers, body: bytes.toString('utf8'), bytes }
      receiver.received.push(received)
      receiver.answer(received, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return Object.assign(receiver, { url: `http://127.0.0.1:${port}/hook` })
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

let seq = 1_000n

/** A transfer as the events room tells of it, both sides in one event. */
export function transferEvent(
  from: Customer,
  to: Customer,
  amount: string,
  note: string | null = null,
): JournalEvent {
  seq += 1n
  const side = (customer: Customer, signed: string, available: string) => ({
    walletId: `${customer.walletId}`,
    amounts: [{ asset: 'EUR', amount: signed }],
    balances: [{ asset: 'EUR', available, reserved: '0.00' }],
  })
  return {
    id: randomUUIDv7(),
    version: 1,
    type: 'journal.posted',
    seq: `${seq}`,
    at: '2026-01-14T17:00:00.000Z',
    kind: 'transfer',
    parties: [side(from, `-${amount}`, '90.00'), side(to, amount, '10.00')],
    detail: note === null ? null : { note },
  }
}
