import { hash } from '@node-rs/argon2'
import { afterEach, describe, expect, test } from 'vitest'
import { GOOD_PASSWORD, identityFixture } from './identity-fixture.ts'

const room = await identityFixture({ config: { rateLimits: false } })
const { me: anna } = await room.signedUp('anna')

const signIn = (body: Record<string, unknown>, browser = room.browser()) =>
  browser.ask('POST', '/auth/sign-in', { body })
const right = { email: 'anna@example.com', password: GOOD_PASSWORD }

async function lastAct() {
  const { rows } = await room.ownerDb.query(
    'select act, customer_id, actor_id, ip, user_agent, at from identity.audit_log order by id desc limit 1',
  )
  return rows[0]
}

/** What the database is asked for, without the values that differ between two runs. */
async function statementsOf(act: () => Promise<unknown>): Promise<string[]> {
  const texts: string[] = []
  const onAcquire = (client: { query: (...all: unknown[]) => unknown }) => {
    const query = client.query
    client.query = (...all) => {
      const [statement] = all
      texts.push(typeof statement === 'object' ? (statement as { text: string }).text : String(statement))
      return query.apply(client, all)
    }
    undo.push(() => (client.query = query))
  }
  const undo: (() => unknown)[] = []
  room.db.pool.on('acquire', onAcquire as never)
  await act()
  room.db.pool.off('acquire', onAcquire as never)
  for (const restore of undo.toReversed()) restore()
  return texts
}

describe('signing in', () => {
  test('from a browser that is new to the customer is told of, once for each browser', async () => {
    const { browser } = await room.signedUp('nowa')
    const body = { email: 'nowa@example.com', password: GOOD_PASSWORD }
    room.newDevices.length = 0
    await signIn(body, browser)
    expect(room.newDevices).toEqual([])
    const other = room.browser('203.0.113.9')
    await signIn(body, other)
    await signIn(body, other)
    await signIn({ ...body, password: 'not the right one' })
    expect(room.newDevices).toEqual([
      { number: expect.any(BigInt), ip: '203.0.113.9', userAgent: expect.any(String) },
    ])
  })

  test('with the right password opens a session and answers the profile', async () => {
    const browser = room.browser()
    const answer = await signIn({ ...right, email: 'Anna@EXAMPLE.com' }, browser)
    expect(answer).toMatchObject({ status: 200, body: anna })
    expect((await browser.ask('GET', '/me')).body).toEqual(anna)
    expect(await lastAct()).toEqual({
      act: 'signed_in',
      customer_id: anna.id,
      actor_id: anna.id,
      ip: '198.51.100.7',
      user_agent: 'test',
      at: room.clock.now(),
    })
  })

  test('replaces the session that the browser had', async () => {
    const browser = room.browser()
    await signIn(right, browser)
    const before = browser.cookies.get('kantor') ?? ''
    await signIn(right, browser)
    expect(browser.cookies.get('kantor')).not.toBe(before)
    expect((await browser.ask('GET', '/me')).status).toBe(200)
    browser.cookies.set('kantor', before)
    expect((await browser.ask('GET', '/me')).status).toBe(401)
  })

  test('ends a session that somebody else had planted in the browser', async () => {
    const { browser: attacker } = await room.signedUp('mallory')
    const planted = attacker.cookies.get('kantor') ?? ''
    const victim = room.browser()
    victim.cookies.set('kantor', planted)
    await signIn(right, victim)
    expect((await victim.ask('GET', '/me')).body).toEqual(anna)
    expect((await attacker.ask('GET', '/me')).status).toBe(401)
  })

  test('is possible for the frozen, who may read', async () => {
    const { me } = await room.signedUp('freya')
    await room.ownerDb.query('update identity.customers set frozen_at = now() where id = $1', [me.id])
    const browser = room.browser()
    expect((await signIn({ ...right, email: me.email }, browser)).body).toMatchObject({ frozen: true })
    expect((await browser.ask('GET', '/me')).status).toBe(200)
  })
})

describe('a wrong password and an unknown e-mail', () => {
  const wrong = { ...right, password: 'not-the-password' }
  const unknown = { email: 'nobody@example.com', password: GOOD_PASSWORD }

  test('are answered alike', async () => {
    const answers = await Promise.all([signIn(wrong), signIn(unknown)])
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } })
      expect(answer.headers['set-cookie']).toBeUndefined()
      delete answer.body['requestId']
    }
    expect(answers[0]?.body).toEqual(answers[1]?.body)
  })

  test('cost the same work: one hash, and the same statements', async () => {
    const work = []
    for (const body of [wrong, unknown]) {
      const before = room.hashing.verify
      const statements = await statementsOf(() => signIn(body))
      work.push({ verified: room.hashing.verify - before, statements })
    }
    expect(work[0]?.verified).toBe(1)
    expect(work[0]?.statements.length).toBeGreaterThan(1)
    expect(work[1]).toEqual(work[0])
  })

  test('are written into the audit log', async () => {
    await signIn(wrong)
    expect(await lastAct()).toMatchObject({ act: 'sign_in_failed', customer_id: anna.id, actor_id: null })
    await signIn(unknown)
    expect(await lastAct()).toMatchObject({ act: 'sign_in_failed', customer_id: null, actor_id: null })
  })
})

describe('a hash made with weaker parameters', () => {
  const setHash = (passwordHash: string) =>
    room.ownerDb.query('update identity.customers set password_hash = $2 where id = $1', [
      anna.id,
      passwordHash,
    ])
  const readHash = async () => {
    const { rows } = await room.ownerDb.query<{ password_hash: string }>(
      'select password_hash from identity.customers where id = $1',
      [anna.id],
    )
    return rows[0]?.password_hash ?? ''
  }
  afterEach(async () => {
    await setHash(await hash(GOOD_PASSWORD))
  })

  test('is made again at sign-in, and the password goes on working', async () => {
    await setHash(await hash(GOOD_PASSWORD, { memoryCost: 8_192, timeCost: 1 }))
    expect((await signIn(right)).status).toBe(200)
    expect(await readHash()).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect((await signIn(right)).status).toBe(200)
  })

  test('stays as it is when the password is wrong, and a strong one stays too', async () => {
    const weak = await hash(GOOD_PASSWORD, { memoryCost: 8_192, timeCost: 1 })
    await setHash(weak)
    await signIn({ ...right, password: 'not-the-password' })
    expect(await readHash()).toBe(weak)
    const strong = await hash(GOOD_PASSWORD)
    await setHash(strong)
    await signIn(right)
    expect(await readHash()).toBe(strong)
  })
})
