import type { Me, SignUpRequest } from '@kantor/contract/api'
import type { ClientInfo } from '#http'
import { recordAct } from './audit.ts'
import { insertCustomer, refuseKnown, refuseReserved, refuseUnlessOffered } from './customers.ts'
import { emailKeyOf } from './find-customer.ts'
import type { Limits } from './limits.ts'
import type { PasswordPolicy } from './password-strength.ts'
import type { OpenedSession, PresentedTokens } from './sessions.ts'
import { openSession } from './sessions.ts'
import type { IdentityDeps } from './types.ts'

export interface SignUpDeps extends IdentityDeps {
  readonly limits: Limits
  readonly passwordPolicy: PasswordPolicy
}

export interface SignedIn {
  readonly me: Me
  readonly opened: OpenedSession
}

/**
 * Makes a customer, their wallet (through `onSignedUp`) and their first session, all or nothing. That an
 * e-mail is taken is said plainly here, as there is no mail yet to say it in; signing in never tells.
 */
export async function signUp(
  deps: SignUpDeps,
  request: SignUpRequest,
  from: { client: ClientInfo; presented: PresentedTokens },
): Promise<SignedIn> {
  await deps.limits.countSignUp(from.client.ip)
  const currencies = chosenCurrencies(request)
  const emailKey = emailKeyOf(request.email)
  refuseReserved(request.handle)
  await refuseKnown(deps.db, emailKey, request.handle)
  await deps.passwordPolicy.check(request.password, request)
  const passwordHash = await deps.hasher.hash(request.password)
  const { email, handle, name, baseCurrency } = request
  const id = deps.newId()
  const createdAt = deps.clock()
  return deps.db.transaction(async (tx) => {
    const customer = { id, email, emailKey, handle, name, passwordHash, baseCurrency, createdAt }
    const { number, me } = await insertCustomer(tx, customer)
    const opened = await openSession(tx, deps, { ...from, customerId: id, deviceKnown: false })
    await recordAct(tx, {
      act: 'signed_up',
      at: createdAt,
      customerId: id,
      actorId: id,
      client: from.client,
    })
    await deps.onSignedUp(tx, { id, number, handle, baseCurrency }, currencies)
    return { me, opened }
  })
}

/** The base currency first, then the others, each once. */
function chosenCurrencies({ baseCurrency, currencies = [] }: SignUpRequest): string[] {
  refuseUnlessOffered(baseCurrency, 'baseCurrency')
  for (const [index, code] of currencies.entries()) refuseUnlessOffered(code, `currencies.${index}`)
  return [...new Set([baseCurrency, ...currencies])]
}
