import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'
import type { ECDH } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { NOTICE_KINDS, pushPayload } from '@kantor/contract/api'
import type { NoticeContent, NoticePreferences } from '@kantor/contract/api'
import { SMTPServer } from 'smtp-server'
import { afterAll, describe, expect, test } from 'vitest'
import webPush from 'web-push'
import { noticeWords } from './notice-words.ts'
import { notificationsFixture } from './notifications-fixture.ts'
import { createPostOutside } from './post-outside.ts'
import { createSmtp, sendMail } from './send-mail.ts'
import { sendPush } from './send-push.ts'

const vapid = { ...webPush.generateVAPIDKeys(), subject: 'mailto:kantor@example.com' }
const room = await notificationsFixture({
  available: { mail: true, push: true },
  pushPublicKey: vapid.publicKey,
})
const { ask, clock, customer, db, notify, ownerDb, queued, receiver } = room

/** Who was asked for and did not accept is in here too. */
const smtp = {
  letters: [] as { to: string[]; text: string }[],
  refuse: null as number | null,
  refuseSender: null as number | null,
}
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onMailFrom(_sender, _session, done) {
    done(
      smtp.refuseSender === null
        ? null
        : Object.assign(new Error('not you'), { responseCode: smtp.refuseSender }),
    )
  },
  onData(stream, session, done) {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const error =
        smtp.refuse === null ? null : Object.assign(new Error('no'), { responseCode: smtp.refuse })
      const to = session.envelope.rcptTo.map(({ address }) => address)
      if (error === null) smtp.letters.push({ to, text: Buffer.concat(chunks).toString('utf8') })
      done(error)
    })
  },
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
afterAll(() => new Promise<void>((resolve) => server.close(resolve)))
const { port } = server.server.address() as AddressInfo

const warned: string[] = []
const log = { warn: (_fields: object, message: string) => void warned.push(message) }
const send = createSmtp(`smtp://127.0.0.1:${port}`, 'Kantor <kantor@example.com>')
const publicUrl = new URL('https://kantor.example.com')
const mail = (messageId: string) => sendMail({ db, clock: clock.now, send, publicUrl, log }, messageId)
const post = createPostOutside({ allowPrivate: true, timeoutMs: 60_000 })
const push = (messageId: string) => sendPush({ db, clock: clock.now, vapid, post, log }, messageId)

const tell = async (walletId: bigint, content: NoticeContent) => {
  queued.length = 0
  await db.transaction((tx) => notify(tx, { ...content, walletId }))
  return queued.map(({ job }) => job)
}
const queuedId = (job: string) => queued.find((each) => each.job === job)?.messageId ?? ''
const received = (note: string | null): NoticeContent => ({
  kind: 'money_received',
  detail: {
    operationId: '0190c7a2-0000-7000-8000-000000000000',
    asset: 'EUR',
    amount: '10.50',
    from: { handle: 'tomek', name: 'To*** N****' },
    note,
  },
})

/** A browser as it subscribes: its key pair, and its push service, which the test listens as. */
async function browser() {
  const there = await receiver()
  const keys = createECDH('prime256v1')
  const p256dh = keys.generateKeys().toString('base64url')
  const auth = randomBytes(16).toString('base64url')
  const subscription = { endpoint: there.url, keys: { p256dh, auth } }
  return { there, keys, auth, subscription }
}

/** RFC 8291 and RFC 8188, written apart from the library that encrypts. */
function decrypt(sealed: Buffer, browserKeys: ECDH, auth: string): string {
  const derive = (key: Buffer, salt: Buffer, info: Buffer, bytes: number) =>
    Buffer.from(hkdfSync('sha256', key, salt, info, bytes))
  const [salt, sender, rest] = [sealed.subarray(0, 16), sealed.subarray(21, 86), sealed.subarray(86)]
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), browserKeys.getPublicKey(), sender])
  const shared = derive(browserKeys.computeSecret(sender), Buffer.from(auth, 'base64url'), info, 32)
  const key = derive(shared, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
  const nonce = derive(shared, salt, Buffer.from('Content-Encoding: nonce\0'), 12)
  const decipher = createDecipheriv('aes-128-gcm', key, nonce).setAuthTag(rest.subarray(-16))
  const padded = Buffer.concat([decipher.update(rest.subarray(0, -16)), decipher.final()])
  return padded.subarray(0, padded.lastIndexOf(2)).toString('utf8')
}

