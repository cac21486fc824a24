import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '@kantor/contract/errors'
import { createMetrics } from '#telemetry'
import { openEventSource } from '#test/event-source'
import { pino } from 'pino'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { eventFrame, HEARTBEAT_SECONDS, UNTAKEN_BYTES_MAX } from './event-stream.ts'
import type { EventStream } from './event-stream.ts'
import { openApiDocument, problemsOf } from './openapi.ts'
import { streamRoute } from './route.ts'
import type { Principal, StreamRequest } from './route.ts'
import { createHttpServer } from './server.ts'

const query = z.strictObject({ what: z.enum(['all']).optional() })
const signedIn = new Set(['Bearer ann'])
const askings: unknown[] = []
const opened: { stream: EventStream; request: StreamRequest<'read', typeof query> }[] = []

const routes = [
  streamRoute({
    path: '/ticks',
    access: 'read',
    summary: 'Ticks',
    tag: 'test',
    query,
    events: { tick: z.strictObject({ n: z.int() }) },
    problems: ['too_many_streams'],
    open: async (request, begin) => {
      if (opened.length > 50) throw new Problem('too_many_streams', { retryAfterSeconds: 3 })
      opened.push({ stream: begin(), request })
    },
  }),
]

const principal: Principal = {
  customerId: 'c',
  walletId: 1000n,
  role: 'customer',
  frozen: false,
  via: 'apiKey',
  credentialId: 'k',
  scopes: new Set(['read']),
}
const metrics = createMetrics()
const app = createHttpServer({
  routes,
  authenticate: async ({ authorization }, asking) => {
    askings.push(asking)
    if (authorization === undefined) return null
    if (!signedIn.has(authorization)) throw new Problem('not_authenticated')
    return principal
  },
  publicUrl: new URL('http://127.0.0.1:8080'),
  trustedProxies: [],
  log: pino({ level: 'silent' }),
  metrics,
  problemOf: () => null,
})
const address = `${await app.listen({ host: '127.0.0.1', port: 0 })}/api/v1/ticks`
afterAll(() => app.close())
afterEach(() => void vi.useRealTimers())

async function open(headers: Record<string, string> = {}, path = '') {
  const client = await openEventSource(address + path, { authorization: 'Bearer ann', ...headers })
  const server = opened.at(-1)
  if (server === undefined) throw new Error('nothing was opened')
  return { client, ...server }
}

test('what is written arrives as events, at once and untouched by what stands between', async () => {
  const { client, stream, request } = await open({ 'last-event-id': '5.1' }, '?what=all')
  stream.write(eventFrame('tick', '{"n":1}', '6.1') + eventFrame('tick', '{"n":2}'))
  await client.next(({ data }) => data['n'] === 2)
  expect(client.events).toEqual([
    { event: 'tick', id: '6.1', data: { n: 1 } },
    { event: 'tick', id: undefined, data: { n: 2 } },
  ])
  expect([client.status, request.lastEventId, request.query]).toEqual([200, '5.1', { what: 'all' }])
  expect(client.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  })
  expect(client.headers['content-encoding']).toBeUndefined()
  client.cut()
})

test('until it begins, everything is refused like any request', async () => {
  const refusal = async (path: string, headers: Record<string, string>) => {
    const answer = await app.inject({ url: `/api/v1/ticks${path}`, headers })
    return [answer.statusCode, answer.json().code]
  }
  expect(await refusal('', {})).toEqual([401, 'not_authenticated'])
  expect(await refusal('', { authorization: 'Bearer eve' })).toEqual([401, 'not_authenticated'])
  expect(await refusal('?what=none', { authorization: 'Bearer ann' })).toEqual([400, 'invalid_request'])
  expect(await refusal('?x=1', { authorization: 'Bearer ann' })).toEqual([400, 'invalid_request'])
})

test('a client that leaves is known to have left, and what is written then goes nowhere', async () => {
  const { client, stream } = await open()
  const left = new Promise((resolve) => stream.onEnd(resolve))
  client.cut()
  expect(await left).toBe('client')
  stream.write(eventFrame('tick', '{"n":1}'))
  stream.end(1)
  expect([stream.ended, stream.isBehind]).toEqual(['client', false])
})

test('a client that does not take what it is sent is cut off within the limit, and no other notices', async () => {
  const slow = await open()
  const other = await open()
  slow.client.stall()
  const why = new Promise((resolve) => slow.stream.onEnd(resolve))
  const frame = eventFrame('tick', JSON.stringify({ n: 1, pad: 'x'.repeat(16_000) }))
  let written = 0
  while (slow.stream.ended === null && written < 1_000) {
    slow.stream.write(frame)
    written += 1
    await sleep(0)
  }
  expect(await why).toBe('slow')
  // Beside our limit there is only what the two systems' own buffers take.
  expect(written * frame.length).toBeGreaterThan(UNTAKEN_BYTES_MAX)
  expect(written).toBeLessThan(1_000)
  other.stream.write(eventFrame('tick', '{"n":7}'))
  expect((await other.client.next(() => true)).data).toEqual({ n: 7 })
  other.client.cut()
})

test('a silent stream is kept alive by comments, and who takes none of them is cut off', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const { client, stream } = await open()
  vi.advanceTimersByTime(HEARTBEAT_SECONDS * 1000)
  await expect.poll(() => client.text()).toBe(':\n\n')
  client.stall()
  while (!stream.isBehind) {
    stream.write(eventFrame('tick', 'x'.repeat(60_000)))
    await sleep(1)
  }
  vi.advanceTimersByTime(3 * HEARTBEAT_SECONDS * 1000)
  expect(stream.ended).toBe('slow')
})

test('an ended stream says when to come back, and lets the server close', async () => {
  const { client, stream } = await open()
  stream.end(1_234.5)
  await client.ended()
  expect([client.text(), stream.ended]).toEqual(['retry: 1235\n\n', 'server'])
})

test('the same credentials can be judged again while it lasts, which is no request of theirs', async () => {
  askings.length = 0
  const { client, request } = await open()
  expect(await request.stillAllowed()).toBe(true)
  expect(askings).toEqual(['request', 'listening'])
  signedIn.clear()
  expect(await request.stillAllowed()).toBe(false)
  signedIn.add('Bearer ann')
  client.cut()
})

test('the document says what each event is, and how to go on', () => {
  const document = openApiDocument(routes, '1', 'kantor') as {
    paths: Record<string, { get: { parameters: { name: string }[]; responses: Record<string, unknown> } }>
  }
  const operation = document.paths['/api/v1/ticks']?.get
  expect(operation?.parameters.map(({ name }) => name)).toEqual(['what', 'Last-Event-ID'])
  expect(operation?.responses).toMatchObject({
    200: {
      content: { 'text/event-stream': { schema: { oneOf: [{ properties: { event: { const: 'tick' } } }] } } },
    },
    429: {},
  })
  expect(routes.flatMap(problemsOf)).toContain('too_many_streams')
})

test('how long a stream was held is not counted as time to answer', async () => {
  const { client, stream } = await open()
  stream.end(1)
  await client.ended()
  const { text } = await metrics.text()
  expect(text).not.toContain('route="/api/v1/ticks",status="200"')
})
