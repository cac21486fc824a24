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
  patch<Body>(path: string, body: unknown): Promise<Reply<Body>>
}

const TIMEOUT_MS = 60_000

const PASSWORD = 'corvid-lantern-mosaic-77'

export function signUp(address: string, handle: string, baseCurrency: string): Promise<Person> {
  const name = `${handle} of the test`
  return begin(address, handle, 'sign-up', { name, handle, baseCurrency })
}

/** Once more, when so much time has passed that the session has ended. */
export function signIn(address: string, handle: string): Promise<Person> {
  return begin(address, handle, 'sign-in', {})
}

async function begin(
  address: string,
  handle: string,
  how: 'sign-up' | 'sign-in',
  more: Readonly<Record<string, string>>,
): Promise<Person> {
  const answer = await fetch(`${address}/api/v1/auth/${how}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: `${handle}@example.com`, password: PASSWORD, ...more }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (!answer.ok) throw new Error(`${how} answered ${answer.status}: ${await answer.text()}`)
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
  const send = <Body>(method: 'POST' | 'PATCH', path: string, body: unknown) =>
    ask<Body>(path, {
      method,
      headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: JSON.stringify(body),
    })
  return {
    handle,
    get: (path) => ask(path, {}),
    post: (path, body) => send('POST', path, body),
    patch: (path, body) => send('PATCH', path, body),
  }
}
