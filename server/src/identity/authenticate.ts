import { Problem } from '@kantor/contract/errors'
import type { Database } from '#db'
import type { Asking, Authenticate, Principal } from '#http'
import { createBatchLookup } from './batch-lookup.ts'
import { sessionCookies } from './cookies.ts'
import { liveApiKeys, liveSessions } from './credentials.ts'
import { isApiKey, isToken, tokenHash } from './tokens.ts'
import type { IdentityConfig, LiveCredential } from './types.ts'

export interface AuthenticatorDeps {
  readonly db: Database
  readonly clock: () => Date
  readonly config: Pick<IdentityConfig, 'https' | 'sessionIdleSeconds' | 'sessionLifeSeconds'>
}

/** Two loads overlap, so that one is read while the next gathers; more would make smaller batches. */
const BATCHING = { loadsAtOnce: 2, keysPerLoadMax: 1_000, waitingMax: 10_000 }

const BEARER = /^bearer +(\S+) *$/i
const BEARER_SCHEME = /^bearer(?: |$)/i

/**
 * Tells who is asking, from an API key (`Authorization: Bearer`) or the session cookie. A key that is offered
 * and not valid is refused even beside a valid cookie: the caller meant to be limited by its scopes. Other
 * authorization schemes are not ours (a proxy in front may ask for one) and are passed over.
 *
 * Asks the database each time, never a cache, so that revoking, freezing and a change of role count at once
 * in every process; what makes that cheap is that all requests of one turn share a statement.
 */
export function createAuthenticator({ db, clock, config }: AuthenticatorDeps): Authenticate {
  const { sessionName } = sessionCookies(config.https, config.sessionLifeSeconds)
  const lookups = (asking: Asking) => ({
    findSession: createBatchLookup<LiveCredential>({
      ...BATCHING,
      load: (hashes) => liveSessions(db, hashes, clock(), config.sessionIdleSeconds, asking),
    }),
    findApiKey: createBatchLookup<LiveCredential>({
      ...BATCHING,
      load: (hashes) => liveApiKeys(db, hashes, clock(), asking),
    }),
  })
  // Apart: a statement notes the use of all that it finds, or of none.
  const lookupsFor = { request: lookups('request'), listening: lookups('listening') }
  return async ({ authorization, cookies }, asking = 'request') => {
    const { findSession, findApiKey } = lookupsFor[asking]
    if (authorization !== undefined && BEARER_SCHEME.test(authorization)) {
      const key = BEARER.exec(authorization)?.[1] ?? ''
      return toPrincipal('apiKey', isApiKey(key) ? await findApiKey(tokenHash(key)) : undefined)
    }
    const token = cookies[sessionName]
    if (token === undefined) return null
    return toPrincipal('session', isToken(token) ? await findSession(tokenHash(token)) : undefined)
  }
}

function toPrincipal(via: Principal['via'], credential: LiveCredential | undefined): Principal {
  if (credential === undefined) throw new Problem('not_authenticated')
  return {
    customerId: credential.customerId,
    walletId: credential.number,
    role: credential.role,
    frozen: credential.frozen,
    via,
    credentialId: credential.id,
    scopes: credential.scopes,
  }
}
