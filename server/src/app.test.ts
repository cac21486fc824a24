import { ERRORS } from '@kantor/contract/errors'
import { describe, expect, test } from 'vitest'
import { runningApp } from '#test/running-app'

const app = await runningApp()

interface JsonSchema {
  properties?: Record<string, JsonSchema>
  type?: string
}
interface Operation {
  parameters: { name: string; in: string }[]
  requestBody?: { content: { 'application/json': { schema: JsonSchema } } }
  description: string
  responses: Record<string, unknown>
}
const document = (await app.http.inject({ url: '/openapi.json' })).json() as {
  paths: Record<string, Record<string, Operation>>
}
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
)

test('the API is what docs/openapi.json says, so that a change of it shows in the diff', async () => {
  await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot('../../docs/openapi.json')
})

/** Signs up and gives the cookie, which later requests send. */
async function signUp(handle: string): Promise<string> {
  const answer = await app.http.inject({
    method: 'POST',
    url: '/api/v1/auth/sign-up',
    payload: {
      email: `${handle}@example.com`,
      password: 'kobyla ma maly bok 77',
      name: 'Anna Nowak',
      handle,
      baseCurrency: 'PLN',
    },
  })
  expect(answer.statusCode).toBe(201)
  return answer.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
}

const MONTHLY = { repeat: 'monthly', day: 31, at: '09:00', timeZone: 'Europe/Warsaw' }
const LIMIT_CHANGE = { fromAmount: '1.00', limit: { base: 'EUR', rate: '9.00' } }
const LIMIT_CONVERSION = { from: 'EUR', to: 'PLN', ...LIMIT_CHANGE, expiresAt: '2099-01-01T00:00:00Z' }
const RECURRING_CONVERSION = { from: 'EUR', to: 'PLN', fromAmount: '1.00', schedule: MONTHLY }
const STANDING_ORDER = { to: '@edek', asset: 'EUR', amount: '1.00', note: 'rent', schedule: MONTHLY }
const PRICE_ALERT = { instrument: 'AAPL', direction: 'above', value: '900000', repeat: false }

/** A request that is right, for each route that takes a body; the hostile values replace its fields one by one. */
const RIGHT_BODIES: Readonly<Record<string, Record<string, unknown>>> = {
  'POST /api/v1/auth/sign-up': {
    email: 'new@example.com',
    password: 'kobyla ma maly bok 78',
    name: 'New',
    handle: 'newcomer',
    baseCurrency: 'EUR',
    currencies: ['USD'],
  },
  'POST /api/v1/auth/sign-in': { email: 'ania@example.com', password: 'kobyla ma maly bok 77' },
  'PATCH /api/v1/me': { name: 'Anna', handle: 'ania', baseCurrency: 'EUR', locale: 'pl', theme: 'dark' },
  'POST /api/v1/me/api-keys': { name: 'key', scopes: ['read'], expiresAt: '2099-01-01T00:00:00Z' },
  'POST /api/v1/wallet/balances': { asset: 'CHF' },
  'POST /api/v1/wallet/deposits': { asset: 'EUR', amount: '1.00' },
  'POST /api/v1/conversion-quotes': { from: 'EUR', to: 'PLN', fromAmount: '1.00' },
  'POST /api/v1/conversions': { quoteId: '0190c7a2-0000-7000-8000-000000000000' },
  'POST /api/v1/transfers': { to: '@edek', asset: 'EUR', amount: '1.00', note: 'hello' },
  'POST /api/v1/orders': {
    instrument: 'AAPL',
    side: 'buy',
    type: 'market',
    quantity: '1',
    timeInForce: 'day',
    settleIn: 'EUR',
  },
  'POST /api/v1/orders/preview': {
    instrument: 'AAPL',
    side: 'buy',
    type: 'market',
    quantity: '1',
    timeInForce: 'day',
    settleIn: 'EUR',
  },
  'POST /api/v1/conversion-orders': LIMIT_CONVERSION,
  'POST /api/v1/conversion-orders/dry-run': LIMIT_CONVERSION,
  'PATCH /api/v1/conversion-orders/{id}': { status: 'paused', ...LIMIT_CHANGE },
  'POST /api/v1/recurring-conversions': RECURRING_CONVERSION,
  'POST /api/v1/recurring-conversions/dry-run': RECURRING_CONVERSION,
  'PATCH /api/v1/recurring-conversions/{id}': { status: 'paused', fromAmount: '1.00', schedule: MONTHLY },
  'POST /api/v1/standing-orders': STANDING_ORDER,
  'POST /api/v1/standing-orders/dry-run': STANDING_ORDER,
  'PATCH /api/v1/standing-orders/{id}': { status: 'paused', amount: '1.00', note: 'rent', schedule: MONTHLY },
  'POST /api/v1/price-alerts': PRICE_ALERT,
  'POST /api/v1/price-alerts/dry-run': PRICE_ALERT,
  'PATCH /api/v1/price-alerts/{id}': { status: 'paused', direction: 'above', value: '900', repeat: true },
  'PATCH /api/v1/positions/settings': { method: 'average' },
  'PATCH /api/v1/notification-preferences': {
    changes: [{ kind: 'dividend', channel: 'mail', enabled: true }],
  },
  'POST /api/v1/push-subscriptions': {
    endpoint: 'https://updates.push.services.mozilla.com/wpush/v2/x',
    keys: { p256dh: 'B'.repeat(87), auth: 'a'.repeat(22) },
  },
  'POST /api/v1/push-subscriptions/end': { endpoint: 'https://updates.push.services.mozilla.com/wpush/v2/x' },
  'POST /api/v1/webhooks': {
    url: 'https://example.com/hook',
    name: 'mine',
    events: ['operation.posted'],
  },
  'PATCH /api/v1/webhooks/{id}': { name: 'mine', events: ['operation.posted'], enabled: false },
  'POST /api/v1/webhooks/{id}/replays': { from: '2026-01-01T00:00:00Z' },
  'POST /api/v1/notices/read': { through: '0190c7a2-0000-7000-8000-000000000000' },
  'POST /api/v1/watchlist': { instrument: 'AAPL' },
}

