import {
  apiKeys,
  createApiKeyRequest,
  createdApiKey,
  id,
  me,
  sessions,
  signInRequest,
  signUpRequest,
  updateMeRequest,
} from '@kantor/contract/api'
import type { Route } from '#http'
import { route } from '#http'
import { z } from 'zod'
import { createApiKey, listApiKeys, revokeApiKey } from './api-keys.ts'
import { sessionCookies } from './cookies.ts'
import type { SessionCookies } from './cookies.ts'
import { selectMe } from './customers.ts'
import { cookiesOf, listSessions, presentedTokens, revokeSession } from './sessions.ts'
import { signIn } from './sign-in.ts'
import type { SignUpDeps } from './sign-up.ts'
import { signUp } from './sign-up.ts'
import { updateMe } from './update-me.ts'

const tag = 'identity'
const params = z.strictObject({ id })

export function identityRoutes(deps: SignUpDeps): Route[] {
  const cookies = sessionCookies(deps.config.https, deps.config.sessionLifeSeconds)
  return [
    ...gettingIn(deps, cookies),
    ...sessionRoutes(deps, cookies),
    ...profileRoutes(deps),
    ...apiKeyRoutes(deps),
  ]
}

function gettingIn(deps: SignUpDeps, cookies: SessionCookies): Route[] {
  return [
    route({
      method: 'POST',
      path: '/auth/sign-up',
      access: 'public',
      tag,
      summary: 'Make an account: opens its wallet and signs in',
      body: signUpRequest,
      reply: me,
      status: 201,
      problems: ['email_taken', 'handle_taken', 'weak_password', 'unknown_asset', 'rate_limited', 'busy'],
      handle: async ({ body, client, cookies: given }) => {
        const signedIn = await signUp(deps, body, { client, presented: presentedTokens(given, cookies) })
        return { body: signedIn.me, headers: { 'set-cookie': cookiesOf(signedIn.opened, cookies) } }
      },
    }),
    route({
      method: 'POST',
      path: '/auth/sign-in',
      access: 'public',
      tag,
      summary: 'Sign in with e-mail and password',
      body: signInRequest,
      reply: me,
      problems: ['invalid_credentials', 'rate_limited', 'busy'],
      handle: async ({ body, client, cookies: given }) => {
        const signedIn = await signIn(deps, body, { client, presented: presentedTokens(given, cookies) })
        return { body: signedIn.me, headers: { 'set-cookie': cookiesOf(signedIn.opened, cookies) } }
      },
    }),
  ]
}

function sessionRoutes(deps: SignUpDeps, cookies: SessionCookies): Route[] {
  return [
    route({
      method: 'POST',
      path: '/auth/sign-out',
      access: 'session',
      tag,
      summary: 'End this session',
      handle: async ({ principal, client }) => {
        await revokeSession(deps, principal, principal.credentialId, { act: 'signed_out', client })
        return { headers: { 'set-cookie': cookies.clearSession() } }
      },
    }),
    route({
      method: 'GET',
      path: '/auth/sessions',
      access: 'session',
      tag,
      summary: 'List where you are signed in',
      reply: sessions,
      handle: async ({ principal }) => ({
        body: { items: await listSessions(deps.db, principal, deps.clock()), nextCursor: null },
      }),
    }),
    route({
      method: 'DELETE',
      path: '/auth/sessions/{id}',
      access: 'session',
      tag,
      summary: 'End one of your sessions',
      params,
      problems: ['not_found'],
      handle: async ({ principal, params, client }) => {
        await revokeSession(deps, principal, params.id, { act: 'session_revoked', client })
        return {}
      },
    }),
  ]
}

function profileRoutes(deps: SignUpDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/me',
      access: 'read',
      tag,
      summary: 'Read your profile',
      reply: me,
      handle: async ({ principal }) => ({ body: await selectMe(deps.db, principal.customerId) }),
    }),
    route({
      method: 'PATCH',
      path: '/me',
      access: 'session',
      tag,
      summary: 'Change your profile',
      body: updateMeRequest,
      reply: me,
      problems: ['handle_taken', 'unknown_asset'],
      handle: async ({ principal, body, client }) => ({
        body: await updateMe(deps, principal, body, client),
      }),
    }),
  ]
}

function apiKeyRoutes(deps: SignUpDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/me/api-keys',
      access: 'session',
      tag,
      summary: 'List your API keys',
      reply: apiKeys,
      handle: async ({ principal }) => ({
        body: { items: await listApiKeys(deps.db, principal, deps.clock()), nextCursor: null },
      }),
    }),
    route({
      method: 'POST',
      path: '/me/api-keys',
      access: 'session',
      tag,
      summary: 'Make an API key, shown this once',
      body: createApiKeyRequest,
      reply: createdApiKey,
      status: 201,
      problems: ['too_many_keys'],
      handle: async ({ principal, body, client }) => ({
        body: await createApiKey(deps, principal, body, client),
      }),
    }),
    route({
      method: 'DELETE',
      path: '/me/api-keys/{id}',
      access: 'session',
      tag,
      summary: 'End one of your API keys',
      params,
      problems: ['not_found'],
      handle: async ({ principal, params, client }) => {
        await revokeApiKey(deps, principal, params.id, client)
        return {}
      },
    }),
  ]
}
