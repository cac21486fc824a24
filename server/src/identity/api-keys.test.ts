import { randomUUID } from 'node:crypto'
import type { ApiKey, CreatedApiKey } from '@kantor/contract/api'
import { openDatabase } from '#db'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { createAuthenticator } from './authenticate.ts'
import { TEST_CONFIG, identityFixture, whoIs } from './identity-fixture.ts'

const room = await identityFixture({ config: { rateLimits: false } })
const { browser, me: anna } = await room.signedUp('anna')
const { browser: stranger } = await room.signedUp('mallory')

const otherDb = openDatabase({
  url: room.url,
  connectionsMax: 2,
  applicationName: 'other',
  random: Math.random,
})
const otherProcess = createAuthenticator({ db: otherDb, clock: room.clock.now, config: TEST_CONFIG })
afterAll(() => otherDb.close())
afterEach(() => room.ownerDb.query('delete from identity.api_keys'))

const create = (more: Record<string, unknown> = {}, by = browser) =>
  by.ask('POST', '/me/api-keys', { body: { name: 'bot', scopes: ['read'], ...more } })
const created = async (more: Record<string, unknown> = {}) => {
  const answer = await create(more)
  expect(answer.status).toBe(201)
  return answer.body as unknown as CreatedApiKey
}
const listed = async () => (await browser.ask('GET', '/me/api-keys')).body['items'] as ApiKey[]
const withKey = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })
const elsewhere = (key: string) => whoIs(otherProcess, { authorization: `Bearer ${key}` })

describe('an API key', () => {
  test('is shown once, stored as a hash, and told by its prefix', async () => {
    const { key, ...rest } = await created({ scopes: ['read', 'trade'] })
    expect(key).toMatch(/^kantor_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/)
    expect(key.startsWith(`${rest.prefix}_`)).toBe(true)
    expect(await listed()).toEqual([rest])
    const { rows } = await room.ownerDb.query<{ row: string }>(
      'select k::text as row from identity.api_keys k',
    )
    expect(rows[0]?.row).not.toContain(key.slice(-43))
  })

  test('lets a program in with its scopes, and notes when', async () => {
    const { key, id } = await created({ scopes: ['read'] })
    const answer = await room.browser().ask('GET', '/me', withKey(key))
    expect(answer).toMatchObject({ status: 200, body: { id: anna.id } })
    const principal = await otherProcess({
      authorization: `bearer  ${key} `,
      cookies: {},
      client: { ip: '', userAgent: '' },
    })
    expect(principal).toMatchObject({
      customerId: anna.id,
      via: 'apiKey',
      credentialId: id,
      scopes: new Set(['read']),
    })
    expect((await listed())[0]?.lastUsedAt).toBe(room.clock.now().toISOString())
  })

  test('without the scope is refused, and never manages keys, sessions or the profile', async () => {
    const trade = await created({ scopes: ['trade'] })
    const anonymous = room.browser()
    expect((await anonymous.ask('GET', '/me', withKey(trade.key))).body.code).toBe('insufficient_scope')
    const all = await created({ scopes: ['read', 'trade', 'transfer'] })
    for (const [method, path, body] of [
      ['GET', '/me/api-keys'],
      ['POST', '/me/api-keys', { name: 'more', scopes: ['read'] }],
      ['DELETE', `/me/api-keys/${all.id}`],
      ['GET', '/auth/sessions'],
      ['POST', '/auth/sign-out'],
      ['PATCH', '/me', { name: 'Somebody Else' }],
    ] as const) {
      const answer = await anonymous.ask(method, path, { ...withKey(all.key), body })
      expect(answer).toMatchObject({ status: 403, body: { code: 'session_required' } })
    }
  })

  test('with any byte changed, cut or added is refused', async () => {
    const { key } = await created()
    expect(await elsewhere(key)).toBe(anna.id)
    const bent = [...key].map(
      (character, index) =>
        key.slice(0, index) + String.fromCharCode(character.charCodeAt(0) ^ 1) + key.slice(index + 1),
    )
    for (const wrong of [...bent, key.slice(0, -1), `${key}A`, `${key} ${key}`, '', ' ']) {
      expect(await elsewhere(wrong)).toBe('not_authenticated')
    }
  })

  test('that is not valid is refused even beside a valid cookie', async () => {
    expect((await browser.ask('GET', '/me')).status).toBe(200)
    for (const authorization of ['Bearer kantor_000000000000_x', 'Bearer', 'bearer ']) {
      expect((await browser.ask('GET', '/me', { headers: { authorization } })).status).toBe(401)
    }
    // What a proxy in front of us asks for is the proxy's.
    expect((await browser.ask('GET', '/me', { headers: { authorization: 'Basic eDp5' } })).status).toBe(200)
  })

  test('ends when it is revoked, at once and in every process', async () => {
    const { key, id } = await created()
    expect(await elsewhere(key)).toBe(anna.id)
    expect((await browser.ask('DELETE', `/me/api-keys/${id}`)).status).toBe(204)
    expect(await elsewhere(key)).toBe('not_authenticated')
    expect(await whoIs(room.identity.authenticate, { authorization: `Bearer ${key}` })).toBe(
      'not_authenticated',
    )
    expect(await listed()).toEqual([])
    expect((await browser.ask('DELETE', `/me/api-keys/${id}`)).status).toBe(404)
  })

  test('ends when it expires', async () => {
    const expiresAt = new Date(room.clock.now().getTime() + 60_000).toISOString()
    const { key } = await created({ expiresAt })
    expect((await listed())[0]?.expiresAt).toBe(expiresAt)
    room.clock.advance(59_999)
    expect(await elsewhere(key)).toBe(anna.id)
    room.clock.advance(1)
    expect(await elsewhere(key)).toBe('not_authenticated')
    expect(await listed()).toEqual([])
  })

  test('cannot be made to have expired already', async () => {
    const answer = await create({ expiresAt: room.clock.now().toISOString() })
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ path: 'expiresAt' }] },
    })
  })

  test('of somebody else answers as one that does not exist', async () => {
    const { key, id } = await created()
    const theirs = await stranger.ask('DELETE', `/me/api-keys/${id}`)
    const missing = await stranger.ask('DELETE', `/me/api-keys/${randomUUID()}`)
    for (const answer of [theirs, missing]) delete answer.body['requestId']
    expect(theirs.status).toBe(404)
    expect(theirs.body).toEqual(missing.body)
    expect(await elsewhere(key)).toBe(anna.id)
  })

  test('is one of at most twenty, also when many are asked for at once', async () => {
    const answers = await Promise.all(Array.from({ length: 24 }, () => create()))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20)
    expect(answers.filter(({ body }) => body.code === 'too_many_keys')).toHaveLength(4)
    const [oldest] = await listed()
    await browser.ask('DELETE', `/me/api-keys/${oldest?.id}`)
    expect((await create()).status).toBe(201)
  })

  test('leaves its making and its end in the audit log', async () => {
    const { id } = await created({ scopes: ['transfer'] })
    await browser.ask('DELETE', `/me/api-keys/${id}`)
    const { rows } = await room.ownerDb.query(
      'select act, customer_id, actor_id, detail from identity.audit_log order by id desc limit 2',
    )
    expect(rows).toEqual([
      { act: 'api_key_revoked', customer_id: anna.id, actor_id: anna.id, detail: { apiKeyId: id } },
      {
        act: 'api_key_created',
        customer_id: anna.id,
        actor_id: anna.id,
        detail: { apiKeyId: id, scopes: ['transfer'] },
      },
    ])
  })
})
