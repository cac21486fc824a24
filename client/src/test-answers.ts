/** For this workspace's tests: a server that answers what it is told to, one answer after another. */
import { createClient } from './create-client.ts'
import type { Client } from './create-client.ts'
import type { ClientOptions } from './settings.ts'

export interface Answers {
  /** Answers, in order; where there is none left the connection is cut. */
  readonly next: ((request: Request) => Response | Promise<Response>)[]
  readonly asked: Request[]
  readonly kantor: Client
}

export function answering(options: ClientOptions = {}): Answers {
  const next: Answers['next'] = []
  const asked: Request[] = []
  let keys = 0
  const fetch = async (request: Request) => {
    asked.push(request)
    const answer = next.shift()
    if (answer === undefined) throw new TypeError('connection cut')
    return answer(request)
  }
  const kantor = createClient({
    baseUrl: 'http://kantor.test/',
    random: () => 0,
    newKey: () => `key-${++keys}`,
    fetch,
    ...options,
  })
  return { next, asked, kantor }
}

export const json =
  (body: unknown, status = 200) =>
  () =>
    Response.json(body, { status })

export const refusal =
  (status: number, code: string, headers: Record<string, string> = {}) =>
  () =>
    Response.json(
      {
        type: '',
        title: '',
        status,
        code,
        detail: `said ${code}`,
        errors: [{ path: 'amount', message: 'no' }],
        requestId: 'r1',
      },
      { status, headers },
    )
