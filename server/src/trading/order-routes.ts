import { order, orderPreview, orderRequest, orders, ordersQuery } from '@kantor/contract/api'
import type { ErrorCode } from '@kantor/contract/errors'
import { route } from '#http'
import type { Route } from '#http'
import { z } from 'zod'
import { cancelOrder } from './cancel-order.ts'
import type { CancelDeps } from './cancel-order.ts'
import { placeOrder } from './place-order.ts'
import type { PlaceDeps } from './place-order.ts'
import { previewOrder } from './preview-order.ts'
import { orderBody, requireOrder, showOrders } from './show-orders.ts'

export type OrderDeps = PlaceDeps & CancelDeps

const params = z.strictObject({ id: z.uuid() })

const judgement: readonly ErrorCode[] = [
  'instrument_not_found',
  'instrument_delisted',
  'price_unknown',
  'prices_stale',
  'market_closed',
  'live_prices_required',
  'limit_wrong_side',
  'stop_wrong_side',
  'unknown_asset',
  'asset_frozen',
  'rate_unknown',
  'rates_stale',
  'exposure_limit',
  'amount_not_positive',
  'amount_too_small',
  'amount_too_large',
]

export function orderRoutes(deps: OrderDeps): Route[] {
  return [
    route({
      method: 'POST',
      path: '/orders',
      access: 'trade',
      tag: 'trading',
      summary:
        'Order shares. The worst case with its fee is set aside at once; the first price after that may fill it.',
      body: orderRequest,
      reply: order,
      status: 201,
      idempotent: true,
      problems: [...judgement, 'insufficient_funds', 'idempotency_key_reused', 'busy'],
      handle: ({ principal, body, idempotencyKey }) =>
        placeOrder(deps, principal.walletId, body, idempotencyKey),
    }),
    route({
      method: 'POST',
      path: '/orders/preview',
      access: 'read',
      tag: 'trading',
      summary: 'What an order would cost or bring at the present price. Binds nobody.',
      body: orderRequest,
      reply: orderPreview,
      problems: judgement,
      handle: async ({ principal, body }) => ({ body: await previewOrder(deps, principal.walletId, body) }),
    }),
    route({
      method: 'GET',
      path: '/orders',
      access: 'read',
      tag: 'trading',
      summary: 'Your orders, newest first; open ones or those that are done.',
      query: ordersQuery,
      reply: orders,
      problems: ['invalid_cursor'],
      handle: async ({ principal, query }) => ({ body: await showOrders(deps, principal.walletId, query) }),
    }),
    route({
      method: 'GET',
      path: '/orders/{id}',
      access: 'read',
      tag: 'trading',
      summary: 'One of your orders.',
      params,
      reply: order,
      problems: ['not_found'],
      handle: async ({ principal, params: { id } }) => ({
        body: await orderBody(deps, await requireOrder(deps.db, principal.walletId, id)),
      }),
    }),
    route({
      method: 'DELETE',
      path: '/orders/{id}',
      access: 'trade',
      tag: 'trading',
      summary:
        'Cancel an order. What was filled stays; the rest of what was set aside is available again: at once, or, on a feed that is behind, when the prices of until now have come (`cancelAskedAt`).',
      params,
      reply: order,
      problems: ['not_found', 'order_not_open', 'asset_frozen'],
      handle: async ({ principal, params: { id } }) => ({
        body: await cancelOrder(deps, principal.walletId, id),
      }),
    }),
  ]
}