/** None of these is right in any field of any route. */
const HOSTILE_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  2 ** 53,
  [],
  {},
  [[]],
  [null],
  { amount: '1' },
  { $gt: '' },
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '1e5',
  '+1',
  '-1',
  '1,00',
  ' 1',
  '1 ',
  '1.',
  '.5',
  '00',
  '0x10',
  'NaN',
  'Infinity',
  '１２',
  '١٢',
  '1'.repeat(41),
  `0.${'0'.repeat(30)}1`,
  '9'.repeat(400),
  "' or 1=1 --",
  "'; drop table ledger.journals; --",
  '${jndi:x}',
  '{{7*7}}',
  '../../etc/passwd',
  '%00',
  '\r\nset-cookie: a=b',
  '\u202eabc',
  '\u200fabc',
  'a\u2028b',
  '\u200b',
  'x'.repeat(60_000),
  '2026-13-45T99:99:99Z',
  'not-a-uuid',
  '__proto__',
]

/** Fields that hold what a person writes: there only what is no line of text is hostile. */
const FREE_TEXT = new Set(['name', 'note', 'password'])

function isHostile(field: string, value: unknown): boolean {
  // To choose no further currency is right.
  if (field === 'currencies' && Array.isArray(value) && value.length === 0) return false
  if (field === 'repeat' && value === true) return false
  if (!FREE_TEXT.has(field) || typeof value !== 'string') return true
  if (field === 'password') return value.length < 10 || value.length > 128
  return (
    value.length > 140 ||
    /[\p{Cc}\p{Cs}\u2028\u202e\u200f]/u.test(value) ||
    (field === 'name' && value.replace('\u200b', '').trim() === '')
  )
}

async function fingerprint(): Promise<string> {
  const { rows } = await app.database.ownerDb.query<{ state: string }>(
    `select concat_ws(' ', (select hash::text from ledger.chain_head), (select count(*) from identity.customers),
       (select string_agg(md5(customers::text), '' order by number) from identity.customers),
       (select count(*) from rules.rules), (select count(*) from identity.api_keys), (select count(*) from exchange.quotes),
       (select count(*) from ledger.accounts)) as state`,
  )
  return rows[0]?.state ?? ''
}

