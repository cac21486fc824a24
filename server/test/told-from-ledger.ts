/** For tests of what owners are told: hands a wallet's journals, as events, to the consumer that tells of them. */
import { randomUUIDv7 } from 'node:crypto'
import type { NoticeContent } from '@kantor/contract/api'
import { eventsAfter } from '#events'
import { noticesAfter, notificationsConsumer } from '#notifications'
import type { Customer, MoneyFixture } from './money-fixture.ts'

const ROWS_MAX = 100

/** All that this customer was ever told, oldest first; asking again tells nothing twice. */
export async function toldFromLedger(
  { db, clock }: Pick<MoneyFixture, 'db' | 'clock'>,
  { walletId }: Customer,
): Promise<Pick<NoticeContent, 'kind' | 'detail'>[]> {
  const consumer = notificationsConsumer({
    clock: clock.now,
    newId: randomUUIDv7,
    available: { mail: false, push: false },
    enqueue: () => Promise.reject(new Error('nothing is to be sent')),
  })
  const events = await eventsAfter(db, walletId, 0n, ROWS_MAX)
  await db.transaction((tx) => consumer.handle(tx, events))
  const placed = await noticesAfter(db, walletId, 0n, ROWS_MAX)
  return placed.map(({ notice: { kind, detail } }) => ({ kind, detail }))
}
