import { randomUUID } from 'node:crypto'
import type { NoticeContent } from '@kantor/contract/api'
import { describe, expect, test } from 'vitest'
import { lastNoticePosition, noticesAfter } from './index.ts'
import { notificationsFixture, transferEvent } from './notifications-fixture.ts'

const { activeWebhook, ask, customer, db, happened, notify, ownerDb, receiver, sender } =
  await notificationsFixture()

const signedIn = (ip: string): NoticeContent => ({ kind: 'signed_in', detail: { ip, userAgent: 'Firefox' } })
const tell = (walletId: bigint, ip: string, dedupeKey?: string) =>
  db.transaction((tx) =>
    notify(tx, { ...signedIn(ip), walletId, ...(dedupeKey === undefined ? {} : { dedupeKey }) }),
  )

describe('a notice', () => {
  test('is listed newest first, page by page, and read up to one', async () => {
    const ewa = await customer('ewa')
    for (const ip of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) await tell(ewa.walletId, ip)
    const first = (await ask(ewa, 'GET', '/notices?limit=2')).body as never as {
      items: { id: string; read: boolean; detail: { ip: string } }[]
      nextCursor: string
      unread: number
    }
    expect(first.items.map(({ detail, read }) => [detail.ip, read])).toEqual([
      ['10.0.0.3', false],
      ['10.0.0.2', false],
    ])
    expect(first.unread).toBe(3)
    const rest = await ask(ewa, 'GET', `/notices?limit=2&cursor=${first.nextCursor}`)
    expect(rest.body).toMatchObject({ items: [{ detail: { ip: '10.0.0.1' } }], nextCursor: null })

    const through = first.items[1]?.id
    const read = await ask(ewa, 'POST', '/notices/read', { body: { through } })
    expect(read).toMatchObject({ body: { unread: 1 } })
    const items = (await ask(ewa, 'GET', '/notices')).body['items'] as { read: boolean }[]
    expect(items.map(({ read }) => read)).toEqual([false, true, true])
  })

  test('once read stays read', async () => {
    const iga = await customer('iga')
    for (const ip of ['10.0.0.1', '10.0.0.2']) await tell(iga.walletId, ip)
    const items = (await ask(iga, 'GET', '/notices')).body['items'] as { id: string }[]
    for (const { id } of items) await ask(iga, 'POST', '/notices/read', { body: { through: id } })
    expect(await ask(iga, 'GET', '/notices')).toMatchObject({ body: { unread: 0 } })
  })

  test('of another customer answers like a missing one', async () => {
    const [owner, stranger] = [await customer('owner'), await customer('stranger')]
    await tell(owner.walletId, '10.0.0.1')
    const [notice] = (await ask(owner, 'GET', '/notices')).body['items'] as { id: string }[]
    const theirs = await ask(stranger, 'POST', '/notices/read', { body: { through: notice?.id } })
    const missing = await ask(stranger, 'POST', '/notices/read', { body: { through: randomUUID() } })
    expect(theirs).toMatchObject({ status: 404, body: { code: 'not_found' } })
    expect(missing).toMatchObject({ status: 404, body: { code: 'not_found' } })
    expect(await ask(owner, 'GET', '/notices')).toMatchObject({ body: { unread: 1 } })
  })

  test.each(['0', '-1', 'x', '1e3', '9'.repeat(19)])('list refuses the cursor %s', async (cursor) => {
    const anybody = await customer(`c${randomUUID().slice(0, 8)}`)
    const answer = await ask(anybody, 'GET', `/notices?cursor=${cursor}`)
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } })
  })

  test('with the same key is told once, and what is rolled back was never told', async () => {
    const ola = await customer('ola')
    await tell(ola.walletId, '10.0.0.1', 'the same')
    await tell(ola.walletId, '10.0.0.2', 'the same')
    await expect(
      db.transaction(async (tx) => {
        await notify(tx, { ...signedIn('10.0.0.3'), walletId: ola.walletId })
        throw new Error('the rest failed')
      }),
    ).rejects.toThrow('the rest failed')
    const { body } = await ask(ola, 'GET', '/notices')
    expect(body).toMatchObject({ unread: 1, items: [{ detail: { ip: '10.0.0.1' } }] })
  })

  test('whose detail is not what its kind says is refused, and nothing is told', async () => {
    const jan = await customer('jan')
    const wrong = { kind: 'signed_in', detail: { ip: 1 } } as never as NoticeContent
    const telling = db.transaction((tx) => notify(tx, { ...wrong, walletId: jan.walletId }))
    await expect(telling).rejects.toThrow('Invalid input')
    expect(await lastNoticePosition(db, jan.walletId)).toBe(0n)
  })
})

