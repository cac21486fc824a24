import { describe, expect, test } from 'vitest'
import { customerNameAt, customersByNumbers, findCustomerByHandleOrEmail } from './find-customer.ts'
import { identityFixture } from './identity-fixture.ts'

const room = await identityFixture({ config: { rateLimits: false } })
const { browser, me: anna } = await room.signedUp('anna')
const { browser: stranger, me: betty } = await room.signedUp('betty')

const change = (body: Record<string, unknown>) => browser.ask('PATCH', '/me', { body })

describe('the profile', () => {
  test('changes the fields that are given and no other', async () => {
    const answer = await change({ locale: 'pl', theme: 'dark' })
    expect(answer).toMatchObject({ status: 200, body: { ...anna, locale: 'pl', theme: 'dark' } })
    const all = { name: 'Anna Nowak', handle: 'anna_n', baseCurrency: 'PLN', locale: 'en', theme: 'light' }
    expect((await change(all)).body).toEqual({ ...anna, ...all })
    expect((await browser.ask('GET', '/me')).body).toEqual({ ...anna, ...all })
  })

  test('cannot take a handle that is taken or the house’s, nor a currency that is not offered', async () => {
    expect(await change({ handle: 'betty' })).toMatchObject({ status: 409, body: { code: 'handle_taken' } })
    expect(await change({ handle: 'kantor' })).toMatchObject({ status: 409, body: { code: 'handle_taken' } })
    expect(await change({ baseCurrency: 'XAU', theme: 'dark' })).toMatchObject({
      status: 422,
      body: { code: 'unknown_asset', errors: [{ path: 'baseCurrency' }] },
    })
    expect((await browser.ask('GET', '/me')).body).toMatchObject({ handle: 'anna_n', theme: 'light' })
  })

  test('cannot be given a role, a number or another e-mail', async () => {
    for (const field of ['role', 'number', 'email', 'id', 'frozen']) {
      expect((await change({ [field]: 'admin' })).status).toBe(400)
    }
  })

  test('is nobody’s without signing in', async () => {
    expect((await room.browser().ask('GET', '/me')).body.code).toBe('not_authenticated')
    expect((await room.browser().ask('PATCH', '/me', { body: { theme: 'dark' } })).status).toBe(401)
    expect((await stranger.ask('GET', '/me')).body['id']).toBe(betty.id)
  })
})

test('how somebody was called at any moment is known after every change of handle or name', async () => {
  const { browser: celia } = await room.signedUp('celia')
  const number = (await findCustomerByHandleOrEmail(room.db, 'celia'))?.number ?? 0n
  const rename = async (body: Record<string, unknown>) => {
    room.clock.advance(1_000)
    expect((await celia.ask('PATCH', '/me', { body })).status).toBe(200)
    return room.clock.now()
  }
  const first = await rename({ handle: 'celina' })
  await rename({ theme: 'dark' })
  const second = await rename({ name: 'Celina Nowa', handle: 'celina' })
  const at = (moment: Date, ms: number) => customerNameAt(room.db, number, new Date(moment.getTime() + ms))
  expect(await at(first, -1)).toEqual({ handle: 'celia', name: 'Edward Kowalski' })
  expect(await at(first, 0)).toEqual({ handle: 'celina', name: 'Edward Kowalski' })
  expect(await at(second, -1)).toEqual({ handle: 'celina', name: 'Edward Kowalski' })
  expect(await at(second, 0)).toEqual({ handle: 'celina', name: 'Celina Nowa' })
  expect(await customerNameAt(room.db, 999n, second)).toBeNull()
})

describe('finding a customer', () => {
  test.each(['betty', '@betty', '@Betty', 'betty@example.com', 'BETTY@example.com'])(
    'by %s',
    async (text) => {
      expect(await findCustomerByHandleOrEmail(room.db, text)).toMatchObject({
        id: betty.id,
        handle: 'betty',
        name: 'Edward Kowalski',
        baseCurrency: 'EUR',
        frozen: false,
      })
    },
  )

  test.each(['bett', 'betty%', '@@betty', '', ' betty', 'betty@example.org', `b'or 1=1`])(
    'never by less than the whole: %s',
    async (text) => {
      expect(await findCustomerByHandleOrEmail(room.db, text)).toBe(null)
    },
  )

  test('by number, many at once; numbers of nobody are absent', async () => {
    const number = (await findCustomerByHandleOrEmail(room.db, 'betty'))?.number ?? 0n
    const found = await customersByNumbers(room.db, [number, 1n, 999_999n])
    expect([...found]).toEqual([[number, expect.objectContaining({ handle: 'betty' })]])
    expect(await customersByNumbers(room.db, [])).toEqual(new Map())
  })
})

describe('the database refuses the application', () => {
  test.each([
    ['to change a role', `update identity.customers set role = 'admin'`],
    ['to move a wallet to somebody else', 'update identity.customers set number = number + 1'],
    ['to remove a customer', 'delete from identity.customers'],
    ['to rewrite the audit log', `update identity.audit_log set ip = ''`],
    ['to shorten the audit log', 'delete from identity.audit_log'],
    ['to give a session to somebody else', 'update identity.sessions set customer_id = customer_id'],
    ['to widen a key', `update identity.api_keys set scopes = '{transfer}'`],
  ])('%s', async (_, statement) => {
    await expect(room.db.query(statement)).rejects.toThrow('permission denied')
  })

  test('and its owner to rewrite the audit log or renumber a customer', async () => {
    for (const statement of [
      `update identity.audit_log set ip = ''`,
      'delete from identity.audit_log',
      'truncate identity.audit_log',
      'delete from identity.customers',
      'update identity.customers set number = number + 100',
    ]) {
      await expect(room.ownerDb.query(statement)).rejects.toThrow('is refused')
    }
  })
})

test('the sweep deletes what has long ended and nothing else', async () => {
  const rowsLeft = async () => {
    const { rows } = await room.ownerDb.query(
      `select (select count(*) from identity.sessions) as sessions, (select count(*) from identity.devices) as devices,
         (select count(*) from identity.api_keys) as keys, (select count(*) from identity.audit_log) > 0 as log`,
    )
    return rows[0]
  }
  await browser.ask('POST', '/me/api-keys', { body: { name: 'forever', scopes: ['read'] } })
  const before = await rowsLeft()
  await room.identity.sweep()
  expect(await rowsLeft()).toEqual(before)
  room.clock.advance(401 * 24 * 3600_000)
  await room.identity.sweep()
  expect(await rowsLeft()).toEqual({ sessions: 0n, devices: 0n, keys: 1n, log: true })
})
