import { Problem } from '@kantor/contract/errors'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { beginEventStream } from './event-stream.ts'
import { fieldErrors } from './problem-reply.ts'
import { isStream } from './route.ts'
import type { Access, AnswerRoute, ClientInfo, Principal, Route, StreamRoute } from './route.ts'
import { isSameOrigin } from './same-origin.ts'

export const API_PREFIX = '/api/v1'

/** What a request offers as proof of who it is. */
export interface Credentials {
  readonly authorization: string | undefined
  readonly cookies: Readonly<Record<string, string | undefined>>
  readonly client: ClientInfo
}

/**
 * Why it is asked who somebody is: they make a request, which is a use of their session or key; or they only go on
 * listening, which is none: a tab that is left open must still go idle.
 */
export type Asking = 'request' | 'listening'

/** Null when nothing was offered; throws `not_authenticated` when what was offered is not valid. */
export type Authenticate = (credentials: Credentials, asking?: Asking) => Promise<Principal | null>

export interface MountOptions {
  readonly authenticate: Authenticate
  readonly publicOrigin: string
}

const MOVES_VALUE: ReadonlySet<Access> = new Set(['trade', 'transfer'])

/** Refuses unless this principal may call a route of this access. */
export function authorize(access: Access, principal: Principal | null): void {
  if (access === 'public') return
  if (principal === null) throw new Problem('not_authenticated')
  if (access === 'session' || access === 'support' || access === 'admin') {
    if (principal.via !== 'session') throw new Problem('session_required')
    if (access === 'admin' && principal.role !== 'admin') throw new Problem('forbidden')
    if (access === 'support' && principal.role === 'customer') throw new Problem('forbidden')
    return
  }
  if (principal.via === 'apiKey' && !principal.scopes.has(access)) throw new Problem('insufficient_scope')
  if (principal.frozen && MOVES_VALUE.has(access)) throw new Problem('account_frozen')
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/

function idempotencyKeyOf(request: FastifyRequest): string {
  const key = request.headers['idempotency-key']
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)) throw new Problem('idempotency_key_required')
  return key
}

function parsePart(part: 'body' | 'query' | 'params', schema: Route['body'], value: unknown): unknown {
  if (schema === undefined) {
    const given = typeof value === 'object' && value !== null ? Object.keys(value) : []
    if (given.length === 0 && (value === null || value === undefined || typeof value === 'object'))
      return undefined
    const errors = given
      .slice(0, 20)
      .map((path) => ({ path: part === 'body' ? path : `${part}.${path}`, message: 'is not a known field' }))
    throw new Problem('invalid_request', errors.length > 0 ? { errors } : {})
  }
  const result = schema.safeParse(value)
  if (!result.success) throw new Problem('invalid_request', { errors: fieldErrors(part, result.error) })
  return result.data
}

function readCookies(header: string | undefined): Record<string, string> {
  const cookies: Record<string, string> = {}
  for (const pair of (header ?? '').split(';').slice(0, 50)) {
    const at = pair.indexOf('=')
    // The first of a name wins, so that a cookie set later for a wider path cannot shadow it.
    const name = pair.slice(0, at).trim()
    if (at > 0 && !Object.hasOwn(cookies, name)) cookies[name] = pair.slice(at + 1).trim()
  }
  return cookies
}

/** `/operations/{id}` in Fastify's words: `/operations/:id`. */
export const urlOf = ({ path }: Pick<Route, 'path'>) => API_PREFIX + path.replace(/\{(\w+)\}/g, ':$1')

/** Who asks for what, once they may: everything that comes before a handler. */
async function admit(request: FastifyRequest, route: Route, options: MountOptions) {
  if (route.method !== 'GET' && !isSameOrigin(request.headers, options.publicOrigin)) {
    throw new Problem('origin_refused')
  }
  const client = { ip: request.ip, userAgent: request.headers['user-agent'] ?? '' }
  const cookies = readCookies(request.headers.cookie)
  const credentials = { authorization: request.headers.authorization, cookies, client }
  const judge = async (asking: Asking) => {
    const principal = route.access === 'public' ? null : await options.authenticate(credentials, asking)
    authorize(route.access, principal)
    return principal
  }
  return {
    // `authorize` has refused an absent principal for every access but `public`.
    principal: (await judge('request')) as Principal,
    params: parsePart('params', route.params, request.params) as undefined,
    query: parsePart('query', route.query, request.query) as undefined,
    body: parsePart('body', route.body, request.body) as undefined,
    idempotencyKey: (route.idempotent ? idempotencyKeyOf(request) : undefined) as undefined,
    client,
    cookies,
    requestId: request.id,
    stillAllowed: () =>
      judge('listening').then(
        () => true,
        (error: unknown) => {
          // Being too busy to look it up says nothing of who asks.
          if (error instanceof Problem && error.status < 500) return false
          throw error
        },
      ),
  }
}

async function answerOnce(
  request: FastifyRequest,
  reply: FastifyReply,
  route: AnswerRoute,
  options: MountOptions,
) {
  const answer = await route.handle(await admit(request, route, options))
  for (const [name, value] of Object.entries(answer.headers ?? {})) void reply.header(name, value)
  if (answer.replayed === true) void reply.header('idempotency-replayed', 'true')
  if (route.reply === undefined) return reply.code(204).send()
  const body = JSON.stringify(route.reply.parse('body' in answer ? answer.body : undefined))
  return reply
    .code(route.status ?? 200)
    .type('application/json; charset=utf-8')
    .send(body)
}

async function answerWithEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  route: StreamRoute,
  options: MountOptions,
) {
  const admitted = await admit(request, route, options)
  const header = request.headers['last-event-id']
  const lastEventId = typeof header === 'string' ? header : undefined
  await route.open({ ...admitted, lastEventId }, () => beginEventStream(reply))
  return reply
}

function mountRoute(app: FastifyInstance, route: Route, options: MountOptions): void {
  app.route({
    method: route.method,
    url: urlOf(route),
    handler: (request, reply) =>
      isStream(route)
        ? answerWithEvents(request, reply, route, options)
        : answerOnce(request, reply, route, options),
  })
}

/** Mounts every route below `/api/v1`; a path and method that stands twice fails the start. */
export function mountRoutes(app: FastifyInstance, routes: readonly Route[], options: MountOptions): void {
  for (const route of routes) mountRoute(app, route, options)
}

/** The methods that some route answers at this path, to tell a wrong method from a wrong address. */
export function allowedMethods(routes: readonly Route[]): (path: string) => string[] {
  const patterns = routes.map((route) => ({
    method: route.method,
    pattern: new RegExp(`^${API_PREFIX}${route.path.replace(/\{\w+\}/g, '[^/]+')}$`),
  }))
  return (path) => patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)
}
