import {
  createWebhookRequest,
  createdWebhook,
  replayRequest,
  replayed,
  rotatedSecret,
  updateWebhookRequest,
  webhook,
  webhookDeliveries,
  webhookDeliveriesQuery,
  webhookParams,
  webhooks,
} from '@kantor/contract/api'
import { route } from '#http'
import type { Route } from '#http'
import {
  changeWebhook,
  createWebhook,
  listDeliveries,
  listWebhooks,
  removeWebhook,
  replay,
  rotateSecret,
  testWebhook,
  verifyWebhook,
} from './webhooks.ts'
import type { WebhookDeps } from './webhooks.ts'

const tag = 'notifications'
const params = webhookParams

export function webhookRoutes(deps: WebhookDeps): Route[] {
  return [...registerRoutes(deps), ...changeRoutes(deps), ...deliveryRoutes(deps)]
}

function registerRoutes(deps: WebhookDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/webhooks',
      access: 'read',
      tag,
      summary: 'List your webhooks',
      reply: webhooks,
      handle: async ({ principal }) => ({
        body: { items: await listWebhooks(deps, principal.walletId), nextCursor: null },
      }),
    }),
    route({
      method: 'POST',
      path: '/webhooks',
      access: 'session',
      tag,
      summary: 'Register an address for events; its secret is shown this once, and it is asked a challenge',
      body: createWebhookRequest,
      reply: createdWebhook,
      status: 201,
      problems: ['too_many_webhooks'],
      handle: async ({ principal, client, body }) => ({
        body: await createWebhook(deps, { principal, client }, body),
      }),
    }),
    route({
      method: 'POST',
      path: '/webhooks/{id}/verify',
      access: 'session',
      tag,
      summary: 'Ask the challenge again',
      params,
      problems: ['webhook_not_active'],
      handle: async ({ principal, client, params }) => {
        await verifyWebhook(deps, { principal, client }, params.id)
        return {}
      },
    }),
  ]
}

function changeRoutes(deps: WebhookDeps): Route[] {
  return [
    route({
      method: 'PATCH',
      path: '/webhooks/{id}',
      access: 'session',
      tag,
      summary: 'Change which events a webhook gets, or switch it off or on',
      params,
      body: updateWebhookRequest,
      reply: webhook,
      handle: async ({ principal, client, params, body }) => ({
        body: await changeWebhook(deps, { principal, client }, params.id, body),
      }),
    }),
    route({
      method: 'DELETE',
      path: '/webhooks/{id}',
      access: 'session',
      tag,
      summary: 'Delete a webhook and the record of what was sent to it',
      params,
      handle: async ({ principal, client, params }) => {
        await removeWebhook(deps, { principal, client }, params.id)
        return {}
      },
    }),
    route({
      method: 'POST',
      path: '/webhooks/{id}/secret',
      access: 'session',
      tag,
      summary: 'Make a new secret, shown this once; the one before holds for 24 hours more',
      params,
      reply: rotatedSecret,
      status: 201,
      handle: async ({ principal, client, params }) => ({
        body: await rotateSecret(deps, { principal, client }, params.id),
      }),
    }),
  ]
}

function deliveryRoutes(deps: WebhookDeps): Route[] {
  return [
    route({
      method: 'POST',
      path: '/webhooks/{id}/test',
      access: 'session',
      tag,
      summary: 'Send a test message',
      params,
      problems: ['webhook_not_active'],
      handle: async ({ principal, client, params }) => {
        await testWebhook(deps, { principal, client }, params.id)
        return {}
      },
    }),
    route({
      method: 'GET',
      path: '/webhooks/{id}/deliveries',
      access: 'read',
      tag,
      summary: 'List what was sent to a webhook, newest first, with each attempt',
      params,
      query: webhookDeliveriesQuery,
      reply: webhookDeliveries,
      problems: ['invalid_cursor'],
      handle: async ({ principal, params, query }) => ({
        body: await listDeliveries(deps, principal.walletId, params.id, query),
      }),
    }),
    route({
      method: 'POST',
      path: '/webhooks/{id}/replays',
      access: 'session',
      tag,
      summary: 'Send one message again, or everything since a moment; 30 days back at most',
      params,
      body: replayRequest,
      reply: replayed,
      status: 201,
      problems: ['webhook_not_active'],
      handle: async ({ principal, client, params, body }) => ({
        body: await replay(deps, { principal, client }, params.id, body),
      }),
    }),
  ]
}
