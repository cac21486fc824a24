import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { webhookBody } from '@kantor/contract/api'
import type { CreatedWebhook, RotatedSecret } from '@kantor/contract/api'
import { Webhook as Verifier } from 'standardwebhooks'
import { describe, expect, test, vi } from 'vitest'
import { notificationsFixture, transferEvent } from './notifications-fixture.ts'
import type { Received } from './notifications-fixture.ts'
import { watchBacklog } from './webhook-backlog.ts'
import { signatureHeaders } from './webhook-secrets.ts'

const room = await notificationsFixture()
const { activeWebhook, ask, clock, customer, deliveries, happened, ownerDb, receiver, sender, webhook } = room
// The verifying library compares with the system's clock, which therefore shows the test's.
vi.useFakeTimers({ toFake: ['Date'], now: clock.now() })
const later = (seconds: number) => {
  clock.advance(seconds * 1_000)
  vi.setSystemTime(clock.now())
}

const HOUR = 3_600
const verified = (secret: string, { body, headers }: Received) => new Verifier(secret).verify(body, headers)
const bodyOf = ({ body }: Received) => webhookBody.parse(JSON.parse(body))

test('signatures are those of Standard Webhooks (the test vector of its libraries)', () => {
  const secret = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64')
  const signed = {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: 1_614_265_330,
    body: '{"test": 2432232314}',
  }
  expect(signatureHeaders(signed, [secret])).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})

describe('an address is registered', () => {
  test('and hears nothing but the challenge until it has answered it', async () => {
    const [owner, payer, there] = [await customer('own1'), await customer('pay1'), await receiver()]
    there.answer = (_received, response) => response.end('thank you')
    const { status, body } = await ask(owner, 'POST', '/webhooks', {
      body: { url: there.url, events: ['operation.posted'] },
    })
    expect([status, body['status']]).toEqual([201, 'pending'])
    const { id, secret } = body as unknown as CreatedWebhook
    await happened(transferEvent(payer, owner, '10.00'))
    await sender.drain()
    expect(there.received.map((received) => bodyOf(received).type)).toEqual(['webhook.verification'])
    expect(await ask(owner, 'POST', `/webhooks/${id}/test`)).toMatchObject({
      status: 409,
      body: { code: 'webhook_not_active' },
    })

    there.answer = ({ body }, response) => response.end(body)
    later(10)
    await sender.drain()
    expect((await webhook(owner, id))?.status).toBe('active')
    for (const received of there.received) verified(secret, received)
    const [made] = await deliveries(owner, id)
    expect(made).toMatchObject({
      status: 'delivered',
      attempts: [{ status: 200 }, { failure: 'challenge_not_answered' }],
    })
  })

  test('and the challenge is asked three times by itself, and again when its owner asks', async () => {
    const [owner, there] = [await customer('own2'), await receiver()]
    there.answer = (_received, response) => response.writeHead(500).end()
    const created = await ask(owner, 'POST', '/webhooks', {
      body: { url: there.url, events: ['notice.created'] },
    })
    for (let tries = 0; tries < 6; tries += 1) {
      await sender.drain()
      later(HOUR)
    }
    expect(there.received).toHaveLength(3)
    there.answer = ({ body }, response) => response.end(body)
    const id = String(created.body['id'])
    expect((await ask(owner, 'POST', `/webhooks/${id}/verify`)).status).toBe(204)
    await sender.drain()
    expect((await webhook(owner, id))?.status).toBe('active')
  })

  test.each([
    ['ftp://example.com', 'must be an address such as https://example.com/kantor'],
    ['http://example.com/hook', 'must begin with https://'],
    ['https://user:secret@example.com/', 'must hold no user or password'],
    [`https://example.com/${'ż'.repeat(100)}`, 'must have at most 500 characters, encoded'],
  ])('unless it is %s', async (url, message) => {
    const owner = await customer(`u${randomUUID().slice(0, 8)}`)
    const answer = await ask(owner, 'POST', '/webhooks', { body: { url, events: ['notice.created'] } })
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'url', message }] } })
  })

  test('ten times at most, and no receiver is asked more than ten things a minute', async () => {
    const [owner, there] = [await customer('own3'), await receiver()]
    const register = () =>
      ask(owner, 'POST', '/webhooks', { body: { url: there.url, events: ['notice.created'] } })
    const answers = await Promise.all(Array.from({ length: 12 }, register))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10)
    expect(answers.map(({ body }) => body['code']).filter(Boolean)).toEqual([
      'too_many_webhooks',
      'too_many_webhooks',
    ])
    const id = String(answers.find(({ status }) => status === 201)?.body['id'])
    expect(await ask(owner, 'POST', `/webhooks/${id}/verify`)).toMatchObject({ status: 429 })
  })

  test('and deleting it does not make room for asking another, so that nobody has strangers called', async () => {
    const [owner, there] = [await customer('own0'), await receiver()]
    const body = { url: there.url, events: ['notice.created'] }
    for (let times = 0; times < 10; times += 1) {
      const { status, body: made } = await ask(owner, 'POST', '/webhooks', { body })
      expect([status, (await ask(owner, 'DELETE', `/webhooks/${String(made['id'])}`)).status]).toEqual([
        201, 204,
      ])
    }
    expect(await ask(owner, 'POST', '/webhooks', { body })).toMatchObject({ status: 429 })
    await sender.drain()
    expect(there.received).toHaveLength(0)
    later(61)
    expect(await ask(owner, 'POST', '/webhooks', { body })).toMatchObject({ status: 201 })
  })

  test('and its secret is shown once and stored sealed', async () => {
    const [owner, there] = [await customer('own4'), await receiver()]
    const { secret, ...rest } = await activeWebhook(owner, there)
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect((await ask(owner, 'GET', '/webhooks')).text).not.toContain(secret.slice(6))
    const { rows } = await ownerDb.query<{ sealed: Buffer }>(
      'select sealed_secret as sealed from notifications.webhooks where id = $1',
      [rest.id],
    )
    expect(rows[0]?.sealed.includes(Buffer.from(secret.slice(6), 'base64'))).toBe(false)
  })
})

