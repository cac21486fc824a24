import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMetrics } from '#telemetry'
import { pino } from 'pino'
import { afterAll, expect, test } from 'vitest'
import { createHttpServer } from './server.ts'
import { serveWebApp } from './web-app.ts'

const folder = await mkdtemp(join(tmpdir(), 'kantor-pages-'))
const pages = join(folder, 'dist')
await mkdir(join(pages, 'assets'), { recursive: true })
await writeFile(join(folder, 'secret.txt'), 'secret')
await writeFile(join(pages, 'index.html'), '<!doctype html><title>Kantor</title>')
await writeFile(join(pages, 'assets/app-1a2b.js'), 'void 0')

const app = createHttpServer({
  routes: [],
  authenticate: async () => null,
  publicUrl: new URL('http://127.0.0.1:8080'),
  trustedProxies: [],
  log: pino({ level: 'silent' }),
  metrics: createMetrics(),
  problemOf: () => null,
})
await serveWebApp(app, pages)
afterAll(async () => {
  await app.close()
  await rm(folder, { recursive: true })
})

const BROWSER = 'text/html,application/xhtml+xml,*/*;q=0.8'

test.each([
  ['/', '*/*'],
  ['/', undefined],
  ['/?from=mail', '*/*'],
  ['/history', BROWSER],
  ['/no/such/page', BROWSER],
])('%s asked with Accept %s is the page, fresh each time', async (url, accept) => {
  const answer = await app.inject({ url, headers: accept === undefined ? {} : { accept } })
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
  expect(answer.body).toContain('<title>Kantor</title>')
  expect(answer.headers['cache-control']).toBe('no-cache')
  expect(answer.headers['content-security-policy']).toContain("script-src 'self'")
})

test.each([
  ['/history', '*/*'],
  ['/assets/app-of-yesterday.js', '*/*'],
  ['/api/v1/nothing', BROWSER],
  ['/assets/../../secret.txt', '*/*'],
  ['/assets/%2e%2e/%2e%2e/secret.txt', '*/*'],
  ['/..%2fsecret.txt', '*/*'],
])('%s asked with Accept %s is not there', async (url, accept) => {
  const answer = await app.inject({ url, headers: { accept } })
  expect([answer.statusCode, answer.json().code]).toEqual([404, 'not_found'])
})

test('what bears its hash in its name is kept for a year', async () => {
  const answer = await app.inject({ url: '/assets/app-1a2b.js' })
  expect([answer.statusCode, answer.body]).toEqual([200, 'void 0'])
  expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable')
})
