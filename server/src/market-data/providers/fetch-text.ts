import { TextDecoder } from 'node:util'
import { ProviderError } from './rate-provider.ts'

export interface FetchTextOptions {
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  /** The caller's own wish to stop (shutdown, job time-out), besides the deadline. */
  readonly signal: AbortSignal
  readonly deadlineSeconds: number
  /** Counted after decompression, so that a small compressed answer cannot grow without bound. */
  readonly bodyBytesMax: number
}

export interface FetchedText {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

const REDIRECTS_MAX = 3

/**
 * One GET with a deadline for everything (connect, headers, body), a limit on the body that stops the transfer
 * when it is passed, and redirects followed only to the same host, since our key travels with the request.
 * Errors never carry the address: the old Fixer host wants its key in it.
 */
export async function fetchText(options: FetchTextOptions): Promise<FetchedText> {
  const deadline = AbortSignal.timeout(options.deadlineSeconds * 1000)
  const signal = AbortSignal.any([deadline, options.signal])
  try {
    const response = await follow(options, signal)
    return {
      status: response.status,
      headers: response.headers,
      text: await readText(response, options.bodyBytesMax),
    }
  } catch (error) {
    if (error instanceof ProviderError) throw error
    if (deadline.aborted) {
      throw new ProviderError(
        'transient',
        'timeout',
        `No full answer within ${options.deadlineSeconds} seconds.`,
      )
    }
    if (options.signal.aborted)
      throw new ProviderError('transient', 'stopped', 'The request was stopped on our side.')
    throw new ProviderError(
      'transient',
      'unreachable',
      `The provider could not be reached (${reasonOf(error)}).`,
    )
  }
}

async function follow(options: FetchTextOptions, signal: AbortSignal): Promise<Response> {
  let url = options.url
  for (let hops = 0; hops <= REDIRECTS_MAX; hops += 1) {
    const response = await fetch(url, {
      headers: { accept: '*/*', 'user-agent': 'kantor', ...options.headers },
      redirect: 'manual',
      signal,
    })
    const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null
    if (location === null) return response
    await response.body?.cancel()
    const next = URL.parse(location, url.href)
    if (next === null || next.host !== options.url.host || next.protocol !== options.url.protocol) {
      throw new ProviderError(
        'bad_answer',
        'redirect',
        'The provider redirects to another host; not followed.',
      )
    }
    url = next
  }
  throw new ProviderError('bad_answer', 'redirect', `More than ${REDIRECTS_MAX} redirects; not followed.`)
}

async function readText(response: Response, bodyBytesMax: number): Promise<string> {
  const tooLarge = () =>
    new ProviderError(
      'bad_answer',
      'body_too_large',
      `The answer is over the limit of ${bodyBytesMax} bytes.`,
    )
  if (Number(response.headers.get('content-length') ?? 0) > bodyBytesMax) {
    await response.body?.cancel()
    throw tooLarge()
  }
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let bytes = 0
  // Leaving the loop by a throw cancels the stream, and with it the transfer.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > bodyBytesMax) throw tooLarge()
    text += decoded(decoder, chunk)
  }
  return text + decoded(decoder)
}

/** Without a chunk: the end. */
function decoded(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined })
  } catch {
    throw new ProviderError('bad_answer', 'not_text', 'The answer is not UTF-8 text.')
  }
}

/** The system's error code (`ECONNREFUSED`) where there is one: messages may quote the address. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string')
    return cause.code
  return 'no further reason'
}

/** `Retry-After` in seconds, where it is given as a number; dates are rare and not worth their parser. */
export function retryAfterSeconds(headers: Headers): number | null {
  const text = headers.get('retry-after') ?? ''
  return /^[0-9]{1,6}$/.test(text) ? Number(text) : null
}
