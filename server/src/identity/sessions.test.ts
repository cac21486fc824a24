import { randomUUID } from 'node:crypto'
import type { Session } from '@kantor/contract/api'
import { openDatabase } from '#db'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { createAuthenticator } from './authenticate.ts'
import { sessionCookies } from './cookies.ts'
import { GOOD_PASSWORD, TEST_CONFIG, identityFixture, whoIs } from './identity-fixture.ts'

const room = await identityFixture({ config: { rateLimits: false } })
const { browser: first, me: anna } = await room.signedUp('anna')

/** As a second process of the server would be: a pool and an authenticator of its own. */
const otherDb = openDatabase({
  url: room.url,
  connectionsMax: 2,
  applicationName: 'other',
  random: Math.random,
})
const otherProcess = createAuthenticator({ db: otherDb, clock: room.clock.now, config: TEST_CONFIG })
afterAll(() => otherDb.close())

async function signedIn() {
  const browser = room.browser()
  const body = { email: 'anna@example.com', password: GOOD_PASSWORD }
  const { status } = await browser.ask('POST', '/auth/sign-in', { body })
  expect(status).toBe(200)
  return browser
}
const listed = async (browser = first) =>
  (await browser.ask('GET', '/auth/sessions')).body as unknown as { items: Session[]; nextCursor: null }
const cookieOf = (browser: { cookies: Map<string, string> }) => browser.cookies.get('kantor') ?? ''
const elsewhere = (cookie: string) => whoIs(otherProcess, { cookies: { kantor: cookie } })

beforeEach(async () => {
  await first.ask('POST', '/auth/sign-in', { body: { email: 'anna@example.com', password: GOOD_PASSWORD } })
})

describe('a session cookie', () => {
  test('with any byte changed, cut or added is refused', async () => {
    const cookie = cookieOf(first)
    expect((await first.ask('GET', '/me')).status).toBe(200)
    const bent = [...cookie].flatMap((character, index) =>
      [1, 2, 32, 128].map(
        (bit) =>
          cookie.slice(0, index) +
          String.fromCharCode(character.charCodeAt(0) ^ bit) +
          cookie.slice(index + 1),
      ),
    )
    for (const wrong of [...bent, cookie.slice(0, -1), `${cookie}A`, `"${cookie}"`, '', 'null', '%00']) {
      expect(await whoIs(room.identity.authenticate, { cookies: { kantor: wrong } })).toBe(
        'not_authenticated',
      )
    }
  })

  test('is looked for by its own name only', async () => {
    const given = { 'kantor-device': cookieOf(first), Kantor: cookieOf(first) }
    expect(await whoIs(room.identity.authenticate, { cookies: given })).toBe(null)
  })

  test('is bound to the host and to https where the server is', () => {
    const cookies = sessionCookies(true, 60)
    expect(cookies.setSession('x')).toBe(
      '__Host-kantor=x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure',
    )
    expect(cookies.setDevice('x')).toMatch(/^__Host-kantor-device=x; Path=\/; .*; Secure$/)
  })
})