describe('what is sent', () => {
  test('is the owner’s own side, signed, in order, and nothing of the other party', async () => {
    const [owner, payer, there] = [await customer('zosia'), await customer('tomek'), await receiver()]
    const { secret } = await activeWebhook(owner, there)
    await happened(transferEvent(payer, owner, '10.00', 'for lunch'))
    await happened(transferEvent(owner, payer, '3.00'))
    await sender.drain()
    expect(there.received.map((received) => bodyOf(received).type)).toEqual([
      'operation.posted',
      'notice.created',
      'operation.posted',
    ])
    for (const received of there.received) {
      verified(secret, received)
      expect(received.body).not.toContain(`${payer.walletId}`)
    }
    // What the other side holds: the payer has 90.00 left, the payee 10.00.
    const [asPayee, , asPayer] = there.received
    expect(asPayee?.body).not.toContain('90.00')
    expect(asPayer?.body).not.toContain('10.00')
    expect(there.received.map((received) => bodyOf(received).data)).toMatchObject([
      { kind: 'transfer', amounts: [{ asset: 'EUR', amount: '10.00' }] },
      {
        kind: 'money_received',
        detail: { from: { handle: 'tomek', name: 'Ed**** K*******' }, note: 'for lunch' },
      },
      { amounts: [{ asset: 'EUR', amount: '-3.00' }] },
    ])
  })

  test('is what the receiver chose, and what it chooses later', async () => {
    const [owner, payer, there] = [await customer('own5'), await customer('pay5'), await receiver()]
    const { id } = await activeWebhook(owner, there, ['notice.created'])
    await happened(transferEvent(payer, owner, '10.00'))
    await sender.drain()
    expect(there.received.map((received) => bodyOf(received).type)).toEqual(['notice.created'])
    const changed = await ask(owner, 'PATCH', `/webhooks/${id}`, { body: { events: ['operation.posted'] } })
    expect(changed).toMatchObject({ status: 200, body: { events: ['operation.posted'], status: 'active' } })
    await happened(transferEvent(payer, owner, '10.00'))
    await sender.drain()
    expect(there.received.map((received) => bodyOf(received).type)).toEqual([
      'notice.created',
      'operation.posted',
    ])
  })

  test('is signed with both secrets for a day after a change, and then with the new one alone', async () => {
    const [owner, there] = [await customer('own6'), await receiver()]
    const { id, secret: former } = await activeWebhook(owner, there)
    const rotated = await ask(owner, 'POST', `/webhooks/${id}/secret`)
    const { secret: present } = rotated.body as unknown as RotatedSecret
    const sendTest = async () => {
      await ask(owner, 'POST', `/webhooks/${id}/test`)
      await sender.drain()
      const received = there.received.at(-1)
      if (received === undefined) throw new Error('nothing was received')
      return received
    }
    const within = await sendTest()
    verified(former, within)
    verified(present, within)
    later(24 * HOUR)
    const after = await sendTest()
    verified(present, after)
    expect(() => verified(former, after)).toThrow('No matching signature')
  })
})

