import createFetchClient from 'openapi-fetch'
import { ApiError, noAnswer, refusalOf } from './api-error.ts'
import type { Method } from './api-types.ts'
import type { Settings } from './settings.ts'

/** A call without its types: the same in every path. */
export interface LooseOptions {
  readonly path?: Record<string, unknown>
  readonly query?: Readonly<Record<string, unknown>> | undefined
  readonly body?: unknown
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal
}

/** Every path, to the transport: what goes in and comes out is typed by the client's own methods. */
type AnyPaths = Record<
  string,
  Record<
    Method,
    {
      parameters: { path?: Record<string, unknown>; query?: Record<string, unknown> }
      requestBody?: { content: { 'application/json': unknown } }
      responses: { 200: { content: { 'application/json': unknown } } }
    }
  >
>

export type SendOnce = (
  method: Method,
  path: string,
  options: LooseOptions,
  headers: Record<string, string>,
) => Promise<unknown>

/** One request, one answer or an ApiError; never a second try. */
export function createSendOnce(settings: Settings): SendOnce {
  const transport = createFetchClient<AnyPaths>({
    baseUrl: settings.root,
    // A page's own session, never another site's; and no answer of ours is a redirection.
    credentials: 'same-origin',
    redirect: 'error',
  })
  return async (method, path, options, headers) => {
    const late = AbortSignal.timeout(settings.timeoutSeconds * 1000)
    const signal = options.signal === undefined ? late : AbortSignal.any([late, options.signal])
    const send = (request: Request) =>
      settings.fetch(request).catch((cause: unknown) => {
        if (options.signal?.aborted === true) throw cause
        throw noAnswer(cause)
      })
    const { data, error, response } = await transport
      .request(method, path, {
        params: { path: options.path ?? {}, query: given(options.query) },
        ...(options.body === undefined ? {} : { body: options.body }),
        headers: { accept: 'application/json', ...settings.headers, ...headers },
        signal,
        fetch: send,
      })
      .catch((cause: unknown) => {
        if (cause instanceof ApiError || options.signal?.aborted === true) throw cause
        if (cause instanceof SyntaxError) throw new ApiError({ code: 'unreadable_answer', cause })
        throw noAnswer(cause)
      })
    if (!response.ok) throw refusalOf(response, error)
    return data
  }
}

/** Filters that are not set are left out, and empty ones, which are how a form says so. */
function given(query: LooseOptions['query'] = {}): Record<string, string> {
  const set = Object.entries(query).filter(
    ([, value]) => value !== undefined && value !== null && value !== '',
  )
  return Object.fromEntries(set.map(([name, value]) => [name, String(value)]))
}