describe('preferences', () => {
  test('begin as usual for every kind, change one by one, and say what can be had', async () => {
    const ewa = await customer('ewa')
    const { body } = await ask(ewa, 'GET', '/notification-preferences')
    const usual = body as unknown as NoticePreferences
    expect(usual.items.map(({ kind }) => kind)).toEqual(NOTICE_KINDS)
    expect(usual).toMatchObject({ mailAvailable: true, pushPublicKey: vapid.publicKey })
    expect(usual.items[0]).toEqual({ kind: 'money_received', inApp: true, mail: true, push: true })
    const changed = await ask(ewa, 'PATCH', '/notification-preferences', {
      body: {
        changes: [
          { kind: 'money_received', channel: 'mail', enabled: false },
          { kind: 'dividend', channel: 'mail', enabled: true },
          { kind: 'dividend', channel: 'mail', enabled: false },
        ],
      },
    })
    const items = (changed.body as unknown as NoticePreferences).items
    expect(items[0]).toEqual({ kind: 'money_received', inApp: true, mail: false, push: true })
    expect(items.find(({ kind }) => kind === 'dividend')?.mail).toBe(false)
    expect(items.slice(4)).toEqual(usual.items.slice(4))
  })

  test('decide which way a notice goes; one that is not wanted in the app is not in its list', async () => {
    const ola = await customer('ola')
    expect(await tell(ola.walletId, received(null))).toEqual(['send-mail'])
    await ask(ola, 'PATCH', '/notification-preferences', {
      body: {
        changes: [
          { kind: 'money_received', channel: 'mail', enabled: false },
          { kind: 'money_received', channel: 'inApp', enabled: false },
        ],
      },
    })
    expect(await tell(ola.walletId, received(null))).toEqual([])
    expect(await ask(ola, 'GET', '/notices')).toMatchObject({ body: { unread: 1 } })
  })
})

describe('mail', () => {
  test('goes once for each notice, in the customer’s language, as text and as escaped HTML', async () => {
    const iza = await customer('iza')
    await ownerDb.query(`update identity.customers set locale = 'pl' where number = $1`, [iza.walletId])
    await tell(iza.walletId, received('<b>obiad</b> & kino'))
    await mail(queuedId('send-mail'))
    await mail(queuedId('send-mail'))
    expect(smtp.letters).toHaveLength(1)
    const [letter] = smtp.letters
    expect(letter?.to).toEqual(['iza@example.com'])
    const text = Buffer.from(letter?.text.replace(/=\r\n/g, '') ?? '', 'utf8').toString()
    const decoded = text.replace(/(?:=[0-9A-F]{2})+/g, (bytes) =>
      Buffer.from(bytes.replaceAll('=', ''), 'hex').toString(),
    )
    expect(decoded).toContain('Subject: =?UTF-8?')
    expect(decoded).toContain('Otrzymujesz 10,50 EUR od @tomek. Notatka: <b>obiad</b> & kino')
    expect(decoded).toContain('Notatka: &lt;b&gt;obiad&lt;/b&gt; &amp; kino')
    expect(decoded).toContain('https://kantor.example.com/history')
    expect(decoded).toContain(`Message-ID: <${queuedId('send-mail')}@kantor.example.com>`)
  })

  test('that the server cannot take now, or from nobody, is tried again, and one refused for good is not', async () => {
    const jan = await customer('jan')
    await tell(jan.walletId, received(null))
    smtp.letters.length = 0
    smtp.refuse = 451
    await expect(mail(queuedId('send-mail'))).rejects.toThrow('no')
    smtp.refuseSender = 550
    await expect(mail(queuedId('send-mail'))).rejects.toThrow('not you')
    smtp.refuseSender = null
    smtp.refuse = 550
    await mail(queuedId('send-mail'))
    expect(warned).toEqual(['a letter was refused for good'])
    smtp.refuse = null
    await mail(queuedId('send-mail'))
    expect(smtp.letters).toHaveLength(1)
  })
})

