import { randomUUID } from 'node:crypto'

export interface Reply<Body> {
  readonly status: number
  readonly body: Body
}

/** What the API refuses with, as far as tests read it. */
export interface Refusal {
  readonly code: string
  readonly ageSeconds?: number
  readonly rateAsOf?: string
}

/** Somebody with a session of their own, who speaks to the API over HTTP. */
export interface Person {
  readonly handle: string
  get<Body>(path: string): Promise<Reply<Body>>
  /** Each call is another intent. */
  post<Body>(path: string, body: unknown): Promise<Reply<Body>>
}

const TIMEOUT_MS = 15_000

export async function signUp(address: string, handle: string, baseCurrency: string): Promise<Person> {
  const answer = await fetch(`${address}/api/v1/auth/sign-up`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      email: `${handle}@example.com`,
      password: 'corvid-lantern-mosaic-77',
      name: `${handle} of the test`,
      handle,
      baseCurrency,
    }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (answer.status !== 201) throw new Error(`sign-up answered ${answer.status}: ${await answer.text()}`)
  const cookie = answer.headers.getSetCookie().map((line) => line.split(';', 1)[0])
  return personWith(address, handle, cookie.join('; '))
}

function personWith(address: string, handle: string, cookie: string): Person {
  const ask = async <Body>(path: string, init: RequestInit): Promise<Reply<Body>> => {
    const answer = await fetch(`${address}/api/v1${path}`, {
      ...init,
      headers: { cookie, ...init.headers },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    return { status: answer.status, body: (await answer.json()) as Body }
  }
  return {
    handle,
    get: (path) => ask(path, {}),
    post: (path, body) =>
      ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
        body: JSON.stringify(body),
      }),
  }
}
