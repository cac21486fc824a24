import { ApiError } from './api-error.ts'
import type {
  ItemOf,
  ListPath,
  ListQuery,
  Method,
  Operation,
  OptionsOf,
  PathsOf,
  Reply,
  StreamEvent,
  StreamQuery,
} from './api-types.ts'
import { isKeyed } from './keyed-posts.ts'
import { eachOf } from './pages.ts'
import { createSendOnce } from './request.ts'
import type { LooseOptions } from './request.ts'
import { withRetries } from './retry.ts'
import { settingsOf } from './settings.ts'
import type { ClientOptions } from './settings.ts'
import { openStream } from './stream.ts'

type Call<M extends Method> = <Path extends PathsOf<M>>(
  path: Path,
  ...options: OptionsOf<Operation<Path, M>>
) => Promise<Reply<Operation<Path, M>>>

export interface Client {
  readonly get: Call<'get'>
  /** Money moves once: with its key it is sent again until the server has said yes or no, or the tries are used up. */
  readonly post: Call<'post'>
  readonly patch: Call<'patch'>
  readonly delete: Call<'delete'>
  /** Every item of a list, page after page, asked for as they are used. */
  each<Path extends ListPath>(
    path: Path,
    query?: ListQuery<Path>,
    signal?: AbortSignal,
  ): AsyncGenerator<ItemOf<Path>, void>
  /** Every operation that fits, newest first. */
  operations(
    query?: ListQuery<'/operations'>,
    signal?: AbortSignal,
  ): AsyncGenerator<ItemOf<'/operations'>, void>
  /** Every order that fits, newest first. */
  orders(query?: ListQuery<'/orders'>, signal?: AbortSignal): AsyncGenerator<ItemOf<'/orders'>, void>
  /**
   * What happens in the wallet, and the prices and rates named, as it happens. Goes on without loss when the
   * connection is lost, for as long as it is iterated over and the signal does not end it.
   */
  stream(
    query?: StreamQuery,
    options?: { readonly signal?: AbortSignal; readonly after?: string },
  ): AsyncGenerator<StreamEvent, void>
}

/** A client of one Kantor, for one person: by API key, or in a page by the session that the browser has. */
export function createClient(options: ClientOptions = {}): Client {
  const settings = settingsOf(options)
  const sendOnce = createSendOnce(settings)

  async function send(method: Method, path: string, how: LooseOptions = {}): Promise<unknown> {
    const keyed = isKeyed(method, path)
    const headers: Record<string, string> = keyed
      ? { 'idempotency-key': how.idempotencyKey ?? settings.newKey() }
      : {}
    const of = { repeatable: method === 'get' || keyed, signal: how.signal }
    try {
      return await withRetries(settings.retry, of, () => sendOnce(method, path, how, headers))
    } catch (error) {
      if (error instanceof ApiError) settings.onRefusal(error)
      throw error
    }
  }

  const each = (path: string, query: object = {}, signal?: AbortSignal) =>
    eachOf((cursor) => {
      const page = { query: { ...query, cursor }, ...(signal === undefined ? {} : { signal }) }
      return send('get', path, page)
    })

  // Typed from outside by the OpenAPI document: what the server sends is parsed by the very schemas that the document
  // is made from, and refuses to be anything else.
  const client = {
    get: (path: string, how?: LooseOptions) => send('get', path, how),
    post: (path: string, how?: LooseOptions) => send('post', path, how),
    patch: (path: string, how?: LooseOptions) => send('patch', path, how),
    delete: (path: string, how?: LooseOptions) => send('delete', path, how),
    each,
    operations: (query?: object, signal?: AbortSignal) => each('/operations', query, signal),
    orders: (query?: object, signal?: AbortSignal) => each('/orders', query, signal),
    stream: (query?: object, how?: { signal?: AbortSignal; after?: string }) =>
      openStream(settings, query, how),
  }
  return client as unknown as Client
}
