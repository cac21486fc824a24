import { describe, expect, test } from 'vitest'
import { GOOD_PASSWORD, identityFixture, signUpBody } from './identity-fixture.ts'

let walletRoomFails = false
const room = await identityFixture({
  config: { rateLimits: false },
  onSignedUp: async (tx, customer) => {
    const { rowCount } = await tx.query('select from identity.customers where id = $1', [customer.id])
    if (rowCount !== 1) throw new Error('the customer is not there yet')
    if (walletRoomFails) throw new Error('no wallet today')
  },
})
const signUp = (handle: string, more: Record<string, unknown> = {}) =>
  room.browser().ask('POST', '/auth/sign-up', { body: signUpBody(handle, more) })

async function customersNamed(handle: string): Promise<number> {
  const { rowCount } = await room.ownerDb.query('select from identity.customers where handle = $1', [handle])
  return rowCount ?? 0
}

describe('signing up', () => {
  test('makes a customer who is signed in, and opens the wallet in the same act', async () => {
    const browser = room.browser()
    const answer = await browser.ask('POST', '/auth/sign-up', {
      body: signUpBody('anna', { baseCurrency: 'PLN', currencies: ['EUR', 'PLN', 'EUR', 'BTC'] }),
    })
    expect(answer.status).toBe(201)
    expect(answer.body).toMatchObject({
      email: 'anna@example.com',
      handle: 'anna',
      role: 'customer',
      baseCurrency: 'PLN',
      frozen: false,
      createdAt: room.clock.now().toISOString(),
    })
    expect(room.opened.at(-1)).toMatchObject({
      customer: { id: answer.body['id'], handle: 'anna', baseCurrency: 'PLN' },
      currencies: ['PLN', 'EUR', 'BTC'],
    })
    expect(room.opened.at(-1)?.customer.number).toBeGreaterThanOrEqual(1000n)
    expect((await browser.ask('GET', '/me')).body).toEqual(answer.body)
  })

  test('sets cookies that scripts cannot read and other sites cannot send', async () => {
    const { headers } = await signUp('betty')
    const [session, device] = headers['set-cookie'] as string[]
    expect(session).toMatch(/^kantor=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax$/)
    expect(device).toMatch(/^kantor-device=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/)
  })

  test('leaves nothing behind when the wallet cannot be opened', async () => {
    walletRoomFails = true
    const { status } = await signUp('carol')
    walletRoomFails = false
    expect(status).toBe(500)
    expect(await customersNamed('carol')).toBe(0)
    expect((await signUp('carol')).status).toBe(201)
  })

  test('stores neither the password nor the cookie', async () => {
    const { browser } = await room.signedUp('dora')
    const { rows } = await room.ownerDb.query<{ everything: string }>(
      `select concat((select jsonb_agg(c) from identity.customers c), (select jsonb_agg(s) from identity.sessions s),
         (select jsonb_agg(d) from identity.devices d), (select jsonb_agg(a) from identity.audit_log a)) as everything`,
    )
    const everything = rows[0]?.everything ?? ''
    expect(everything).toContain('$argon2id$v=19$m=19456,t=2,p=1$')
    for (const secret of [GOOD_PASSWORD, ...browser.cookies.values()]) {
      expect(everything).not.toContain(secret)
      expect(everything).not.toContain(Buffer.from(secret, 'base64url').toString('hex'))
    }
  })
})

describe('what is taken', () => {
  test.each([
    ['the same e-mail', { email: 'taken@example.com' }, 'email_taken'],
    ['it in capitals', { email: 'TAKEN@Example.COM' }, 'email_taken'],
    ['it in full-width letters', { email: 'ｔａｋｅｎ@example.com' }, 'email_taken'],
    ['the same handle', { handle: 'taken' }, 'handle_taken'],
    ['a handle of the house', { handle: 'support' }, 'handle_taken'],
  ])('is refused: %s', async (_, more, code) => {
    if ((await customersNamed('taken')) === 0) await room.signedUp('taken')
    const answer = await signUp('other', more)
    expect(answer).toMatchObject({ status: 409, body: { code } })
    expect(await customersNamed('other')).toBe(0)
  })

  test('is decided once when many ask for the same e-mail in the same moment', async () => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => signUp(`racer${index}`, { email: 'racer@example.com' })),
    )
    const codes = answers.map(({ status, body }) => body.code ?? status).toSorted()
    expect(codes).toEqual([201, ...Array.from({ length: 5 }, () => 'email_taken')])
    const { rowCount } = await room.ownerDb.query(
      `select from identity.sessions s join identity.customers c on c.id = s.customer_id where c.email = $1`,
      ['racer@example.com'],
    )
    expect(rowCount).toBe(1)
  })

  test('is decided once when many ask for the same handle in the same moment', async () => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => signUp('sprinter', { email: `sprinter${index}@example.com` })),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ body }) => body.code === 'handle_taken')).toHaveLength(5)
  })
})

describe('a currency that is not offered', () => {
  test.each([
    ['baseCurrency', { baseCurrency: 'XXX' }],
    ['currencies.1', { currencies: ['EUR', 'DEM'] }],
  ])('is refused, naming %s', async (path, more) => {
    const answer = await signUp('eve', more)
    expect(answer).toMatchObject({ status: 422, body: { code: 'unknown_asset', errors: [{ path }] } })
  })
})

describe('a password', () => {
  test.each([
    'password12',
    'Password12345!',
    'qwertyuiop',
    'kowalski1987',
    'aaaaaaaaaaaaaaaa',
    '1234567890123456',
    'florence2026',
    'florence@example.com',
    'Florence Kowalski',
    'kantorkantor',
    // Ten code points, five characters.
    'éàôüñ'.normalize('NFD'),
  ])('that is easy to guess is refused with what to do: %s', async (password) => {
    const answer = await signUp('florence', { password, name: 'Florence Kowalski' })
    expect(answer).toMatchObject({
      status: 422,
      body: {
        code: 'weak_password',
        errors: [{ path: 'password', message: expect.stringMatching(/\w{3}/) }],
      },
    })
    expect(await customersNamed('florence')).toBe(0)
  })

  test.each([
    'correct horse battery staple',
    'żółta łódź podwodna',
    '忘れられない夏の思い出と海',
    'x7#Qv!m2Lp9z',
  ])('in any script and of any composition is accepted: %s', async (password) => {
    const handle = `p${Buffer.from(password).toString('hex').slice(0, 20)}`
    expect((await signUp(handle, { password })).status).toBe(201)
  })

  test('typed with other code points for the same characters is the same password', async () => {
    const password = 'Zażółć gęślą jaźń'
    await signUp('gosia', { password: password.normalize('NFC') })
    const answer = await room.browser().ask('POST', '/auth/sign-in', {
      body: { email: 'gosia@example.com', password: password.normalize('NFD') },
    })
    expect(answer.status).toBe(200)
  })

  test('made to be slow to judge does not hold up the event loop', async () => {
    const password = '4@8({[</369&#!1/|0$5+7%2/'.repeat(6).slice(0, 128)
    const before = performance.eventLoopUtilization()
    expect((await signUp('heavy', { password })).status).toBe(201)
    // The rest of a sign-up is a small part of it: judged on the loop, this would be nearly 1.
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5)
  })
})
