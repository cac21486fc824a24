import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, codeOf, type Answer } from './ask.ts'
import type { Balancer } from './balancer.ts'

export interface Customer {
  readonly handle: string
  readonly cookie: string
}

const ATTEMPTS_MAX = 500
const PAUSE_MS = 500

/**
 * Signs up as a browser does that gets no answer: again, and when the e-mail is taken by then, it was our own first
 * try, and signing in tells.
 */
export async function signUp(balancer: Balancer, handle: string): Promise<Customer> {
  const credentials = {
    email: `${handle}@drill.example`,
    password: `Drill ${randomBytes(9).toString('base64url')}`,
  }
  const profile = {
    name: `Drill ${handle}`,
    handle,
    baseCurrency: 'EUR',
    currencies: ['EUR', 'USD', 'PLN', 'JPY'],
  }
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const up = await ask(balancer.next(), {
      method: 'POST',
      path: '/auth/sign-up',
      body: { ...credentials, ...profile },
    })
    if (up?.status === 201) return { handle, cookie: cookieOf(up) }
    if (up !== null && codeOf(up) === 'email_taken')
      return { handle, cookie: await signIn(balancer, credentials) }
    if (up !== null && up.status < 500 && up.status !== 429)
      throw new Error(`${handle} could not sign up: ${up.status} ${codeOf(up)}`)
    await sleep(PAUSE_MS)
  }
  throw new Error(`${handle} got no answer to ${ATTEMPTS_MAX} sign-ups`)
}

export async function signIn(
  balancer: Balancer,
  credentials: { readonly email: string; readonly password: string },
): Promise<string> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const answer = await ask(balancer.next(), { method: 'POST', path: '/auth/sign-in', body: credentials })
    if (answer?.status === 200) return cookieOf(answer)
    if (answer !== null && answer.status < 500 && answer.status !== 429)
      throw new Error(`${credentials.email} could not sign in: ${answer.status} ${codeOf(answer)}`)
    await sleep(PAUSE_MS)
  }
  throw new Error(`${credentials.email} got no answer to ${ATTEMPTS_MAX} sign-ins`)
}

/** Name and value of the session's cookie, as the next request bears it. */
export function cookieOf({ headers }: Answer): string {
  const cookies = headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '')
  return cookies.join('; ')
}