describe('hostile input', async () => {
  const cookie = await signUp('ania')
  await signUp('edek')

  test('every route that takes a body is tried', () => {
    const taking = operations.filter(({ operation }) => operation.requestBody !== undefined)
    expect(taking.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
      Object.keys(RIGHT_BODIES).toSorted(),
    )
  })

  test.each(Object.entries(RIGHT_BODIES))(
    '%s refuses every hostile value in every field, and changes nothing',
    async (route, right) => {
      const [method, url] = route.split(' ') as ['POST', string]
      const before = await fingerprint()
      for (const field of [...Object.keys(right), 'unknownField']) {
        for (const [index, value] of HOSTILE_VALUES.entries()) {
          if (!isHostile(field, value)) continue
          const answer = await app.http.inject({
            method,
            url: url.replace('{id}', '0190c7a2-0000-7000-8000-000000000000'),
            headers: {
              cookie: url.includes('/auth/') ? '' : cookie,
              'idempotency-key': `${field}-${index}`,
              'content-type': 'application/json',
            },
            payload: JSON.stringify({ ...right, [field]: value }),
          })
          const shown = [
            field,
            typeof value === 'string' ? value.slice(0, 40) : value,
            answer.statusCode,
            answer.body.slice(0, 200),
          ]
          expect(shown, 'a coded refusal').toSatisfy(
            () => answer.statusCode >= 400 && answer.statusCode < 500,
          )
          expect(ERRORS).toHaveProperty(answer.json().code)
        }
      }
      expect(await fingerprint()).toBe(before)
    },
  )

  test('no hostile query or path parameter breaks a route', async () => {
    for (const { method, path, operation } of operations) {
      if (method !== 'GET') continue
      for (const parameter of operation.parameters) {
        for (const value of HOSTILE_VALUES) {
          const text = encodeURIComponent(
            typeof value === 'string' ? value.toWellFormed().slice(0, 2_000) : JSON.stringify(value),
          )
          const url =
            parameter.in === 'path'
              ? path.replace(`{${parameter.name}}`, text || '%20')
              : `${path}?${parameter.name}=${text}`
          const answer = await app.http.inject({
            url: url.replace(/\{\w+\}/g, 'EUR'),
            headers: { cookie },
            payloadAsStream: true,
          })
          // Some values are a position of the live stream, which would not end by itself.
          answer.stream().destroy()
          expect([url.slice(0, 120), answer.statusCode]).toSatisfy(() => answer.statusCode < 500)
        }
      }
    }
  })
})

describe('one Idempotency-Key', async () => {
  const cookie = await signUp('kasia')
  await signUp('marek')
  const send = (path: string, key: string, payload: Record<string, unknown>) =>
    app.http.inject({
      method: 'POST',
      url: `/api/v1${path}`,
      headers: { cookie, 'idempotency-key': key },
      payload,
    })

  test('names one request of its customer, whatever route it is offered to', async () => {
    const transfer = { to: 'Marek@Example.COM', asset: 'EUR', amount: '1.00' }
    const first = await send('/transfers', 'the-key', transfer)
    expect([first.statusCode, first.json().to.handle]).toEqual([201, 'marek'])
    const before = await fingerprint()
    const others: [string, Record<string, unknown>][] = [
      ['/transfers', { ...transfer, amount: '2.00' }],
      ['/transfers', { ...transfer, note: 'again' }],
      ['/wallet/deposits', { asset: 'EUR', amount: '1.00' }],
    ]
    for (const [path, payload] of others) {
      const answer = await send(path, 'the-key', payload)
      expect([path, answer.statusCode, answer.json().code]).toEqual([path, 422, 'idempotency_key_reused'])
    }
    const again = await send('/transfers', 'the-key', transfer)
    expect([again.statusCode, again.body]).toEqual([201, first.body])
    expect(again.headers['idempotency-replayed']).toBe('true')
    expect(await fingerprint()).toBe(before)
  })
})

describe('who may call what', () => {
  test('without credentials, every route that is not public answers 401 alike', async () => {
    for (const { method, path, operation } of operations) {
      const url = path.replace(/\{\w+\}/g, '0190c7a2-0000-7000-8000-000000000000')
      const isPublic = operation.description.includes('Anybody')
      const answer = await app.http.inject({
        method: method as 'GET',
        url,
        ...(method === 'GET' ? {} : { payload: {} }),
      })
      if (!isPublic)
        expect([method, path, answer.statusCode, answer.json().code]).toEqual([
          method,
          path,
          401,
          'not_authenticated',
        ])
    }
  })
})

// The last: from here on the program drains.
test('it is ready when all has been started, and says no while it drains, though it still answers', async () => {
  const before = await app.http.inject({ url: '/health/ready' })
  expect([before.statusCode, before.json().reason]).toEqual([503, 'starting'])
  app.begun()
  expect((await app.http.inject({ url: '/health/ready' })).statusCode).toBe(200)
  app.drain()
  const ready = await app.http.inject({ url: '/health/ready' })
  expect([ready.statusCode, ready.json().reason]).toEqual([503, 'draining'])
  expect((await app.http.inject({ url: '/health/live' })).statusCode).toBe(200)
  expect((await app.http.inject({ url: '/api/v1/meta' })).statusCode).toBe(200)
})
