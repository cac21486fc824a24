import { randomUUID } from 'node:crypto'
import { Problem } from '@kantor/contract/errors'
import type { Log, RequestMetrics } from '#telemetry'
import fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { takeJsonOnly } from './json-body.ts'
import { API_PREFIX, allowedMethods, mountRoutes, urlOf } from './mount.ts'
import type { Authenticate } from './mount.ts'
import { PROBLEM_MEDIA_TYPE, problemBody, toProblem } from './problem-reply.ts'
import { isStream } from './route.ts'
import type { Route } from './route.ts'
import { securityHeaders } from './security-headers.ts'

const BODY_BYTES_MAX = 65_536
const HEADER_BYTES_MAX = 16_384
const REQUEST_TIMEOUT_MS = 15_000
const CONNECTION_TIMEOUT_MS = 60_000
/** Longer than a load balancer's (GKE: 600 s), so that it is the balancer that closes idle connections. */
const KEEP_ALIVE_TIMEOUT_MS = 620_000
const CONNECTIONS_MAX = 10_000
/** How long a server that closes waits for what has begun. Node looks for late requests no more once it closes. */
const CLOSE_GRACE_MS = 8_000
const URL_PARAMETER_LENGTH_MAX = 120

export interface HttpServerOptions {
  readonly routes: readonly Route[]
  readonly authenticate: Authenticate
  readonly publicUrl: URL
  /** Addresses or ranges of the proxies whose X-Forwarded-For is believed; none by default. */
  readonly trustedProxies: readonly string[]
  readonly log: Log
  readonly metrics: RequestMetrics
  /** What an error of a room that http does not know is to the client; null leaves it to `toProblem`. */
  readonly problemOf: (thrown: unknown) => Problem | null
  /** How long a server that closes waits for requests that have begun. Default 8,000. */
  readonly closeGraceMs?: number
}

function onBadConnection(error: Error & { code?: string }, socket: import('node:net').Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const code =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'headers_too_large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'request_timeout'
        : 'invalid_request'
  const problem = new Problem(code)
  const body = JSON.stringify(problemBody(problem, randomUUID()))
  socket.end(
    `HTTP/1.1 ${problem.status} ${code}\r\ncontent-type: ${PROBLEM_MEDIA_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function createFastify(options: HttpServerOptions): FastifyInstance {
  return fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    routerOptions: { maxParamLength: URL_PARAMETER_LENGTH_MAX, ignoreTrailingSlash: false },
    http: { maxHeaderSize: HEADER_BYTES_MAX },
    genReqId: () => randomUUID(),
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    forceCloseConnections: 'idle',
    // Fastify would answer what arrives meanwhile with a 503 of its own, which is no problem of our catalogue.
    return503OnClosing: false,
    clientErrorHandler: onBadConnection,
    // An address that cannot be read is refused before any route or hook, and would be in Fastify's own words.
    frameworkErrors: (error, request, reply) => {
      void reply.headers(securityHeaders(options.publicUrl)).header('x-request-id', request.id)
      void sendProblem(toProblem(error), request, reply)
    },
  })
}

function sendProblem(
  problem: Problem,
  request: Pick<FastifyRequest, 'id'>,
  reply: Pick<FastifyReply, 'header' | 'code'>,
) {
  if (problem.options.retryAfterSeconds !== undefined) {
    void reply.header('retry-after', String(Math.ceil(problem.options.retryAfterSeconds)))
  }
  if (problem.code === 'not_authenticated') void reply.header('www-authenticate', 'Bearer')
  return reply
    .code(problem.status)
    .type(PROBLEM_MEDIA_TYPE)
    .send(JSON.stringify(problemBody(problem, request.id)))
}

/**
 * Fastify ends the connections that are idle when it closes, and waits for the others. Those that are kept alive end
 * with the answer that is on its way, and whoever never finishes asking or taking is cut off: without that, closing
 * lasts for as long as a balancer keeps its connections.
 */
function endWithinGrace(app: FastifyInstance, graceMs: number): void {
  let closing = false
  app.addHook('onSend', async (_request, reply, payload) => {
    if (closing) void reply.header('connection', 'close')
    return payload
  })
  app.addHook('preClose', async () => {
    closing = true
    // A server that never listened does not say that it has closed.
    const late = setTimeout(() => app.server.closeAllConnections(), graceMs).unref()
    app.server.once('close', () => clearTimeout(late))
  })
}

/** Fastify, hardened as in security.md, with our problem replies, metrics and routes. It knows no room. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { log, metrics } = options
  const app = createFastify(options)
  app.server.maxConnections = CONNECTIONS_MAX
  endWithinGrace(app, options.closeGraceMs ?? CLOSE_GRACE_MS)
  takeJsonOnly(app)

  const headers = securityHeaders(options.publicUrl)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers)
    void reply.header('x-request-id', request.id)
    if (request.url.startsWith(API_PREFIX)) void reply.header('cache-control', 'no-store')
  })
  const streams = new Set(options.routes.filter(isStream).map(urlOf))
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unmatched'
    // How long a stream was held is no time to answer.
    if (reply.statusCode === 200 && streams.has(route)) return
    metrics.observe(request.method, route, reply.statusCode, reply.elapsedTime)
    const line = {
      requestId: request.id,
      method: request.method,
      route,
      status: reply.statusCode,
      durationMs: reply.elapsedTime,
    }
    if (reply.statusCode >= 500) log.warn(line, 'request failed')
    else log.debug(line, 'request')
  })
  app.setErrorHandler((thrown, request, reply) => {
    const problem = options.problemOf(thrown) ?? toProblem(thrown)
    if (problem.status >= 500) {
      log.error(
        { requestId: request.id, code: problem.code, err: problem.cause ?? problem },
        'request not answered as asked',
      )
    }
    return sendProblem(problem, request, reply)
  })

  const methodsAt = allowedMethods(options.routes)
  app.setNotFoundHandler((request, reply) => {
    const methods = methodsAt(request.url.split('?', 1)[0] ?? '')
    if (methods.length === 0) throw new Problem('not_found')
    void reply.header('allow', methods.join(', '))
    throw new Problem('method_not_allowed')
  })
  mountRoutes(app, options.routes, {
    authenticate: options.authenticate,
    publicOrigin: options.publicUrl.origin,
  })
  return app
}
