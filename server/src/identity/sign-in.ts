import type { SignInRequest } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import type { ClientInfo } from '#http'
import { recordAct, storedUserAgent } from './audit.ts'
import { replacePasswordHash, selectForSignIn, selectMe } from './customers.ts'
import { emailKeyOf } from './find-customer.ts'
import type { Limits } from './limits.ts'
import type { PresentedTokens } from './sessions.ts'
import { openSession } from './sessions.ts'
import type { SignedIn } from './sign-up.ts'
import type { IdentityDeps } from './types.ts'

export interface SignInDeps extends IdentityDeps {
  readonly limits: Limits
}

/**
 * Opens a session for e-mail and password. Whether there is such an account shows neither in the answer nor
 * in the work: both ways one look-up, one count, one Argon2id, one line in the audit log.
 */
export async function signIn(
  deps: SignInDeps,
  request: SignInRequest,
  from: { client: ClientInfo; presented: PresentedTokens },
): Promise<SignedIn> {
  const emailKey = emailKeyOf(request.email)
  const customer = await selectForSignIn(deps.db, emailKey, from.presented.deviceHash)
  const deviceKnown = customer?.deviceKnown ?? false
  const attempt = await deps.limits.beginSignIn({
    emailKey,
    ip: from.client.ip,
    knownDevice: deviceKnown ? from.presented.deviceHash : null,
  })
  const matches = await deps.hasher
    .verify(request.password, customer?.passwordHash ?? null)
    .catch(async (error: unknown) => {
      await deps.db.transaction((tx) => attempt.notJudged(tx))
      throw error
    })
  if (customer === null || !matches) {
    await recordAct(deps.db, {
      act: 'sign_in_failed',
      at: deps.clock(),
      customerId: customer?.id ?? null,
      actorId: null,
      client: from.client,
    })
    throw new Problem('invalid_credentials')
  }
  const { id: customerId, number, passwordHash: verified } = customer
  const stronger = deps.hasher.isOutdated(verified) ? await deps.hasher.hash(request.password) : null
  return deps.db.transaction(async (tx) => {
    await attempt.succeeded(tx)
    if (stronger !== null) await replacePasswordHash(tx, customerId, { verified, stronger })
    const opened = await openSession(tx, deps, { ...from, customerId, deviceKnown })
    await recordAct(tx, {
      act: 'signed_in',
      at: deps.clock(),
      customerId,
      actorId: customerId,
      client: from.client,
    })
    if (!deviceKnown) {
      await deps.onNewDevice(tx, { number, ip: from.client.ip, userAgent: storedUserAgent(from.client) })
    }
    return { me: await selectMe(tx, customerId), opened }
  })
}
