export { default as NotificationsCard } from './NotificationsCard.vue'
export { default as WebhooksLink } from './WebhooksLink.vue'
export { useUnread } from './queries.ts'
