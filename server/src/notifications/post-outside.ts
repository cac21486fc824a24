import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { askNameServers } from './ask-name-servers.ts'
import { AddressRefused, askSystem, guardedLookup, isPublicAddress, refuseLiteral } from './public-address.ts'
import type { Resolve } from './public-address.ts'

/** What came of a request to a stranger's server: a status, or why there is none. */
export interface Posted {
  readonly status: number | null
  readonly failure: PostFailure | null
  readonly durationMs: number
  /** As text, at most `responseBytesMax` of it. */
  readonly responseBody: string
  /** Of `Retry-After`, when it is a number of seconds. */
  readonly retryAfterSeconds: number | null
}

export type PostFailure =
  'timeout' | 'address_refused' | 'name_not_found' | 'tls_failed' | 'connection_failed'

export interface OutsideOptions {
  /** For development: private addresses, any port, and http to loopback. */
  readonly allowPrivate: boolean
  /** For tests: what names lead to. */
  readonly resolve?: Resolve
  readonly timeoutMs?: number
}

/** Posts to an address that a customer gave. Never throws: what went wrong is in the answer. */
export type PostOutside = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
) => Promise<Posted>

const TIMEOUT_MS = 15_000
const RESPONSE_BYTES_MAX = 16_384
const PORTS: ReadonlySet<string> = new Set(['', '443', '8443'])
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** Why this address may not be called, as far as it shows in its text; null when it may. */
export function refusalOfUrl(
  address: string,
  { allowPrivate }: Pick<OutsideOptions, 'allowPrivate'>,
): string | null {
  const url = URL.parse(address)
  if (url === null) return 'must be an address such as https://example.com/kantor'
  const plainToLoopback = allowPrivate && url.protocol === 'http:' && LOOPBACK.test(url.hostname)
  if (url.protocol !== 'https:' && !plainToLoopback) return 'must begin with https://'
  if (url.username !== '' || url.password !== '') return 'must hold no user or password'
  if (url.hash !== '') return 'must have no fragment'
  if (!allowPrivate && !PORTS.has(url.port)) return 'must use port 443 or 8443'
  try {
    refuseLiteral(url.hostname, isAllowedBy(allowPrivate))
    return null
  } catch {
    return 'must be an address of the public internet'
  }
}

const isAllowedBy = (allowPrivate: boolean) => (allowPrivate ? () => true : isPublicAddress)

/** For development by the system, which knows the names of this machine and its network. */
const usualResolve = ({ allowPrivate }: OutsideOptions) => (allowPrivate ? askSystem : askNameServers())

export function createPostOutside(options: OutsideOptions): PostOutside {
  const lookup = guardedLookup(isAllowedBy(options.allowPrivate), options.resolve ?? usualResolve(options))
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  return async (address, headers, body) => {
    const startedAt = performance.now()
    const took = () => Math.round(performance.now() - startedAt)
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      if (refusalOfUrl(address, options) !== null) throw new AddressRefused(`${address} may not be called`)
      const response = await send(new URL(address), { headers, body, lookup, signal })
      return { ...response, failure: null, durationMs: took() }
    } catch (error) {
      const failure = signal.aborted ? 'timeout' : failureOf(error)
      return { status: null, failure, durationMs: took(), responseBody: '', retryAfterSeconds: null }
    }
  }
}

interface Outgoing {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
  readonly lookup: ReturnType<typeof guardedLookup>
  readonly signal: AbortSignal
}

type Answered = Pick<Posted, 'status' | 'responseBody' | 'retryAfterSeconds'>

/**
 * A socket of its own each time: one that is kept would have been judged for an earlier request. No redirects. Ends
 * with the signal whatever the other side does: one that never ended would hold its place among receivers for good.
 */
function send(url: URL, { headers, body, lookup, signal }: Outgoing): Promise<Answered> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' },
      agent: false,
      lookup,
      signal,
      maxHeaderSize: RESPONSE_BYTES_MAX,
    })
    outgoing.on('error', reject)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    // 101: nobody asked for another protocol. Without a listener node closes the connection and says nothing.
    outgoing.once('upgrade', ({ statusCode }, socket) => {
      socket.destroy()
      resolve({ status: statusCode ?? null, responseBody: '', retryAfterSeconds: null })
    })
    outgoing.once('response', (response) => {
      if (!isStatus(response.statusCode)) {
        response.destroy()
        reject(new Error(`${response.statusCode} is no status of HTTP`))
        return
      }
      readStart(response).then(
        (responseBody) =>
          resolve({
            status: response.statusCode ?? null,
            responseBody,
            retryAfterSeconds: secondsOf(response.headers['retry-after']),
          }),
        reject,
      )
    })
    outgoing.end(body)
  })
}

/** Node's client hands on any three digits; below 100 they mean nothing, and are not what an attempt can be noted with. */
const isStatus = (status: number | undefined) => status !== undefined && status >= 100 && status <= 999

/** What is beyond the bound is not read, and the connection is closed. */
async function readStart(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= RESPONSE_BYTES_MAX) break
  }
  response.destroy()
  return Buffer.concat(chunks).subarray(0, RESPONSE_BYTES_MAX).toString('utf8')
}

function secondsOf(retryAfter: string | undefined): number | null {
  return retryAfter !== undefined && /^[0-9]{1,6}$/.test(retryAfter) ? Number(retryAfter) : null
}

const NAME_CODES: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENODATA',
  'ESERVFAIL',
  'EREFUSED',
  'EBADNAME',
  'ETIMEOUT',
])

function failureOf(error: unknown): PostFailure {
  if (error instanceof AddressRefused) return 'address_refused'
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (NAME_CODES.has(code)) return 'name_not_found'
  return /CERT|TLS|SSL|SELF_SIGNED|ISSUER|EPROTO/.test(code) ? 'tls_failed' : 'connection_failed'
}
