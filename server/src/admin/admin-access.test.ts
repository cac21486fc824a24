import { describe, expect, test } from 'vitest'
import { adminFixture } from './admin-fixture.ts'

const app = await adminFixture()
const customer = await app.signUp('klientka')
const support = await app.signUp('pomocnica')
const admin = await app.signUp('szefowa')
await app.setRole('pomocnica', 'support')
await app.setRole('szefowa', 'admin')
const { body: key } = await app.ask('POST', '/me/api-keys', admin, {
  name: 'all',
  scopes: ['read', 'trade', 'transfer'],
})

const NOBODYS = '0190c7a2-0000-7000-8000-000000000000'
const document = (await app.http.inject({ url: '/openapi.json' })).json<{
  paths: Record<string, Record<string, { tags: string[]; security: unknown[] }>>
}>()
const adminRoutes = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(([, { tags }]) => tags.includes('admin'))
    .map(([method, operation]) => ({
      method: method.toUpperCase() as 'GET' | 'POST' | 'DELETE',
      path: path
        .replace('/api/v1', '')
        .replace('jobs/failed/{id}', 'jobs/failed/4711')
        .replace('{id}', NOBODYS)
        .replace('{name}', 'sweep-quotes'),
      operation,
    })),
)

test('everything of the back office lies below /admin, and nothing else does', () => {
  const below = Object.keys(document.paths).filter((path) => path.startsWith('/api/v1/admin/'))
  expect(new Set(adminRoutes.map(({ path }) => path)).size).toBe(below.length)
  expect(adminRoutes.every(({ path }) => path.startsWith('/admin/'))).toBe(true)
  expect(below.length).toBeGreaterThan(5)
})

describe.each(adminRoutes)('$method $path', ({ method, path, operation }) => {
  test.each<[string, Record<string, string>, number, string]>([
    ['nobody', {}, 401, 'not_authenticated'],
    ['a customer', customer, 403, 'forbidden'],
    ['support', support, 403, 'forbidden'],
    ['an API key of an admin', { authorization: `Bearer ${String(key['key'])}` }, 403, 'session_required'],
  ])('is refused to %s, who changes nothing', async (_who, headers, status, code) => {
    const before = await app.acts()
    const answer = await app.ask(method, path, headers)
    expect([answer.status, answer.body['code']]).toEqual([status, code])
    expect(await app.acts()).toEqual(before)
  })

  test('is open to an admin, who leaves a line in the log if it changes something', async () => {
    const before = await app.acts()
    const { status, body } = await app.ask(method, path, admin)
    // There is no failed job or event of that id.
    expect(
      [200, 204, ...(path.includes('4711') || path.includes(NOBODYS) ? [404] : [])],
      JSON.stringify(body),
    ).toContain(status)
    const written = (await app.acts()).slice(before.length)
    expect(written.map(({ actor }) => actor)).toEqual(method !== 'GET' && status !== 404 ? ['szefowa'] : [])
    expect(operation.security).toEqual([{ session: [] }])
  })
})

test('who is admin no more is refused from the next request on, in the session that they have', async () => {
  expect((await app.ask('GET', '/admin/jobs', admin)).status).toBe(200)
  await app.setRole('szefowa', 'customer')
  expect((await app.ask('GET', '/admin/jobs', admin)).status).toBe(403)
})
