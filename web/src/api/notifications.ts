import type {
  CreateWebhookRequest,
  PushSubscriptionRequest,
  ReplayRequest,
  UpdateNoticePreferencesRequest,
  UpdateWebhookRequest,
} from '@kantor/contract/api'
import { kantor } from './client.ts'

interface PageQuery {
  cursor?: string
  limit?: number
}

export const listNotices = (query: PageQuery) => kantor.get('/notices', { query })
export const readNotices = (through: string) => kantor.post('/notices/read', { body: { through } })

export const getNoticePreferences = () => kantor.get('/notification-preferences')
export const updateNoticePreferences = (body: UpdateNoticePreferencesRequest) =>
  kantor.patch('/notification-preferences', { body })
export const subscribeToPush = (body: PushSubscriptionRequest) => kantor.post('/push-subscriptions', { body })
export const unsubscribeFromPush = (endpoint: string) =>
  kantor.post('/push-subscriptions/end', { body: { endpoint } })

export const listWebhooks = () => kantor.get('/webhooks')
export const createWebhook = (body: CreateWebhookRequest) => kantor.post('/webhooks', { body })
export const updateWebhook = (id: string, body: UpdateWebhookRequest) =>
  kantor.patch('/webhooks/{id}', { path: { id }, body })
export const deleteWebhook = (id: string) => kantor.delete('/webhooks/{id}', { path: { id } })
export const verifyWebhook = (id: string) => kantor.post('/webhooks/{id}/verify', { path: { id } })
export const testWebhook = (id: string) => kantor.post('/webhooks/{id}/test', { path: { id } })
export const rotateWebhookSecret = (id: string) => kantor.post('/webhooks/{id}/secret', { path: { id } })
export const listWebhookDeliveries = (id: string, query: PageQuery) =>
  kantor.get('/webhooks/{id}/deliveries', { path: { id }, query })
export const replayWebhook = (id: string, body: ReplayRequest) =>
  kantor.post('/webhooks/{id}/replays', { path: { id }, body })
