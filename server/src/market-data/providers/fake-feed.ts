import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'

export interface FakeAnswer {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly body?: string
  /** Writes the answer itself: for bodies that never end, or come late. */
  readonly write?: (response: ServerResponse) => void
}

export interface FakeFeed {
  readonly url: string
  /** What was asked, in order: path with query, and headers. */
  readonly asked: { path: string; headers: IncomingMessage['headers'] }[]
  answer: (path: string) => FakeAnswer
}

/** A provider on a port of its own, for tests: it says whatever `answer` says, and remembers what it was asked. */
export async function fakeFeed(
  answer: (path: string) => FakeAnswer = () => ({ status: 500 }),
): Promise<FakeFeed> {
  const asked: FakeFeed['asked'] = []
  const server = createServer((request, response) => {
    asked.push({ path: request.url ?? '', headers: request.headers })
    const { status = 200, headers = {}, body = '', write } = feed.answer(request.url ?? '')
    response.on('error', () => {})
    response.writeHead(status, headers)
    if (write === undefined) response.end(body)
    else write(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const feed: FakeFeed = { url: `http://127.0.0.1:${port}`, asked, answer }
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return feed
}
