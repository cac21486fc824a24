import { connect, type Socket } from 'node:net'
import { ERRORS, Problem } from '@kantor/contract/errors'
import { DatabaseUnavailable, OutcomeUnknown } from '#db'
import { createMetrics } from '#telemetry'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { mountApiDocs } from './api-docs.ts'
import { mountHealth } from './health.ts'
import { openApiDocument, problemsOf } from './openapi.ts'
import { route } from './route.ts'
import type { Access, Principal, Route } from './route.ts'
import { createHttpServer } from './server.ts'

const ACCESSES: Access[] = ['public', 'read', 'trade', 'transfer', 'session', 'support', 'admin']
const reply = z.strictObject({ ok: z.literal(true) })

/** Bearer tokens of this test say who they are: `session:customer`, `key:read`, with `:frozen` behind. */
function principalOf(authorization: string | undefined): Principal | null {
  if (authorization === undefined) return null
  const [via, what = '', frozen] = authorization.replace('Bearer ', '').split(':')
  if (via !== 'session' && via !== 'key') throw new Problem('not_authenticated')
  return {
    customerId: 'c',
    walletId: 1000n,
    role: via === 'session' ? (what as Principal['role']) : 'customer',
    frozen: frozen === 'frozen',
    via: via === 'session' ? 'session' : 'apiKey',
    credentialId: 'x',
    scopes: new Set(via === 'key' ? [what as 'read'] : ['read', 'trade', 'transfer']),
  }
}

let failWith: Error = new Error('connection string postgres://secret')

const routes: Route[] = [
  ...ACCESSES.map((access) =>
    route({
      method: 'GET',
      path: `/of/${access}`,
      access,
      summary: access,
      tag: 'test',
      reply,
      handle: async () => ({ body: { ok: true as const } }),
    }),
  ),
  route({
    method: 'POST',
    path: '/things/{id}',
    access: 'public',
    summary: 'Make a thing',
    tag: 'test',
    params: z.strictObject({ id: z.uuid() }),
    query: z.strictObject({ dry: z.enum(['yes']).optional() }),
    body: z.strictObject({ name: z.string().max(5), deep: z.strictObject({ n: z.int() }).optional() }),
    reply: z.strictObject({ name: z.string(), key: z.string() }),
    status: 201,
    idempotent: true,
    problems: ['insufficient_funds'],
    handle: async ({ body, idempotencyKey }) => ({
      body: { name: body.name, key: idempotencyKey },
      replayed: true,
    }),
  }),
  route({
    method: 'POST',
    path: '/bare',
    access: 'public',
    summary: 'No body',
    tag: 'test',
    handle: async () => ({}),
  }),
  route({
    method: 'GET',
    path: '/breaks',
    access: 'public',
    summary: 'Throws',
    tag: 'test',
    reply,
    handle: async () => {
      throw failWith
    },
  }),
  route({
    method: 'GET',
    path: '/leaks',
    access: 'public',
    summary: 'Answers more than its schema',
    tag: 'test',
    reply,
    handle: async () => ({ body: { ok: true as const, passwordHash: 'x' } }),
  }),
  route({
    method: 'GET',
    path: '/busy',
    access: 'public',
    summary: 'Refuses for now',
    tag: 'test',
    reply,
    handle: async () => {
      throw new Problem('busy', { retryAfterSeconds: 1.2 })
    },
  }),
]

const metrics = createMetrics()
const app = createHttpServer({
  routes,
  authenticate: async ({ authorization }) => principalOf(authorization),
  publicUrl: new URL('http://127.0.0.1:8080'),
  trustedProxies: [],
  log: pino({ level: 'silent' }),
  metrics,
  problemOf: (thrown) => (thrown instanceof EvalError ? new Problem('busy') : null),
})
let notReady: string | null = null
mountHealth(app, { notReadyBecause: async () => notReady, metricsText: metrics.text })
mountApiDocs(app, routes, { version: '1.2.3', cookieName: 'kantor' })

const id = '0190c7a2-0000-7000-8000-000000000000'
const thing = (options: { url?: string; headers?: Record<string, string>; payload?: string | object } = {}) =>
  app.inject({
    method: 'POST',
    url: options.url ?? `/api/v1/things/${id}`,
    headers: { 'idempotency-key': 'k', 'content-type': 'application/json', ...options.headers },
    payload: options.payload ?? { name: 'a' },
  })

