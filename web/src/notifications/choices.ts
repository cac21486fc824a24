import type { NoticeChannel, WebhookEvent } from '@kantor/contract/api'

// The contract's own lists come with its schemas, whose library pages do without: their policy refuses it.

export const NOTICE_CHANNELS: readonly NoticeChannel[] = ['inApp', 'mail', 'push']

export const WEBHOOK_EVENTS: readonly WebhookEvent[] = [
  'operation.posted',
  'order.accepted',
  'order.filled',
  'order.ended',
  'notice.created',
]