describe('a receiver that fails', () => {
  test('is asked ten times over 75 hours, then the message is given up and its owner told', async () => {
    const [owner, payer, there] = [await customer('own7'), await customer('pay7'), await receiver()]
    const { id } = await activeWebhook(owner, there, ['operation.posted'])
    there.answer = (_received, response) => response.writeHead(503).end('down\u0000 for\n now')
    await happened(transferEvent(payer, owner, '10.00'))
    const startedAt = clock.now().getTime()
    const at: number[] = []
    const delays = [
      0,
      5,
      300,
      1_800,
      2 * HOUR,
      5 * HOUR,
      10 * HOUR,
      14 * HOUR,
      20 * HOUR,
      24 * HOUR,
      90 * HOUR,
    ]
    for (const delay of delays) {
      later(delay)
      const before = there.received.length
      await sender.drain()
      if (there.received.length > before) at.push((clock.now().getTime() - startedAt) / 1_000)
    }
    expect(at).toEqual([0, 5, 305, 2_105, 9_305, 27_305, 63_305, 113_705, 185_705, 272_105])
    expect(new Set(there.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    const [made] = await deliveries(owner, id)
    expect(made).toMatchObject({ status: 'failed', nextAttemptAt: null })
    expect(made?.attempts).toHaveLength(10)
    expect(made?.attempts[0]).toMatchObject({ status: 503, responseStart: 'down  for  now' })
    expect(await webhook(owner, id)).toMatchObject({ status: 'disabled', disabledReason: 'failing' })
    const { items } = (await ask(owner, 'GET', '/notices')).body as { items: { kind: string }[] }
    expect(items.map(({ kind }) => kind)).toEqual(['webhook_disabled', 'money_received'])
  })

  test('but answers once in between is not given up', async () => {
    const [owner, payer, there] = [await customer('own8'), await customer('pay8'), await receiver()]
    const { id } = await activeWebhook(owner, there, ['operation.posted'])
    let answers = 0
    there.answer = (_received, response) => response.writeHead((answers += 1) === 3 ? 200 : 500).end()
    for (let days = 0; days < 5; days += 1) {
      await happened(transferEvent(payer, owner, '1.00'))
      await sender.drain()
      later(24 * HOUR)
      if (days === 2) answers = 2
      await sender.drain()
    }
    expect((await webhook(owner, id))?.status).toBe('active')
  })

  test('with 410 is switched off at once; switched on again it gets what came meanwhile when asked', async () => {
    const [owner, payer, there] = [await customer('own9'), await customer('pay9'), await receiver()]
    const { id } = await activeWebhook(owner, there, ['operation.posted'])
    const from = clock.now().toISOString()
    there.answer = (_received, response) => response.writeHead(410).end()
    await happened(transferEvent(payer, owner, '1.00'))
    await sender.drain()
    expect(await webhook(owner, id)).toMatchObject({ status: 'disabled', disabledReason: 'gone' })
    later(5)
    await happened(transferEvent(payer, owner, '2.00'))
    await sender.drain()
    expect(there.received).toHaveLength(1)

    there.answer = ({ body }, response) => response.end(body)
    expect(await ask(owner, 'POST', `/webhooks/${id}/replays`, { body: { from } })).toMatchObject({
      status: 409,
    })
    await ask(owner, 'PATCH', `/webhooks/${id}`, { body: { enabled: true } })
    const again = await ask(owner, 'POST', `/webhooks/${id}/replays`, { body: { from } })
    expect(again.body).toEqual({ queued: 2, nextFrom: null })
    await sender.drain()
    expect(there.received.slice(1).map((received) => bodyOf(received).data)).toMatchObject([
      { amounts: [{ amount: '1.00' }] },
      { amounts: [{ amount: '2.00' }] },
    ])
  })

  test('waits as long as it asked to be left alone', async () => {
    const [owner, there] = [await customer('own10'), await receiver()]
    const { id } = await activeWebhook(owner, there)
    there.answer = (_received, response) => response.writeHead(429, { 'retry-after': '600' }).end()
    await ask(owner, 'POST', `/webhooks/${id}/test`)
    await sender.drain()
    later(599)
    await sender.drain()
    expect(there.received).toHaveLength(1)
    later(1)
    await sender.drain()
    expect(there.received).toHaveLength(2)
  })
})

test('how many deliveries are due, and how long the oldest has waited, is a metric', async () => {
  const [owner, payer, there] = [await customer('own_m'), await customer('pay_m'), await receiver()]
  await activeWebhook(owner, there)
  const gauges = new Map<string, () => number>()
  const backlog = watchBacklog({
    ...room,
    clock: clock.now,
    metrics: { gauge: (name, _help, read) => void gauges.set(name, read) },
  })
  const seen = async () => {
    backlog.forget()
    await backlog.look()
    return [...gauges.values()].map((read) => read())
  }
  const [dueBefore = 0] = await seen()
  await happened(transferEvent(payer, owner, '10.00'))
  later(30)
  const [due = 0, oldestSeconds = 0] = await seen()
  expect(due - dueBefore).toBe(2)
  expect(oldestSeconds).toBeGreaterThanOrEqual(30)
  await sender.drain()
  expect(await seen()).toEqual([0, 0])
})

describe('many at once', () => {
  test('a receiver that never answers delays nobody else’s messages', async () => {
    const [owner, quick] = [await customer('quick'), await receiver()]
    const { id: quickId } = await activeWebhook(owner, quick)
    const held: ServerResponse[] = []
    const slow = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const [silent, there] = [await customer(`slow${n}`), await receiver()]
        return { silent, there, id: (await activeWebhook(silent, there)).id }
      }),
    )
    for (const { silent, there, id } of slow) {
      there.answer = (_received, response) => void held.push(response)
      await ask(silent, 'POST', `/webhooks/${id}/test`)
    }
    // After one time-out each they wait among themselves.
    await room.anotherSender({ timeoutMs: 1_000 }).drain()
    for (const { there } of slow) expect(there.received.length).toBeGreaterThan(0)
    later(6 * HOUR)
    // With more patience than this test has: what waits for one of the slow is not sent.
    const other = room.anotherSender({ timeoutMs: 600_000 })
    await ask(owner, 'POST', `/webhooks/${quickId}/test`)
    other.start()
    await expect.poll(() => quick.received).toHaveLength(1)
    for (const { there } of slow) there.answer = (_received, response) => void response.end()
    for (const response of held) response.end()
    await other.stop(60)
  })

  test('two processes send each message once, and of one receiver in order', async () => {
    const [owner, payer, there] = [await customer('own11'), await customer('pay11'), await receiver()]
    await activeWebhook(owner, there, ['operation.posted'])
    for (let n = 1; n <= 30; n += 1) await happened(transferEvent(payer, owner, `${n}.00`))
    const others = [room.anotherSender(), room.anotherSender()]
    while (there.received.length < 30) await Promise.all(others.map((each) => each.drain()))
    const amounts = there.received.map((received) => {
      const body = bodyOf(received)
      return body.type === 'operation.posted' ? body.data.amounts[0]?.amount : null
    })
    expect(amounts).toEqual(Array.from({ length: 30 }, (_, n) => `${n + 1}.00`))
  })

  test('what a process was about to send when it died, another sends after its lease', async () => {
    const [owner, there] = [await customer('own12'), await receiver()]
    const { id } = await activeWebhook(owner, there)
    await ask(owner, 'POST', `/webhooks/${id}/test`)
    await ownerDb.query('update notifications.webhooks set leased_by = $2, leased_until = $3 where id = $1', [
      id,
      randomUUID(),
      new Date(clock.now().getTime() + 60_000),
    ])
    await sender.drain()
    expect(there.received).toHaveLength(0)
    later(61)
    await sender.drain()
    expect(there.received).toHaveLength(1)
  })
})

