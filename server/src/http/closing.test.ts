import { connect, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { createMetrics } from '#telemetry'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { route } from './route.ts'
import { createHttpServer } from './server.ts'

interface Closable {
  readonly app: FastifyInstance
  readonly socket: Socket
  /** The server's end of it. */
  readonly there: Socket
  /** All that the server has sent. */
  received(): string
  /** Resolves when the handler of `/slow` runs. */
  readonly begun: Promise<void>
  readonly answer: () => void
}

/** A server with one client connected to it. */
async function closable(closeGraceMs?: number): Promise<Closable> {
  const [begun, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const app = createHttpServer({
    routes: [
      route({
        method: 'GET',
        path: '/slow',
        access: 'public',
        summary: 'Answers when it is told to',
        tag: 'test',
        reply: z.strictObject({ ok: z.literal(true) }),
        handle: async () => {
          begun.resolve()
          await answered.promise
          return { body: { ok: true as const } }
        },
      }),
    ],
    authenticate: async () => null,
    publicUrl: new URL('http://127.0.0.1:8080'),
    trustedProxies: [],
    log: pino({ level: 'silent' }),
    metrics: createMetrics(),
    problemOf: () => null,
    ...(closeGraceMs === undefined ? {} : { closeGraceMs }),
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const arrived = once(app.server, 'connection')
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => (received += chunk.toString()))
  socket.on('error', () => {})
  const [there] = (await arrived) as [Socket]
  return { app, socket, there, received: () => received, begun: begun.promise, answer: answered.resolve }
}

const ended = (socket: Socket) => once(socket, 'close')

test('what is being answered is, and its connection is kept no longer, as a balancer would', async () => {
  const { app, socket, received, begun, answer } = await closable(600_000)
  socket.write('GET /api/v1/slow HTTP/1.1\r\nhost: x\r\n\r\n')
  await begun
  const closed = app.close()
  await expect.poll(() => app.server.listening).toBe(false)
  answer()
  await Promise.all([ended(socket), closed])
  expect(received()).toMatch(/^HTTP\/1\.1 200 /)
  expect(received().toLowerCase()).toContain('connection: close')
})

test('who never finishes asking does not keep the server from ending', async () => {
  const { app, socket, there } = await closable(300)
  socket.write('POST /api/v1/slow HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{')
  // Until the parser has seen the first line the connection counts as idle.
  await expect.poll(() => there.bytesRead).toBeGreaterThan(0)
  await Promise.all([ended(socket), app.close()])
})