describe('a session', () => {
  test('ends at sign-out, at once and in every process, and the cookie is taken back', async () => {
    const cookie = cookieOf(first)
    expect(await elsewhere(cookie)).toBe(anna.id)
    const { status, headers } = await first.ask('POST', '/auth/sign-out')
    expect(status).toBe(204)
    expect(headers['set-cookie']).toMatch(/^kantor=; Path=\/; Max-Age=0; /)
    expect(await elsewhere(cookie)).toBe('not_authenticated')
    first.cookies.set('kantor', cookie)
    expect((await first.ask('GET', '/me')).status).toBe(401)
    expect((await first.ask('POST', '/auth/sign-out')).status).toBe(401)
  })

  test('ends when it was not used for the idle time', async () => {
    room.clock.advance(TEST_CONFIG.sessionIdleSeconds * 1000 - 1)
    expect((await first.ask('GET', '/me')).status).toBe(200)
    room.clock.advance(TEST_CONFIG.sessionIdleSeconds * 1000)
    expect((await first.ask('GET', '/me')).status).toBe(401)
  })

  test('ends when it was not used for the idle time, though somebody goes on listening with it', async () => {
    const cookie = cookieOf(first)
    const listening = () => whoIs(room.identity.authenticate, { cookies: { kantor: cookie } }, 'listening')
    const thirdMs = Math.ceil((TEST_CONFIG.sessionIdleSeconds * 1000) / 3)
    room.clock.advance(thirdMs)
    expect((await first.ask('GET', '/me')).status).toBe(200)
    for (let third = 1; third <= 2; third += 1) {
      room.clock.advance(thirdMs)
      expect(await listening()).toBe(anna.id)
    }
    room.clock.advance(thirdMs)
    expect(await listening()).toBe('not_authenticated')
    expect((await first.ask('GET', '/me')).status).toBe(401)
  })

  test('that was ended is refused at once to who goes on listening with it too', async () => {
    const given = { cookies: { kantor: cookieOf(first) } }
    expect(await whoIs(otherProcess, given, 'listening')).toBe(anna.id)
    await first.ask('POST', '/auth/sign-out')
    expect(await whoIs(otherProcess, given, 'listening')).toBe('not_authenticated')
  })

  test('ends after its whole life even when it is used every day', async () => {
    const dayMs = 24 * 3600 * 1000
    for (let day = 1; day < 30; day += 1) {
      room.clock.advance(dayMs)
      expect((await first.ask('GET', '/me')).status).toBe(200)
    }
    room.clock.advance(dayMs)
    expect((await first.ask('GET', '/me')).status).toBe(401)
  })

  test('notes its last use once a minute, not at every request', async () => {
    const seenAt = async () => {
      const { rows } = await room.ownerDb.query<{ seen: Date }>(
        'select max(last_seen_at) as seen from identity.sessions where customer_id = $1',
        [anna.id],
      )
      return rows[0]?.seen.getTime()
    }
    const openedAt = room.clock.now().getTime()
    room.clock.advance(59_000)
    await first.ask('GET', '/me')
    expect(await seenAt()).toBe(openedAt)
    room.clock.advance(1_000)
    await first.ask('GET', '/me')
    expect(await seenAt()).toBe(openedAt + 60_000)
  })

  test('tells at once, in every process, that its customer was frozen or given another role', async () => {
    const principal = () =>
      otherProcess({
        authorization: undefined,
        cookies: { kantor: cookieOf(first) },
        client: { ip: '', userAgent: '' },
      })
    expect(await principal()).toMatchObject({
      frozen: false,
      role: 'customer',
      via: 'session',
      customerId: anna.id,
    })
    await room.ownerDb.query(
      `update identity.customers set frozen_at = now(), role = 'support' where id = $1`,
      [anna.id],
    )
    expect(await principal()).toMatchObject({ frozen: true, role: 'support' })
    await room.ownerDb.query(
      `update identity.customers set frozen_at = null, role = 'customer' where id = $1`,
      [anna.id],
    )
    expect(await principal()).toMatchObject({ frozen: false, role: 'customer' })
  })
})

describe('the list of sessions', () => {
  test('shows where one is signed in, the one used last first, and which is this one', async () => {
    const second = await signedIn()
    room.clock.advance(120_000)
    const { items, nextCursor } = await listed(second)
    expect(nextCursor).toBe(null)
    expect(items[0]).toMatchObject({ current: true, ip: '198.51.100.7', userAgent: 'test' })
    expect(items.filter(({ current }) => current)).toHaveLength(1)
    expect(items[0]?.lastSeenAt).toBe(room.clock.now().toISOString())
    expect(items.length).toBeGreaterThan(1)
    await second.ask('POST', '/auth/sign-out')
    expect((await listed()).items.map(({ id }) => id)).not.toContain(items[0]?.id)
  })

  test('lets one be ended, at once and in every process', async () => {
    const second = await signedIn()
    const id = (await listed(second)).items.find(({ current }) => current)?.id
    expect((await first.ask('DELETE', `/auth/sessions/${id}`)).status).toBe(204)
    expect(await elsewhere(cookieOf(second))).toBe('not_authenticated')
    expect((await second.ask('GET', '/me')).status).toBe(401)
    expect((await first.ask('DELETE', `/auth/sessions/${id}`)).status).toBe(404)
    const { rows } = await room.ownerDb.query(
      'select act, detail from identity.audit_log order by id desc limit 1',
    )
    expect(rows).toEqual([{ act: 'session_revoked', detail: { sessionId: id } }])
  })

  test('answers for somebody else’s session as for one that does not exist', async () => {
    const { browser: stranger } = await room.signedUp('mallory')
    const id = (await listed()).items[0]?.id
    const theirs = await stranger.ask('DELETE', `/auth/sessions/${id}`)
    const missing = await stranger.ask('DELETE', `/auth/sessions/${randomUUID()}`)
    for (const answer of [theirs, missing]) delete answer.body['requestId']
    expect(theirs.status).toBe(404)
    expect(theirs.body).toEqual(missing.body)
    expect((await first.ask('GET', '/me')).status).toBe(200)
  })

  test('keeps to fifty: one more ends the one used longest ago', async () => {
    const oldest = await signedIn()
    for (let count = 0; count < 50; count += 1) {
      room.clock.advance(1_000)
      await signedIn()
    }
    const last = await signedIn()
    expect((await listed(last)).items).toHaveLength(50)
    expect((await oldest.ask('GET', '/me')).status).toBe(401)
  })
})
