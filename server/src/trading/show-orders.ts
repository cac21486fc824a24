import { Problem } from '@kantor/contract/errors'
import type { Order as OrderBody, Orders } from '@kantor/contract/api'
import { formatAmount, INSTRUMENT_SCALE, rateOf, formatRate } from '@kantor/contract/money'
import type { Queryable } from '#db'
import type { InstrumentBook } from '#market-data'
import type { AssetBook } from '#wallets'
import { listOrders, readOrder } from './order-store.ts'
import { newOrder, reserveAssetOf } from './order.ts'
import type { Order } from './order.ts'
import { textOfPrice } from './price18.ts'

export interface ShowDeps {
  readonly db: Queryable
  readonly assets: AssetBook
  readonly instruments: InstrumentBook
}

/** Exact where the price has no more; an average of several fills may have no end. */
const AVERAGE_DIGITS = 12
const TEN_27 = 10n ** 27n
const TEN_9 = 10n ** 9n

/** @throws Problem not_found, also for another customer's order */
export async function requireOrder(q: Queryable, walletId: bigint, id: string): Promise<Order> {
  const order = await readOrder(q, walletId, id.toLowerCase())
  if (order === null) throw new Problem('not_found')
  return order
}

/** An order as it is now; null for another customer's, like one that is missing. */
export async function findOrder(deps: ShowDeps, walletId: bigint, id: string): Promise<OrderBody | null> {
  const order = await readOrder(deps.db, walletId, id)
  return order === null ? null : orderBody(deps, order)
}

export async function orderBody(deps: ShowDeps, order: Order): Promise<OrderBody> {
  const instrument = await deps.instruments.byId(order.instrumentId)
  const assets = await deps.assets.byIds([order.instrumentId, order.currencyId, order.settleId])
  const [currency, settle, reserve] = [order.currencyId, order.settleId, reserveAssetOf(order)].map((id) =>
    assets.get(id),
  )
  if (instrument === null || !currency || !settle || !reserve) {
    throw new Error(`order ${order.id} is of something unknown`)
  }
  const { quantity, notionalMinor, limit18, stop18, filledQuantity } = order
  return {
    id: order.id,
    instrument: { id: `${instrument.id}`, ticker: instrument.ticker, name: instrument.name },
    side: order.side,
    type: order.type,
    ...(quantity === null ? {} : { quantity: formatAmount(quantity, INSTRUMENT_SCALE) }),
    ...(notionalMinor === null
      ? {}
      : { notional: { asset: settle.code, amount: formatAmount(notionalMinor, settle.scale) } }),
    ...(limit18 === null ? {} : { limitPrice: textOfPrice(limit18) }),
    ...(stop18 === null ? {} : { stopPrice: textOfPrice(stop18) }),
    timeInForce: order.timeInForce,
    status: order.status,
    filledQuantity: formatAmount(filledQuantity, INSTRUMENT_SCALE),
    ...(filledQuantity === 0n ? {} : { averagePrice: averagePrice(order) }),
    fee: { asset: currency.code, amount: formatAmount(order.feeMinor, currency.scale) },
    reserved: { asset: reserve.code, amount: formatAmount(order.reserveLeftMinor, reserve.scale) },
    ...(settle.id === currency.id ? {} : { settleIn: settle.code }),
    queuedUntil: order.queuedUntil?.toISOString() ?? null,
    cancelAskedAt: order.cancelAskedAt?.toISOString() ?? null,
    reason: order.reason,
    at: order.acceptedAt.toISOString(),
  }
}

/** As it was answered first: what a replay has to say again, whatever happened since. */
export function orderBodyAtFirst(deps: ShowDeps, order: Order): Promise<OrderBody> {
  return orderBody(deps, newOrder(order))
}

function averagePrice({ valueExact, filledQuantity }: Order): string {
  const average = rateOf(valueExact * TEN_9, filledQuantity * TEN_27)
  const exact18 = (valueExact / filledQuantity) * filledQuantity === valueExact
  return exact18 ? textOfPrice(valueExact / filledQuantity) : formatRate(average, AVERAGE_DIGITS, 'halfEven')
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** A page of one wallet's orders, newest first. A cursor is the last order's id, which says nothing of others'. */
export async function showOrders(
  deps: ShowDeps,
  walletId: bigint,
  query: { status?: 'open' | 'done' | undefined; cursor?: string | undefined; limit: number },
): Promise<Orders> {
  const { status, cursor, limit } = query
  if (cursor !== undefined && !UUID.test(cursor)) throw new Problem('invalid_cursor')
  const found = await listOrders(deps.db, { walletId, status, before: cursor ?? null, limit: limit + 1 })
  const page = found.slice(0, limit)
  const items = await Promise.all(page.map((order) => orderBody(deps, order)))
  return { items, nextCursor: found.length > limit ? (page.at(-1)?.id ?? null) : null }
}
