import { Problem } from '@kantor/contract/errors'
import { describe, expect, test } from 'vitest'
import { GOOD_PASSWORD, identityFixture, signUpBody } from './identity-fixture.ts'
import type { Browser } from './identity-fixture.ts'
import { createPasswordHasher } from './password-hasher.ts'

let busy = false
const hasher = createPasswordHasher()
const room = await identityFixture({
  hasher: {
    ...hasher,
    verify: async (password, passwordHash) => {
      if (busy) throw new Problem('busy', { retryAfterSeconds: 2 })
      return hasher.verify(password, passwordHash)
    },
  },
})

let nextNetwork = 0
/** Each test from networks of its own, so that they do not count towards each other. */
const stranger = () => room.browser(`203.0.${(nextNetwork >> 8) & 255}.${nextNetwork++ & 255}`)
const guess = (email: string, browser: Browser, password = 'not-the-password') =>
  browser.ask('POST', '/auth/sign-in', { body: { email, password } })

async function fail(times: number, email: string, browser: () => Browser): Promise<number[]> {
  const statuses: number[] = []
  for (let time = 0; time < times; time += 1) statuses.push((await guess(email, browser())).status)
  return statuses
}

const FIVE_REFUSED = [401, 401, 401, 401, 401]

describe('guessing the password of one account', () => {
  test('is slowed down after five failures, twice as long each time, wherever it comes from', async () => {
    await room.signedUp('anna', stranger())
    const email = 'anna@example.com'
    expect(await fail(5, email, stranger)).toEqual(FIVE_REFUSED)
    for (const seconds of [30, 60, 120, 240]) {
      const refused = await guess(email, stranger(), GOOD_PASSWORD)
      expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } })
      expect(refused.headers['retry-after']).toBe(String(seconds))
      room.clock.advance(seconds * 1000 - 1)
      expect((await guess(email, stranger())).status).toBe(429)
      room.clock.advance(1)
      expect((await guess(email, stranger())).status).toBe(401)
    }
  })

  test('never waits longer than a quarter of an hour, and is forgotten after a day', async () => {
    const email = 'longsuffering@example.com'
    await fail(5, email, stranger)
    for (let time = 0; time < 12; time += 1) {
      room.clock.advance(900_000)
      expect((await guess(email, stranger())).status).toBe(401)
    }
    expect((await guess(email, stranger())).headers['retry-after']).toBe('900')
    room.clock.advance(24 * 3600_000)
    expect(await fail(5, email, stranger)).toEqual(FIVE_REFUSED)
  })

  test('is slowed down just the same where there is no such account', async () => {
    expect(await fail(5, 'nobody@example.com', stranger)).toEqual(FIVE_REFUSED)
    expect((await guess('nobody@example.com', stranger())).headers['retry-after']).toBe('30')
  })

  test('gets five tries and no more when all come at once', async () => {
    const before = room.hashing.verify
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => guess('crowd@example.com', stranger())),
    )
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(7)
    expect(room.hashing.verify - before).toBe(5)
  })

  test('does not slow down other accounts', async () => {
    await room.signedUp('betty', stranger())
    await fail(6, 'someone@example.com', stranger)
    expect((await guess('betty@example.com', stranger(), GOOD_PASSWORD)).status).toBe(200)
  })

  test('starts anew after a success', async () => {
    await room.signedUp('carol', stranger())
    const email = 'carol@example.com'
    expect(await fail(4, email, stranger)).toEqual([401, 401, 401, 401])
    expect((await guess(email, stranger(), GOOD_PASSWORD)).status).toBe(200)
    expect(await fail(5, email, stranger)).toEqual(FIVE_REFUSED)
  })
})