describe('of several events handed over at once', () => {
  test('everyone is told as of each alone, in their order, and once if they come again', async () => {
    const [payer, one, other] = [await customer('payer'), await customer('one'), await customer('other')]
    const there = await receiver()
    await activeWebhook(one, there)
    const events = [
      transferEvent(payer, one, '1.00'),
      transferEvent(payer, other, '2.00'),
      transferEvent(one, other, '3.00'),
      transferEvent(payer, one, '4.00'),
    ]
    await happened(...events)
    await happened(...events.toReversed())
    const told = async (of: typeof one) =>
      ((await ask(of, 'GET', '/notices')).body['items'] as { detail: { amount: string } }[]).map(
        ({ detail }) => detail.amount,
      )
    expect([await told(one), await told(other), await told(payer)]).toEqual([
      ['4.00', '1.00'],
      ['3.00', '2.00'],
      [],
    ])
    await sender.drain()
    const types = there.received.map(({ body }) => (JSON.parse(body) as { type: string }).type)
    const [moved, noticed] = ['operation.posted', 'notice.created']
    expect(types.slice(0, 5)).toEqual([moved, noticed, moved, moved, noticed])
  })

  test('a fill with which an order was cut short is told as a fill and as its end', async () => {
    const owner = await customer('trader')
    const base = transferEvent(owner, owner, '5.00')
    const [party] = base.parties
    const detail = {
      orderId: randomUUID(),
      side: 'buy',
      instrument: 'AAPL',
      quantity: '0.500000000',
      price: '200',
      priceCurrency: 'EUR',
    }
    const trade = (end: Record<string, unknown>) => ({
      ...base,
      id: randomUUID(),
      kind: 'trade' as const,
      parties: party === undefined ? [] : [party],
      detail: { ...detail, ...end },
    })
    await happened(
      trade({}),
      trade({ status: 'cancelled', reason: 'reserveUsed' }),
      trade({ status: 'filled', reason: null }),
    )
    const { items } = (await ask(owner, 'GET', '/notices')).body as never as { items: { kind: string }[] }
    expect(items.map(({ kind }) => kind)).toEqual([
      'order_filled',
      'order_ended',
      'order_filled',
      'order_filled',
    ])
  })
})

describe('places', () => {
  test('are gapless and in order of commit however many tell at once, so no reader misses any', async () => {
    const { walletId } = await customer('busy')
    const seen: bigint[] = []
    const read = async () => {
      const found = await noticesAfter(db, walletId, seen.at(-1) ?? 0n, 7)
      seen.push(...found.map(({ position }) => position))
    }
    const telling = Promise.all(Array.from({ length: 40 }, (_, n) => tell(walletId, `10.0.0.${n}`)))
    while (seen.length < 40) await read()
    await telling
    expect(seen).toEqual(Array.from({ length: 40 }, (_, n) => BigInt(n + 1)))
    expect(await lastNoticePosition(db, walletId)).toBe(40n)
  })

  test('a process that listens hears whose notice it was, once committed', async () => {
    const { walletId } = await customer('heard')
    const listener = await ownerDb.connect()
    const heard = new Promise<string | undefined>((resolve) =>
      listener.once('notification', ({ payload }) => resolve(payload)),
    )
    await listener.query('listen kantor_notices')
    await tell(walletId, '10.0.0.1')
    expect(await heard).toBe(`${walletId}`)
    await listener.query('unlisten kantor_notices')
    listener.release()
  })
})
