import type { ErrorCode } from '@kantor/contract/errors'
import type { Scope } from '@kantor/contract/api'
import type { z } from 'zod'
import type { EventStream } from './event-stream.ts'

/** Who is asking. Made by the identity room's authenticator; `walletId` addresses all of the customer's accounts. */
export interface Principal {
  readonly customerId: string
  readonly walletId: bigint
  readonly role: 'customer' | 'support' | 'admin'
  readonly frozen: boolean
  readonly via: 'session' | 'apiKey'
  /** The session's id, or the API key's. */
  readonly credentialId: string
  readonly scopes: ReadonlySet<Scope>
}

/**
 * Who may call a route. A route cannot be made without one.
 * - `public`: anybody.
 * - `read`, `trade`, `transfer`: a customer's session, or an API key with that scope. `trade` and `transfer`
 *   move value, so they are refused to the frozen.
 * - `session`: a browser session only, since it changes who can get in.
 * - `support`, `admin`: a session with that role (an admin is also support).
 */
export type Access = 'public' | Scope | 'session' | 'support' | 'admin'

export interface ClientInfo {
  /** Remote address as the trusted proxies say it; never a header that anybody can write. */
  readonly ip: string
  readonly userAgent: string
}

type Schema = z.ZodType | undefined
type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined

export interface RouteRequest<
  A extends Access,
  Body extends Schema,
  Query extends Schema,
  Params extends Schema,
  Keyed,
> {
  readonly principal: A extends 'public' ? Principal | null : Principal
  readonly body: Parsed<Body>
  readonly query: Parsed<Query>
  readonly params: Parsed<Params>
  readonly idempotencyKey: Keyed extends true ? string : undefined
  readonly client: ClientInfo
  readonly requestId: string
  readonly cookies: Readonly<Record<string, string | undefined>>
}

export interface RouteReply<Body> {
  readonly body: Body
  /** A list sends the header once for each: `Set-Cookie` cannot be joined. */
  readonly headers?: Readonly<Record<string, string | string[]>>
  /** True when an idempotent request was answered before: sends `Idempotency-Replayed: true`. */
  readonly replayed?: boolean
}

export interface RouteDefinition<
  A extends Access,
  Body extends Schema,
  Query extends Schema,
  Params extends Schema,
  Reply extends Schema,
  Keyed extends boolean,
> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below `/api/v1`, in OpenAPI's form: `/operations/{id}`. */
  readonly path: string
  readonly access: A
  readonly summary: string
  /** The room, which groups routes in the API page. */
  readonly tag: string
  readonly body?: Body
  readonly query?: Query
  readonly params?: Params
  /** Absent: 204 without a body. */
  readonly reply?: Reply
  /** 200 unless said. */
  readonly status?: 200 | 201
  /** True for requests that move value: `Idempotency-Key` is then required and handed over. */
  readonly idempotent?: Keyed
  /** Codes this route adds to those that any route may answer. */
  readonly problems?: readonly ErrorCode[]
  readonly handle: (
    request: RouteRequest<A, Body, Query, Params, Keyed>,
  ) => Promise<Reply extends z.ZodType ? RouteReply<z.input<Reply>> : Omit<RouteReply<undefined>, 'body'>>
}

/** A route that answers once, with its own types folded away, as the server mounts it. */
export type AnswerRoute = RouteDefinition<Access, Schema, Schema, Schema, Schema, boolean>

export type StreamRequest<A extends Access, Query extends Schema> = RouteRequest<
  A,
  undefined,
  Query,
  undefined,
  false
> & {
  /** As a browser sends it when it connects again by itself. Text of anybody's: to be parsed. */
  readonly lastEventId: string | undefined
  /**
   * Judges the same credentials again, as a new request would be, but that it is no use of them: who only listens goes
   * idle. Throws only when it cannot be told.
   */
  readonly stillAllowed: () => Promise<boolean>
}

/**
 * A route that answers with server-sent events for as long as both sides like. `open` refuses with a Problem, like
 * any handler, until it calls `begin`; from then on the head is sent and only events can be said.
 */
export interface StreamDefinition<A extends Access, Query extends Schema> {
  readonly path: string
  readonly access: A
  readonly summary: string
  readonly tag: string
  readonly query?: Query
  /** By the name of the event, what its data is. */
  readonly events: Readonly<Record<string, z.ZodType>>
  readonly problems?: readonly ErrorCode[]
  readonly open: (request: StreamRequest<A, Query>, begin: () => EventStream) => Promise<void>
}

export type StreamRoute = Omit<StreamDefinition<Access, Schema>, 'open'> & {
  readonly method: 'GET'
  readonly params?: undefined
  readonly body?: undefined
  readonly idempotent?: false
  readonly open: (request: StreamRequest<Access, undefined>, begin: () => EventStream) => Promise<void>
}

export type Route = AnswerRoute | StreamRoute

export const isStream = (route: Route): route is StreamRoute => 'events' in route

/** Types a stream's route by its schemas. */
export function streamRoute<A extends Access, Query extends Schema = undefined>(
  definition: StreamDefinition<A, Query>,
): Route {
  return { ...definition, method: 'GET' } as unknown as StreamRoute
}

/** Types a route by its schemas: what the handler gets is what they parse, what it answers is what they accept. */
export function route<
  A extends Access,
  Reply extends Schema = undefined,
  Body extends Schema = undefined,
  Query extends Schema = undefined,
  Params extends Schema = undefined,
  Keyed extends boolean = false,
>(definition: RouteDefinition<A, Body, Query, Params, Reply, Keyed>): Route {
  return definition as unknown as Route
}
