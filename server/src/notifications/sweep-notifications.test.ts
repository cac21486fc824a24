import { expect, test } from 'vitest'
import { notificationsFixture, transferEvent } from './notifications-fixture.ts'
import { sweepNotifications } from './sweep-notifications.ts'

const { activeWebhook, ask, clock, customer, db, deliveries, happened, notify, receiver, sender } =
  await notificationsFixture()
const DAY_SECONDS = 86_400
const daysLater = (days: number) => clock.advance(days * DAY_SECONDS * 1_000)
const signIn = (walletId: bigint) =>
  db.transaction((tx) =>
    notify(tx, { kind: 'signed_in', walletId, detail: { ip: '10.0.0.1', userAgent: 'Firefox' } }),
  )

test('what was sent is kept for 30 days, and a notice for 400; what then goes unread counts as read', async () => {
  const [owner, payer, there] = [await customer('owner'), await customer('payer'), await receiver()]
  const { id } = await activeWebhook(owner, there)
  await happened(transferEvent(payer, owner, '10.00'))
  await sender.drain()
  await sweepNotifications(db, clock.now())
  expect(await deliveries(owner, id)).toHaveLength(3)

  daysLater(31)
  await signIn(owner.walletId)
  await sweepNotifications(db, clock.now())
  expect((await deliveries(owner, id)).map(({ type }) => type)).toEqual(['notice.created'])
  expect(await ask(owner, 'GET', '/notices')).toMatchObject({ body: { unread: 2 } })

  daysLater(370)
  await sweepNotifications(db, clock.now())
  expect(await ask(owner, 'GET', '/notices')).toMatchObject({
    body: { unread: 1, items: [{ kind: 'signed_in' }] },
  })
  await signIn(owner.walletId)
  expect(await ask(owner, 'GET', '/notices')).toMatchObject({ body: { unread: 2 } })
})