beforeAll(async () => {
  await app.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => app.close())

describe('who may call what', () => {
  const table: [string | undefined, Record<Access, number>][] = [
    [
      undefined,
      { public: 200, read: 401, trade: 401, transfer: 401, session: 401, support: 401, admin: 401 },
    ],
    [
      'Bearer nonsense',
      { public: 200, read: 401, trade: 401, transfer: 401, session: 401, support: 401, admin: 401 },
    ],
    [
      'Bearer session:customer',
      { public: 200, read: 200, trade: 200, transfer: 200, session: 200, support: 403, admin: 403 },
    ],
    [
      'Bearer session:customer:frozen',
      { public: 200, read: 200, trade: 403, transfer: 403, session: 200, support: 403, admin: 403 },
    ],
    [
      'Bearer session:support',
      { public: 200, read: 200, trade: 200, transfer: 200, session: 200, support: 200, admin: 403 },
    ],
    [
      'Bearer session:admin',
      { public: 200, read: 200, trade: 200, transfer: 200, session: 200, support: 200, admin: 200 },
    ],
    [
      'Bearer key:read',
      { public: 200, read: 200, trade: 403, transfer: 403, session: 403, support: 403, admin: 403 },
    ],
    [
      'Bearer key:trade',
      { public: 200, read: 403, trade: 200, transfer: 403, session: 403, support: 403, admin: 403 },
    ],
    [
      'Bearer key:transfer',
      { public: 200, read: 403, trade: 403, transfer: 200, session: 403, support: 403, admin: 403 },
    ],
    [
      'Bearer key:transfer:frozen',
      { public: 200, read: 403, trade: 403, transfer: 403, session: 403, support: 403, admin: 403 },
    ],
  ]
  test.each(table)('%s', async (authorization, expected) => {
    for (const access of ACCESSES) {
      const headers = authorization === undefined ? {} : { authorization }
      const answer = await app.inject({ url: `/api/v1/of/${access}`, headers })
      expect([access, answer.statusCode]).toEqual([access, expected[access]])
    }
  })
})

describe('what a request may look like', () => {
  const refusals: [string, Parameters<typeof thing>[0], number, string, string[]?][] = [
    ['an unknown field', { payload: { name: 'a', more: 1 } }, 400, 'invalid_request', ['more']],
    [
      'an unknown field further in',
      { payload: { name: 'a', deep: { n: 1, m: 2 } } },
      400,
      'invalid_request',
      ['deep.m'],
    ],
    ['a number for a text', { payload: { name: 1 } }, 400, 'invalid_request', ['name']],
    ['a text for a number', { payload: { name: 'a', deep: { n: '1' } } }, 400, 'invalid_request', ['deep.n']],
    ['a missing field', { payload: {} }, 400, 'invalid_request', ['name']],
    [
      'an unknown query parameter',
      { url: `/api/v1/things/${id}?wet=1` },
      400,
      'invalid_request',
      ['query.wet'],
    ],
    [
      'a repeated query parameter',
      { url: `/api/v1/things/${id}?dry=yes&dry=yes` },
      400,
      'invalid_request',
      ['query.dry'],
    ],
    ['an id of another shape', { url: '/api/v1/things/1' }, 400, 'invalid_request', ['params.id']],
    ['half a JSON', { payload: '{"name":' }, 400, 'malformed_json'],
    ['no body', { payload: '' }, 400, 'malformed_json'],
    ['a member named twice', { payload: '{"name":"a","name":"b"}' }, 400, 'malformed_json'],
    ['__proto__', { payload: '{"name":"a","__proto__":{"x":1}}' }, 400, 'malformed_json'],
    ['a list', { payload: '[]' }, 400, 'invalid_request'],
    [
      'plain text',
      { headers: { 'content-type': 'text/plain' }, payload: '{"name":"a"}' },
      415,
      'unsupported_media_type',
    ],
    [
      'a form',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: 'name=a' },
      415,
      'unsupported_media_type',
    ],
    [
      'JSON that says it is compressed',
      { headers: { 'content-encoding': 'gzip' } },
      415,
      'unsupported_media_type',
    ],
    [
      'JSON in another charset',
      { headers: { 'content-type': 'application/json; charset=iso-8859-1' } },
      415,
      'unsupported_media_type',
    ],
    ['bytes that are no UTF-8', { payload: Buffer.from('{"name":"\xff"}', 'latin1') }, 400, 'malformed_json'],
    ['constructor.prototype', { payload: '{"constructor":{"prototype":{}}}' }, 400, 'malformed_json'],
    ['64 KiB and one', { payload: `{"name":"${'a'.repeat(65_536)}"}` }, 413, 'body_too_large'],
    ['no key', { headers: { 'idempotency-key': '' } }, 400, 'idempotency_key_required'],
    ['a key of 256', { headers: { 'idempotency-key': 'k'.repeat(256) } }, 400, 'idempotency_key_required'],
    ['a key with a blank', { headers: { 'idempotency-key': 'a b' } }, 400, 'idempotency_key_required'],
    ['another origin', { headers: { origin: 'https://evil.example' } }, 403, 'origin_refused'],
    ['a null origin', { headers: { origin: 'null' } }, 403, 'origin_refused'],
    ['another site', { headers: { 'sec-fetch-site': 'cross-site' } }, 403, 'origin_refused'],
    ['a sibling site', { headers: { 'sec-fetch-site': 'same-site' } }, 403, 'origin_refused'],
  ]
  test.each(refusals)('%s is refused', async (_what, options, status, code, paths) => {
    const answer = await thing(options)
    const body = answer.json()
    expect([answer.statusCode, body.code]).toEqual([status, code])
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(body.requestId).toBe(answer.headers['x-request-id'])
    if (paths) expect(body.errors.map((one: { path: string }) => one.path)).toEqual(paths)
  })

  test('a good one is answered, with its own origin too', async () => {
    const answer = await thing({
      headers: { origin: 'http://127.0.0.1:8080', 'sec-fetch-site': 'same-origin' },
    })
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toEqual({ name: 'a', key: 'k' })
    expect(answer.headers['idempotency-replayed']).toBe('true')
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  test('UTF-8 is taken, said or not, and arrives as it was sent', async () => {
    for (const type of [
      'application/json',
      'application/json; charset=utf-8',
      'application/json;charset=UTF-8',
    ]) {
      const answer = await thing({ headers: { 'content-type': type }, payload: '{"name":"żó🎉"}' })
      expect([type, answer.statusCode, answer.json().name]).toEqual([type, 201, 'żó🎉'])
    }
  })

  test('a route without a body takes none', async () => {
    expect((await app.inject({ method: 'POST', url: '/api/v1/bare' })).statusCode).toBe(204)
    expect((await app.inject({ method: 'POST', url: '/api/v1/bare', payload: {} })).statusCode).toBe(204)
    expect((await app.inject({ method: 'POST', url: '/api/v1/bare', payload: { x: 1 } })).statusCode).toBe(
      400,
    )
    expect((await app.inject({ url: '/api/v1/of/public?x=1' })).statusCode).toBe(400)
  })

  test('a wrong method and a wrong address are told apart', async () => {
    const method = await app.inject({ method: 'DELETE', url: `/api/v1/things/${id}` })
    expect([method.statusCode, method.headers.allow, method.json().code]).toEqual([
      405,
      'POST',
      'method_not_allowed',
    ])
    expect((await app.inject({ url: '/api/v1/nothing' })).json().code).toBe('not_found')
  })

  test.each(['/api/v1/things/%zz', '/api/v1/things/%ff', '/%', `/api/v1/things/${'x'.repeat(200)}`])(
    'the address %s, which cannot be read, is refused in our words',
    async (url) => {
      const answer = await app.inject({
        method: 'POST',
        url,
        headers: { 'idempotency-key': 'k' },
        payload: {},
      })
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request'])
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
      expect(answer.headers['x-content-type-options']).toBe('nosniff')
      expect(answer.json().requestId).toBe(answer.headers['x-request-id'])
    },
  )
})

describe('what is answered', () => {
  test('a failure says nothing of its inside', async () => {
    const answer = await app.inject({ url: '/api/v1/breaks' })
    expect([answer.statusCode, answer.json().code]).toEqual([500, 'internal_error'])
    expect(answer.body).not.toContain('secret')
  })

  test('a reply with a field its schema does not name is not sent', async () => {
    const answer = await app.inject({ url: '/api/v1/leaks' })
    expect(answer.statusCode).toBe(500)
    expect(answer.body).not.toContain('passwordHash')
  })

  test.each([
    ['a database that is away', new DatabaseUnavailable('gone'), 'unavailable'],
    ['a commit whose reply was lost', new OutcomeUnknown('lost'), 'outcome_unknown'],
    ["a room's own error", new EvalError('full'), 'busy'],
  ])('%s is 503 and can be retried', async (_what, thrown, code) => {
    failWith = thrown
    const answer = await app.inject({ url: '/api/v1/breaks' })
    expect([answer.statusCode, answer.json().code]).toEqual([503, code])
    failWith = new Error('connection string postgres://secret')
  })

  test('a refusal for now says when to come back, in whole seconds', async () => {
    const answer = await app.inject({ url: '/api/v1/busy' })
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '2'])
  })

  test('every answer carries the security headers', async () => {
    for (const url of ['/docs', '/api/v1/of/public', '/api/v1/nothing', '/health/live']) {
      const { headers } = await app.inject({ url })
      expect(headers['content-security-policy']).toContain("default-src 'none'")
      expect(headers['content-security-policy']).not.toContain('unsafe')
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['referrer-policy']).toBe('no-referrer')
    }
  })

  test('a request that is not HTTP, or whose headers are too large, gets a coded problem', async () => {
    const address = app.server.address()
    if (address === null || typeof address === 'string') throw new Error('not listening')
    const raw = (text: string) =>
      new Promise<string>((resolve, reject) => {
        let received = ''
        const socket = connect(address.port, '127.0.0.1', () => socket.write(text))
        socket.on('data', (chunk) => (received += chunk.toString()))
        socket.on('close', () => resolve(received))
        socket.on('error', reject)
      })
    expect(await raw('nonsense\r\n\r\n')).toContain('"code":"invalid_request"')
    expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\na: ${'b'.repeat(20_000)}\r\n\r\n`)).toContain(
      '"code":"headers_too_large"',
    )
  })

  test('liveness stays while readiness says what is missing', async () => {
    notReady = 'database'
    expect((await app.inject({ url: '/health/live' })).statusCode).toBe(200)
    const answer = await app.inject({ url: '/health/ready' })
    expect([answer.statusCode, answer.json().reason]).toEqual([503, 'database'])
    notReady = null
    expect((await app.inject({ url: '/health/ready' })).statusCode).toBe(200)
  })

  test('metrics are labelled by route, never by address', async () => {
    const { body } = await app.inject({ url: '/metrics' })
    expect(body).toContain('route="/api/v1/things/:id"')
    expect(body).not.toContain(id)
  })
})

describe('the documents', () => {
  test('OpenAPI is made from the schemas that validate', () => {
    const document = openApiDocument(routes, '1.2.3', 'kantor') as {
      openapi: string
      paths: Record<
        string,
        Record<
          string,
          { parameters: { name: string }[]; requestBody: unknown; responses: Record<string, unknown> }
        >
      >
    }
    const operation = document.paths['/api/v1/things/{id}']?.post
    expect(document.openapi).toBe('3.1.0')
    expect(operation?.parameters.map((one) => one.name)).toEqual(['id', 'dry', 'Idempotency-Key'])
    expect(operation?.requestBody).toMatchObject({
      content: { 'application/json': { schema: { additionalProperties: false, required: ['name'] } } },
    })
    expect(Object.keys(operation?.responses ?? {})).toEqual(
      expect.arrayContaining(['201', '400', '422', '503']),
    )
  })

  test('every code a route may answer is in the catalogue', () => {
    for (const one of routes) for (const code of problemsOf(one)) expect(ERRORS).toHaveProperty(code)
  })

  test('the pages show every route and every code, without anything inline', async () => {
    const api = (await app.inject({ url: '/docs' })).body
    for (const one of routes) expect(api).toContain(`/api/v1${one.path}`)
    const errors = (await app.inject({ url: '/docs/errors' })).body
    for (const code of Object.keys(ERRORS)) expect(errors).toContain(`id="${code}"`)
    expect(api + errors).not.toMatch(/<script|style="| on\w+=/)
  })
})

// The last: it closes the server.
test('what had begun to arrive when the server closes is answered, and its connection ends', async () => {
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  let received = ''
  const socket = connect(address.port, '127.0.0.1')
  const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.on('data', (chunk) => (received += chunk.toString()))
  const arrived = new Promise<Socket>((resolve) => app.server.once('connection', resolve))
  socket.write('GET /api/v1/of/public HTTP/1.1\r\nhost: x\r\n')
  const there = await arrived
  // Until the parser has seen the first line the connection counts as idle.
  await expect.poll(() => there.bytesRead).toBeGreaterThan(0)
  const closed = app.close()
  await expect.poll(() => app.server.listening).toBe(false)
  socket.write('\r\n')
  await ended
  await closed
  expect(received).toMatch(/^HTTP\/1\.1 200 /)
  expect(received.toLowerCase()).toContain('connection: close')
})