describe('another customer’s webhook', () => {
  test('answers like a missing one, whatever is asked', async () => {
    const [owner, stranger, there] = [await customer('own13'), await customer('strange'), await receiver()]
    const { id } = await activeWebhook(owner, there)
    const asked = (of: string) =>
      [
        ['PATCH', `/webhooks/${of}`, { name: 'mine' }],
        ['DELETE', `/webhooks/${of}`, undefined],
        ['POST', `/webhooks/${of}/secret`, undefined],
        ['POST', `/webhooks/${of}/test`, undefined],
        ['POST', `/webhooks/${of}/verify`, undefined],
        ['POST', `/webhooks/${of}/replays`, { from: '2026-01-01T00:00:00Z' }],
        ['GET', `/webhooks/${of}/deliveries`, undefined],
      ] as const
    for (const [index, [method, path, body]] of asked(id).entries()) {
      const [, missingPath] = asked(randomUUID())[index] ?? []
      const theirs = await ask(stranger, method, path, { body })
      const missing = await ask(stranger, method, missingPath ?? '', { body })
      expect([theirs.status, theirs.body['code']]).toEqual([404, 'not_found'])
      expect([missing.status, missing.body['code']]).toEqual([404, 'not_found'])
    }
    expect((await webhook(owner, id))?.status).toBe('active')
    expect((await ask(owner, 'DELETE', `/webhooks/${id}`)).status).toBe(204)
    expect(await webhook(owner, id)).toBeUndefined()
  })
})
