import { createAuthenticator } from './authenticate.ts'
import { sessionCookies } from './cookies.ts'
import { createLimits } from './limits.ts'
import { createPasswordPolicy } from './password-strength.ts'
import { identityRoutes } from './routes.ts'
import { sweep } from './sweep.ts'
import type { Identity, IdentityDeps } from './types.ts'

/** The identity room, wired. `close` it when the server has stopped answering. */
export function createIdentity(deps: IdentityDeps): Identity {
  const passwordPolicy = createPasswordPolicy()
  const limits = createLimits({ db: deps.db, clock: deps.clock, enabled: deps.config.rateLimits })
  return {
    authenticate: createAuthenticator(deps),
    routes: identityRoutes({ ...deps, limits, passwordPolicy }),
    cookieName: sessionCookies(deps.config.https, deps.config.sessionLifeSeconds).sessionName,
    sweep: () => sweep(deps.db, deps.clock()),
    close: passwordPolicy.close,
  }
}