describe('a device that the customer has signed in from', () => {
  test('lets its owner in while strangers have closed the account and even its network', async () => {
    const { browser: own } = await room.signedUp('dora', room.browser('192.0.2.1'))
    await own.ask('POST', '/auth/sign-out')
    await fail(6, 'dora@example.com', () => room.browser('192.0.2.1'))
    expect((await guess('dora@example.com', room.browser('192.0.2.1'), GOOD_PASSWORD)).status).toBe(429)
    expect((await guess('dora@example.com', own, GOOD_PASSWORD)).status).toBe(200)
  })

  test('is slowed down by its own failures', async () => {
    const { browser: own } = await room.signedUp('edna', stranger())
    expect(await fail(5, 'edna@example.com', () => own)).toEqual(FIVE_REFUSED)
    expect((await guess('edna@example.com', own, GOOD_PASSWORD)).status).toBe(429)
    expect((await guess('edna@example.com', stranger(), GOOD_PASSWORD)).status).toBe(200)
  })

  test('of one customer is nothing to the account of another', async () => {
    const { browser: own } = await room.signedUp('fiona', stranger())
    await room.signedUp('gerda', stranger())
    await fail(5, 'gerda@example.com', stranger)
    expect((await guess('gerda@example.com', own)).status).toBe(429)
  })
})

describe('guessing over many accounts', () => {
  test.each([
    ['one address', () => '198.51.100.99', '198.51.100.98'],
    [
      'addresses of one IPv6 /64',
      (index: number) => `2001:db8:0:7:${index.toString(16)}::1`,
      '2001:db8:0:8::1',
    ],
  ])('from %s is slowed down after thirty failures', async (_, addressOf, elsewhere) => {
    for (let index = 0; index < 30; index += 1) {
      const answer = await guess(`victim${index}@example.com`, room.browser(addressOf(index)))
      expect(answer.status).toBe(401)
    }
    expect((await guess('victim99@example.com', room.browser(addressOf(30)))).status).toBe(429)
    expect((await guess('victim99@example.com', room.browser(elsewhere))).status).toBe(401)
  })

  test('is not helped by an account of one’s own, nor hidden by a forwarded address', async () => {
    const at = '198.51.100.55'
    await room.signedUp('mallory', stranger())
    for (let index = 0; index < 30; index += 1) {
      await guess(`target${index}@example.com`, room.browser(at))
      const own = await guess('mallory@example.com', room.browser(at), GOOD_PASSWORD)
      if (index < 29) expect(own.status).toBe(200)
    }
    const spoofed = await room.browser(at).ask('POST', '/auth/sign-in', {
      body: { email: 'target@example.com', password: 'x' },
      headers: { 'x-forwarded-for': '192.0.2.77' },
    })
    expect(spoofed.status).toBe(429)
  })
})

test('an attempt that we were too busy to judge is not held against anybody', async () => {
  await room.signedUp('hanna', stranger())
  busy = true
  for (let time = 0; time < 8; time += 1) {
    const answer = await guess('hanna@example.com', stranger(), GOOD_PASSWORD)
    expect(answer).toMatchObject({ status: 503, body: { code: 'busy' } })
    expect(answer.headers['retry-after']).toBe('2')
  }
  busy = false
  expect((await guess('hanna@example.com', stranger(), GOOD_PASSWORD)).status).toBe(200)
})

test('signing up is limited for each network', async () => {
  const at = '198.51.100.200'
  const attempt = (ip: string) =>
    room.browser(ip).ask('POST', '/auth/sign-up', { body: signUpBody('hanna', { handle: 'somebody' }) })
  for (let time = 0; time < 60; time += 1) expect((await attempt(at)).body.code).toBe('email_taken')
  const refused = await attempt(at)
  expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } })
  expect(refused.headers['retry-after']).toBe('60')
  expect((await attempt('198.51.100.201')).body.code).toBe('email_taken')
})

test('the limits keep no e-mail addresses', async () => {
  const { rows } = await room.ownerDb.query<{ key: string }>('select key from identity.attempts')
  expect(rows.length).toBeGreaterThan(10)
  for (const { key } of rows) expect(key).not.toContain('@')
})
