import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { recording } from './recordings.ts'

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

export interface Asked {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly apiKeyHeader: string | undefined
  readonly authorization: string | undefined
}

export interface ProviderServer {
  readonly url: string
  /** Every request so far, the oldest first. */
  readonly asked: readonly Asked[]
  close(): Promise<void>
}

/** A provider over HTTP on a port of its own, which gives what `answer` says. */
export async function serveProvider(answer: (asked: Asked) => Answer): Promise<ProviderServer> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const question = read(request)
    asked.push(question)
    give(response, request.method === 'GET' ? answer(question) : { status: 405, body: '' })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}`, asked, close }
}

function read({ url = '', headers }: IncomingMessage): Asked {
  const { pathname, searchParams } = new URL(url, 'http://provider')
  const apiKeyHeader = headers['apikey']
  return {
    path: pathname,
    query: Object.fromEntries(searchParams),
    apiKeyHeader: Array.isArray(apiKeyHeader) ? apiKeyHeader.join() : apiKeyHeader,
    authorization: headers.authorization,
  }
}

function give(response: ServerResponse, { status = 200, headers = {}, body }: Answer): void {
  // Whoever asked may hang up in the middle of a body that is too long for it.
  response.on('error', () => {})
  response.writeHead(status, headers)
  response.end(body)
}

const JSON_HEADERS = { 'content-type': 'application/json; Charset=UTF-8' }
/** A plan that allows a request an hour, said as the gateway says it; the free plan's hundred would not. */
const QUOTA_HEADERS = { 'x-ratelimit-limit-month': '10000', 'x-ratelimit-remaining-month': '9990' }

export function json(body: string | Buffer, status = 200): Answer {
  return { status, headers: { ...JSON_HEADERS, ...QUOTA_HEADERS }, body }
}

export const FIXER_KEY = 'a-key-of-the-recorded-plan'

/** Fixer on both of its hosts: who asks with the wrong key, or at the wrong address, gets what the real one said then. */
export function fixerAnswers(latest: () => Answer): (asked: Asked) => Answer {
  return ({ path, query, apiKeyHeader }) => {
    const [, host, endpoint] = /^\/(api|fixer)\/(latest|timeseries)$/.exec(path) ?? []
    if (host === undefined) return json('{"message":"no Route matched with those values"}', 404)
    if (host === 'fixer' && apiKeyHeader !== FIXER_KEY) return json(recording('fixer/apilayer-401.json'), 401)
    if (host === 'api' && query['access_key'] !== FIXER_KEY) {
      return json(recording('fixer/error-101-missing-key.http200.json'))
    }
    return endpoint === 'latest' ? latest() : json(recordedTimeseries())
  }
}

/** This recording holds the exchange as a whole; the provider's part of it is the body. */
function recordedTimeseries(): string {
  const { response } = JSON.parse(recording('fixer/timeseries.json').toString()) as {
    response: { body: unknown }
  }
  return JSON.stringify(response.body)
}

/** The folder of the European Central Bank; its history is the recorded one. */
export function ecbAnswers(daily: () => Answer): (asked: Asked) => Answer {
  return ({ path }) => {
    const [, file] = /^\/stats\/eurofxref\/eurofxref-(daily|hist-90d)\.xml$/.exec(path) ?? []
    if (file === undefined) return { status: 404, body: '' }
    const answer = file === 'daily' ? daily() : { body: recording('ecb/eurofxref-hist-90d.xml') }
    return { ...answer, headers: { 'content-type': 'text/xml' } }
  }
}