describe('web push', () => {
  test('reaches each browser once, encrypted for it alone and signed by the server', async () => {
    const eryk = await customer('eryk')
    const { there, keys, auth, subscription } = await browser()
    expect((await ask(eryk, 'POST', '/push-subscriptions', { body: subscription })).status).toBe(204)
    expect(await tell(eryk.walletId, received(null))).toEqual(['send-mail', 'send-push'])
    there.answer = (_received, response) => response.writeHead(201).end()
    await push(queuedId('send-push'))
    await push(queuedId('send-push'))
    expect(there.received).toHaveLength(1)
    expect(there.received[0]?.headers['authorization']).toMatch(/^vapid t=/)
    const sealed = there.received[0]?.bytes ?? Buffer.alloc(0)
    const plain = decrypt(sealed, keys, auth)
    expect(pushPayload.parse(JSON.parse(plain))).toMatchObject({
      title: 'Money received',
      text: 'You received 10.50 EUR from @tomek.',
      path: '/history',
    })
    expect(sealed.includes(Buffer.from('10.50'))).toBe(false)
  })

  test('stops where nobody is any more, is tried again where the service is down, and is ended by its owner', async () => {
    const olek = await customer('olek')
    const { there, subscription } = await browser()
    await ask(olek, 'POST', '/push-subscriptions', { body: subscription })
    await tell(olek.walletId, received(null))
    there.answer = (_received, response) => response.writeHead(503).end()
    await expect(push(queuedId('send-push'))).rejects.toThrow('the push service did not take it: 503')
    there.answer = (_received, response) => response.writeHead(410).end()
    await push(queuedId('send-push'))
    expect(await tell(olek.walletId, received(null))).toEqual(['send-mail'])

    await ask(olek, 'POST', '/push-subscriptions', { body: subscription })
    const end = await ask(olek, 'POST', '/push-subscriptions/end', {
      body: { endpoint: subscription.endpoint },
    })
    expect(end.status).toBe(204)
    expect(await tell(olek.walletId, received(null))).toEqual(['send-mail'])
  })

  test.each([
    ['signed out', 'revoked_at = now()'],
    ['was not used for two weeks', `idle_expires_at = '2026-01-01'`],
  ])('ends with the session of a browser that %s, also for what waited', async (_what, ending) => {
    const { walletId, ...ida } = await customer(`ida${queued.length}${ending.length}`)
    const { there, subscription } = await browser()
    await ask({ walletId, ...ida }, 'POST', '/push-subscriptions', { body: subscription })
    await tell(walletId, received(null))
    await ownerDb.query(
      `update identity.sessions set ${ending}
         from identity.customers where customers.id = customer_id and number = $1`,
      [walletId],
    )
    await push(queuedId('send-push'))
    expect(there.received).toHaveLength(0)
    expect(await tell(walletId, received(null))).toEqual(['send-mail'])
  })

  test('of a browser that another customer uses now is theirs, and what waited for the first is not shown', async () => {
    const [first, second] = [await customer('first'), await customer('second')]
    const { there, subscription } = await browser()
    await ask(first, 'POST', '/push-subscriptions', { body: subscription })
    await tell(first.walletId, received(null))
    const waiting = queuedId('send-push')
    await ask(second, 'POST', '/push-subscriptions', { body: subscription })
    await push(waiting)
    expect(there.received).toHaveLength(0)
    expect(await tell(first.walletId, received(null))).toEqual(['send-mail'])
    expect(await tell(second.walletId, received(null))).toEqual(['send-mail', 'send-push'])
  })
})

test('every kind is told in words of both languages, without a gap in them', () => {
  const contents: readonly NoticeContent[] = [
    received(null),
    {
      kind: 'order_filled',
      detail: {
        operationId: '',
        orderId: '',
        instrument: 'AAPL',
        side: 'buy',
        quantity: '1.500000000',
        price: '229.87',
        priceCurrency: 'USD',
      },
    },
    {
      kind: 'order_ended',
      detail: { orderId: '', instrument: 'AAPL', side: 'sell', status: 'expired', reason: 'sessionEnded' },
    },
    {
      kind: 'dividend',
      detail: { operationId: '', instrument: 'AAPL', asset: 'USD', amount: '2.20', exDate: '2026-01-02' },
    },
    {
      kind: 'corporate_action',
      detail: { operationId: '', instrument: 'AAPL', exDate: '2026-01-02', from: '1', to: '4' },
    },
    {
      kind: 'price_alert',
      detail: {
        alertId: '',
        subject: 'EUR/PLN',
        direction: 'above',
        threshold: '4.30',
        price: '4.31',
        currency: 'PLN',
        asOf: '',
      },
    },
    {
      kind: 'rule_executed',
      detail: { ruleId: '', ruleKind: 'standingOrder', run: 1, operationId: '', amounts: [] },
    },
    {
      kind: 'rule_failed',
      detail: { ruleId: '', ruleKind: 'limitConversion', run: 1, code: 'insufficient_funds', ended: true },
    },
    { kind: 'signed_in', detail: { ip: '198.51.100.7', userAgent: 'Firefox' } },
    { kind: 'webhook_disabled', detail: { webhookId: '', url: 'https://example.com/', reason: 'failing' } },
  ]
  expect(contents.map(({ kind }) => kind)).toEqual(NOTICE_KINDS)
  for (const content of contents) {
    const [english, polish] = [noticeWords('en', content), noticeWords('pl', content)]
    expect(polish.title).not.toBe(english.title)
    for (const { title, text } of [english, polish]) {
      expect(`${title} ${text}`).not.toMatch(/undefined|null|\[object/)
      expect(text).toMatch(/\.$/)
    }
  }
  expect(noticeWords('en', contents[1] ?? received(null)).text).toBe('Bought 1.5 AAPL at 229.87 USD.')
})
