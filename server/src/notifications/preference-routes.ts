import {
  endPushSubscriptionRequest,
  noticePreferences,
  pushSubscriptionRequest,
  updateNoticePreferencesRequest,
} from '@kantor/contract/api'
import { route } from '#http'
import type { Route } from '#http'
import { changePreferences, showPreferences } from './preferences.ts'
import type { PreferenceDeps } from './preferences.ts'
import { subscribe, unsubscribe } from './push-subscriptions.ts'
import type { PushSubscriptionDeps } from './push-subscriptions.ts'

const tag = 'notifications'

export function preferenceRoutes(deps: PreferenceDeps & PushSubscriptionDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/notification-preferences',
      access: 'read',
      tag,
      summary: 'Of what you are told in the app, by mail and by push',
      reply: noticePreferences,
      handle: async ({ principal }) => ({ body: await showPreferences(deps, principal.walletId) }),
    }),
    route({
      method: 'PATCH',
      path: '/notification-preferences',
      access: 'session',
      tag,
      summary: 'Choose of what you are told, and how',
      body: updateNoticePreferencesRequest,
      reply: noticePreferences,
      handle: async ({ principal, body }) => ({
        body: await changePreferences(deps, principal.walletId, body),
      }),
    }),
    route({
      method: 'POST',
      path: '/push-subscriptions',
      access: 'session',
      tag,
      summary: 'Have notices pushed to this browser',
      body: pushSubscriptionRequest,
      handle: async ({ principal, body }) => {
        await subscribe(deps, principal, body)
        return {}
      },
    }),
    route({
      method: 'POST',
      path: '/push-subscriptions/end',
      access: 'session',
      tag,
      summary: 'Have nothing more pushed to this browser',
      body: endPushSubscriptionRequest,
      handle: async ({ principal, body }) => {
        await unsubscribe(deps.db, principal.walletId, body.endpoint)
        return {}
      },
    }),
  ]
}
