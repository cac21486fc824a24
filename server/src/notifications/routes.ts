import { notices, noticesQuery, readNoticesReply, readNoticesRequest } from '@kantor/contract/api'
import { route } from '#http'
import type { Route } from '#http'
import { preferenceRoutes } from './preference-routes.ts'
import type { PreferenceDeps } from './preferences.ts'
import type { PushSubscriptionDeps } from './push-subscriptions.ts'
import { listNotices, readNoticesThrough } from './read-notices.ts'
import { webhookRoutes } from './webhook-routes.ts'
import type { WebhookDeps } from './webhooks.ts'

export type NotificationRoutesDeps = WebhookDeps & PreferenceDeps & PushSubscriptionDeps

const tag = 'notifications'

export function notificationRoutes(deps: NotificationRoutesDeps): Route[] {
  return [...noticeRoutes(deps), ...preferenceRoutes(deps), ...webhookRoutes(deps)]
}

function noticeRoutes({ db }: NotificationRoutesDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/notices',
      access: 'read',
      tag,
      summary: 'List what you were told, newest first, and how much of it is unread',
      query: noticesQuery,
      reply: notices,
      problems: ['invalid_cursor'],
      handle: async ({ principal, query }) => ({ body: await listNotices(db, principal.walletId, query) }),
    }),
    route({
      method: 'POST',
      path: '/notices/read',
      access: 'session',
      tag,
      summary: 'Say that everything up to a notice was seen',
      body: readNoticesRequest,
      reply: readNoticesReply,
      problems: ['not_found'],
      handle: async ({ principal, body }) => ({
        body: { unread: await readNoticesThrough(db, principal.walletId, body.through) },
      }),
    }),
  ]
}
