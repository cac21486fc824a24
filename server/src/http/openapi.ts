import { ERRORS } from '@kantor/contract/errors'
import type { ErrorCode } from '@kantor/contract/errors'
import { problem } from '@kantor/contract/api'
import { z } from 'zod'
import { API_PREFIX } from './mount.ts'
import { PROBLEM_MEDIA_TYPE } from './problem-reply.ts'
import { isStream } from './route.ts'
import type { Access, Route, StreamRoute } from './route.ts'

type Json = { [key: string]: unknown }

const ACCESS_SAID: Readonly<Record<Access, string>> = {
  public: 'Anybody.',
  read: 'A signed-in customer, or an API key with scope `read`.',
  trade: 'A signed-in customer who is not frozen, or an API key with scope `trade`.',
  transfer: 'A signed-in customer who is not frozen, or an API key with scope `transfer`.',
  session: 'A signed-in customer; API keys may not.',
  support: 'A signed-in member of support, or an admin.',
  admin: 'A signed-in admin.',
}

const COMMON_CODES: readonly ErrorCode[] = [
  'invalid_request',
  'rate_limited',
  'internal_error',
  'unavailable',
]

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
  })
  return rest
}

function parametersOf(schema: z.ZodType | undefined, place: 'query' | 'path'): Json[] {
  if (schema === undefined) return []
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
    properties?: Json
    required?: string[]
  }
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }))
}

/** Every code the route can answer: its own, those of its access and shape, and the common ones. */
export function problemsOf(route: Route): ErrorCode[] {
  const codes = new Set<ErrorCode>([...COMMON_CODES, ...(route.problems ?? [])])
  if (route.access !== 'public') codes.add('not_authenticated')
  if (['read', 'trade', 'transfer'].includes(route.access)) codes.add('insufficient_scope')
  if (route.access === 'trade' || route.access === 'transfer') codes.add('account_frozen')
  if (['session', 'support', 'admin'].includes(route.access)) codes.add('session_required')
  if (route.access === 'support' || route.access === 'admin') codes.add('forbidden')
  if (route.params !== undefined) codes.add('not_found')
  if (route.body !== undefined) {
    for (const code of ['malformed_json', 'body_too_large', 'unsupported_media_type'] as const)
      codes.add(code)
  }
  if (route.method !== 'GET') codes.add('origin_refused')
  if (route.idempotent) {
    for (const code of [
      'idempotency_key_required',
      'idempotency_key_reused',
      'busy',
      'outcome_unknown',
    ] as const)
      codes.add(code)
  }
  return [...codes].toSorted()
}

function problemResponses(route: Route): Json {
  const byStatus = Map.groupBy(problemsOf(route), (code) => ERRORS[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}.`).join(' '),
        content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  )
}

/** What comes when it went well, by its status. */
function successOf(route: Route): Json {
  if (isStream(route)) return { 200: eventsOf(route) }
  if (route.reply === undefined) return { 204: { description: 'Done.' } }
  const content = { 'application/json': { schema: schemaOf(route.reply, 'output') } }
  return { [route.status ?? 200]: { description: 'Done.', content } }
}

/** OpenAPI 3.1 has no word for a sequence of events, so the schema is that of one, as it is parsed. */
function eventsOf({ events }: StreamRoute): Json {
  const oneOf = Object.entries(events).map(([event, data]) => ({
    type: 'object',
    properties: {
      event: { const: event },
      id: { type: 'string' },
      data: schemaOf(data, 'output'),
    },
    required: ['event', 'data'],
  }))
  return {
    description:
      'Server-sent events, one after another; the schema is that of each, `data` being JSON. Lines that begin with a colon keep the connection alive.',
    content: { 'text/event-stream': { schema: { oneOf } } },
  }
}

const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'The id of the last event that was seen: what came after it comes first.',
  schema: { type: 'string' },
}

function operationOf(route: Route): Json {
  const keyHeader = {
    name: 'Idempotency-Key',
    in: 'header',
    required: true,
    description:
      'Your name for this request. The same key with the same body answers the first answer again.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  }
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replace(/[^a-zA-Z0-9]+(.)?/g, (_all, next: string | undefined) => (next ?? '').toUpperCase())}`,
    summary: route.summary,
    description: `For: ${ACCESS_SAID[route.access]}`,
    tags: [route.tag],
    security:
      route.access === 'public'
        ? []
        : [
            { session: [] },
            ...(['read', 'trade', 'transfer'].includes(route.access) ? [{ apiKey: [route.access] }] : []),
          ],
    parameters: [
      ...parametersOf(route.params, 'path'),
      ...parametersOf(route.query, 'query'),
      ...(route.idempotent ? [keyHeader] : []),
      ...(isStream(route) ? [LAST_EVENT_ID] : []),
    ],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(route.body, 'input') } },
          },
        }),
    responses: {
      ...successOf(route),
      ...problemResponses(route),
    },
  }
}

/** With the catalogue's codes, for clients that decide by them; a later release may have more. */
function problemSchema(): Json {
  return schemaOf(problem.extend({ code: z.enum(Object.keys(ERRORS)) }), 'output')
}

/** The OpenAPI 3.1 document, made from the same schemas that validate. */
export function openApiDocument(routes: readonly Route[], version: string, cookieName: string): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const at = (paths[API_PREFIX + route.path] ??= {})
    at[route.method.toLowerCase()] = operationOf(route)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Kantor',
      version,
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'Amounts are decimal strings in major units; times are ISO 8601 in UTC; errors are RFC 9457 problems with our `code`; POSTs that move value need `Idempotency-Key`; lists are `{items, nextCursor}`.',
    },
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: problemSchema() },
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: cookieName },
        apiKey: { type: 'http', scheme: 'bearer' },
      },
    },
  }
}
