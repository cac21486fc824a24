import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { leaseReceivers, requeueFrom } from './delivery-store.ts'
import { notificationsFixture, transferEvent } from './notifications-fixture.ts'

const {
  activeWebhook,
  ask,
  clock,
  customer,
  cutShort,
  db,
  deliveries,
  happened,
  ownerDb,
  receiver,
  sender,
  webhook,
} = await notificationsFixture()

const HOUR_MS = 3_600_000

test('a receiver whose secret cannot be read is let be for a while, and holds up nobody', async () => {
  const [owner, other] = [await customer('own_s'), await customer('oth_s')]
  const [there, elsewhere] = [await receiver(), await receiver()]
  const { id } = await activeWebhook(owner, there)
  const { id: otherId } = await activeWebhook(other, elsewhere)
  // As after a change of SECRET_KEY.
  await ownerDb.query(
    'update notifications.webhooks set sealed_secret = overlay(sealed_secret placing $2 from 13) where id = $1',
    [id, Buffer.alloc(16)],
  )
  await ask(owner, 'POST', `/webhooks/${id}/test`)
  await ask(other, 'POST', `/webhooks/${otherId}/test`)
  await sender.drain()
  expect(cutShort.splice(0)).toEqual(['a turn of a webhook was cut short'])
  expect([there.received.length, elsewhere.received.length]).toEqual([0, 1])
  clock.advance(61_000)
  await sender.drain()
  expect(cutShort.splice(0)).toEqual(['a turn of a webhook was cut short'])
  await ask(owner, 'DELETE', `/webhooks/${id}`)
})

test('what is sent again in parts leaves nothing out, though two processes’ clocks differ', async () => {
  const [owner, payer, there] = [await customer('own_r'), await customer('pay_r'), await receiver()]
  const { id } = await activeWebhook(owner, there, ['operation.posted'])
  for (const amount of ['1.00', '2.00', '3.00']) await happened(transferEvent(payer, owner, amount))
  const from = clock.now()
  const secondsOn = (seconds: number) => new Date(from.getTime() + seconds * 1_000)
  // The first was written by a process whose clock is ahead.
  const { rows } = await ownerDb.query<{ position: bigint }>(
    `select position from notifications.webhook_deliveries where webhook_id = $1 order by position desc limit 3`,
    [id],
  )
  for (const [index, seconds] of [1, 0, 2].entries())
    await ownerDb.query('update notifications.webhook_messages set created_at = $2 where position = $1', [
      rows[index]?.position,
      secondsOn(seconds),
    ])
  const part = (since: Date) =>
    db.transaction((tx) => requeueFrom(tx, id, { from: since, now: clock.now(), limit: 2 }))
  await ownerDb.query(
    `update notifications.webhook_deliveries set status = 'delivered', next_attempt_at = null where webhook_id = $1`,
    [id],
  )
  const { last } = await part(from)
  await part(last ?? from)
  await sender.drain()
  expect(there.received).toHaveLength(3)
})

test('a receiver that failed once has its turn, however many new ones are registered meanwhile', async () => {
  const [owner, churner] = [await customer('own_f'), await customer('chu_f')]
  const [there, hanging] = [await receiver(), await receiver()]
  const { id } = await activeWebhook(owner, there)
  there.answer = (_received, response) => response.writeHead(503).end()
  await ask(owner, 'POST', `/webhooks/${id}/test`)
  await sender.drain()
  clock.advance(60_000)
  const body = { url: hanging.url, events: ['notice.created'] }
  for (let n = 0; n < 10; n += 1)
    expect(await ask(churner, 'POST', '/webhooks', { body })).toMatchObject({ status: 201 })
  const now = clock.now()
  const lease = { by: randomUUID(), now, until: new Date(now.getTime() + 60_000) }
  const served = await leaseReceivers(db, { slow: true, limit: 8 }, lease)
  expect(served).toHaveLength(8)
  expect(served.map((each) => each.id)).toContain(id)
})

test('an answer without a status of HTTP is an attempt that failed, tried again as late as any', async () => {
  const [owner, there] = [await customer('own_h'), await receiver()]
  const { id } = await activeWebhook(owner, there)
  there.answer = (_received, response) => response.socket?.end('HTTP/1.1 099 Odd\r\n\r\n')
  await ask(owner, 'POST', `/webhooks/${id}/test`)
  await sender.drain()
  const [made] = await deliveries(owner, id)
  expect(made).toMatchObject({
    status: 'waiting',
    nextAttemptAt: new Date(clock.now().getTime() + 5_000).toISOString(),
    attempts: [{ status: null, failure: 'connection_failed' }],
  })
})

test('a challenge that an active webhook does not answer is no failure for which it is given up days later', async () => {
  const [owner, payer, there] = [await customer('own_v'), await customer('pay_v'), await receiver()]
  const { id } = await activeWebhook(owner, there, ['operation.posted'])
  there.answer = (_received, response) => response.end('thank you')
  await ask(owner, 'POST', `/webhooks/${id}/verify`)
  for (let tries = 0; tries < 3; tries += 1) {
    await sender.drain()
    clock.advance(HOUR_MS)
  }
  expect(there.received).toHaveLength(3)
  expect(await webhook(owner, id)).toMatchObject({ status: 'active', failingSince: null })

  clock.advance(96 * HOUR_MS)
  there.answer = (_received, response) => response.writeHead(503).end()
  await happened(transferEvent(payer, owner, '1.00'))
  await sender.drain()
  const failingSince = clock.now().toISOString()
  expect(await webhook(owner, id)).toMatchObject({ status: 'active', failingSince })
  clock.advance(HOUR_MS)
  there.answer = (_received, response) => response.end()
  await sender.drain()
  expect(await webhook(owner, id)).toMatchObject({ status: 'active', failingSince: null })
})
