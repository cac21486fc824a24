/** For this room's tests: the room behind a real server and database, a clock that stands still, and browsers. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { Me } from '@kantor/contract/api'
import type { Tx } from '#db'
import { createHttpServer } from '#http'
import type { Asking, Authenticate } from '#http'
import { createMetrics } from '#telemetry'
import { fakeClock } from '#test/fake-clock'
import type { FakeClock } from '#test/fake-clock'
import { testDatabase } from '#test/harness'
import type { TestDatabase } from '#test/harness'
import { pino } from 'pino'
import { afterAll } from 'vitest'
import { createIdentity } from './identity.ts'
import { createPasswordHasher } from './password-hasher.ts'
import type { PasswordHasher } from './password-hasher.ts'
import type { Identity, IdentityConfig, NewDeviceSignIn, SignedUpCustomer } from './types.ts'

export const GOOD_PASSWORD = 'marmalade-walrus-19-orbit'

export const TEST_CONFIG: IdentityConfig = {
  https: false,
  rateLimits: true,
  sessionIdleSeconds: 3 * 24 * 3600,
  sessionLifeSeconds: 30 * 24 * 3600,
}

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown> & { readonly code?: string; readonly errors?: unknown }
  readonly headers: Record<string, unknown>
}

interface Ask {
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/** A browser: keeps the cookies that it is given, and has an address. */
export interface Browser {
  readonly cookies: Map<string, string>
  ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, how?: Ask): Promise<Answer>
}

export interface IdentityFixture extends TestDatabase {
  readonly identity: Identity
  readonly clock: FakeClock
  /** What the wallet room was told, in the transaction. */
  readonly opened: { customer: SignedUpCustomer; currencies: readonly string[] }[]
  /** Sign-ins from browsers that their customers had not used before. */
  readonly newDevices: NewDeviceSignIn[]
  readonly hashing: { hash: number; verify: number }
  browser(ip?: string): Browser
  /** A browser that has just signed up, as `handle` with the e-mail `<handle>@example.com`. */
  signedUp(handle: string, browser?: Browser): Promise<{ browser: Browser; me: Me }>
}

export interface FixtureOptions {
  readonly config?: Partial<IdentityConfig>
  readonly hasher?: PasswordHasher
  readonly onSignedUp?: (tx: Tx, customer: SignedUpCustomer) => Promise<void>
}

export const signUpBody = (handle: string, more: Record<string, unknown> = {}) => ({
  email: `${handle}@example.com`,
  password: GOOD_PASSWORD,
  name: 'Edward Kowalski',
  handle,
  baseCurrency: 'EUR',
  ...more,
})

export async function identityFixture(options: FixtureOptions = {}): Promise<IdentityFixture> {
  const database = await testDatabase()
  const clock = fakeClock()
  const opened: IdentityFixture['opened'] = []
  const newDevices: IdentityFixture['newDevices'] = []
  const hashing = { hash: 0, verify: 0 }
  const identity = createIdentity({
    db: database.db,
    clock: clock.now,
    newId: () => randomUUID(),
    randomBytes,
    hasher: counting(options.hasher ?? createPasswordHasher(), hashing),
    config: { ...TEST_CONFIG, ...options.config },
    onNewDevice: async (_tx, signedIn) => void newDevices.push(signedIn),
    onSignedUp: async (tx, customer, currencies) => {
      await options.onSignedUp?.(tx, customer)
      opened.push({ customer, currencies })
    },
  })
  const app = serve(identity)
  afterAll(async () => {
    await app.close()
    await identity.close()
  })
  const browser = (ip = '198.51.100.7') => openBrowser(app, ip)
  return {
    ...database,
    identity,
    clock,
    opened,
    newDevices,
    hashing,
    browser,
    signedUp: async (handle, by = browser()) => {
      const { status, body } = await by.ask('POST', '/auth/sign-up', { body: signUpBody(handle) })
      if (status !== 201) throw new Error(`sign-up answered ${status}: ${JSON.stringify(body)}`)
      return { browser: by, me: body as unknown as Me }
    },
  }
}

function counting(hasher: PasswordHasher, counts: { hash: number; verify: number }): PasswordHasher {
  return {
    ...hasher,
    hash: (password) => ((counts.hash += 1), hasher.hash(password)),
    verify: (password, passwordHash) => ((counts.verify += 1), hasher.verify(password, passwordHash)),
  }
}

function serve(identity: Identity) {
  return createHttpServer({
    routes: identity.routes,
    authenticate: identity.authenticate,
    publicUrl: new URL('http://127.0.0.1:8080'),
    trustedProxies: [],
    log: pino({ level: 'silent' }),
    metrics: createMetrics(),
    problemOf: () => null,
  })
}

function openBrowser(app: ReturnType<typeof serve>, ip: string): Browser {
  const cookies = new Map<string, string>()
  return {
    cookies,
    ask: async (method, path, { body, headers = {} } = {}) => {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const reply = await app.inject({
        method,
        url: `/api/v1${path}`,
        remoteAddress: ip,
        headers: { 'user-agent': 'test', ...(cookie === '' ? {} : { cookie }), ...headers },
        ...(body === undefined ? {} : { payload: body as object }),
      })
      for (const { name, value, maxAge } of reply.cookies) {
        if (maxAge === 0) cookies.delete(name)
        else cookies.set(name, value)
      }
      return {
        status: reply.statusCode,
        body: reply.body === '' ? {} : reply.json<Answer['body']>(),
        headers: reply.headers,
      }
    },
  }
}

/** Asks an authenticator as the http room would: null is anonymous, otherwise who it is or the refusal's code. */
export async function whoIs(
  authenticate: Authenticate,
  given: { cookies?: Record<string, string>; authorization?: string },
  asking?: Asking,
): Promise<string | null> {
  const credentials = {
    authorization: given.authorization,
    cookies: given.cookies ?? {},
    client: { ip: '198.51.100.7', userAgent: 'test' },
  }
  try {
    const principal = await authenticate(credentials, asking)
    return principal === null ? null : principal.customerId
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code)
    throw error
  }
}
