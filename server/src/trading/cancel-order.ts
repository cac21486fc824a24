import { Problem } from '@kantor/contract/errors'
import type { Order as OrderBody } from '@kantor/contract/api'
import type { Database } from '#db'
import type { Ledger } from '#ledger'
import type { MarketHours, PriceBook } from '#market-data'
import { endOrders } from './end-orders.ts'
import { decide } from './order-state.ts'
import { lockOrders, storeCancelWish } from './order-store.ts'
import type { Order } from './order.ts'
import type { TradingSettings } from './settings.ts'
import { orderBody, requireOrder } from './show-orders.ts'
import type { ShowDeps } from './show-orders.ts'

export interface CancelDeps extends ShowDeps {
  readonly db: Database
  readonly ledger: Ledger
  readonly prices: PriceBook
  readonly marketHours: MarketHours
  readonly settings: TradingSettings
  readonly clock: () => Date
}

/**
 * Ends an order at its owner's wish; what is filled stays filled, the rest of the reserve comes back. On a feed that is
 * behind, the price that fills it may be of before the wish and come later: the order then ends when all of those
 * have come. Else whoever sees the present price elsewhere could take back what it was bad for.
 * @throws Problem not_found; asset_frozen; order_not_open when a fill, the clock or an earlier wish came first
 */
export async function cancelOrder(deps: CancelDeps, walletId: bigint, id: string): Promise<OrderBody> {
  const order = await requireOrder(deps.db, walletId, id)
  const now = deps.clock()
  const knownBy = await whenPricesAreKnown(deps, order, now)
  const after =
    order.doneAt !== null
      ? undefined
      : knownBy === null
        ? await cancelNow(deps, order, now)
        : await askToCancel(deps, order, now, knownBy)
  if (after === undefined) {
    const { status } = await requireOrder(deps.db, walletId, id)
    throw new Problem('order_not_open', { extensions: { status } })
  }
  return orderBody(deps, after)
}

async function cancelNow(deps: CancelDeps, order: Order, at: Date): Promise<Order | undefined> {
  const event = { kind: 'cancel', reason: 'byCustomer', at } as const
  const [ended] = await deps.db.transaction((tx) => endOrders(deps, tx, [order], event))
  return ended
}

function askToCancel(deps: CancelDeps, { id }: Order, at: Date, sweepAt: Date): Promise<Order | undefined> {
  return deps.db.transaction(async (tx) => {
    const [order] = await lockOrders(tx, [id])
    if (order === undefined || order.doneAt !== null) return undefined
    const asked = decide(order, { kind: 'askToCancel', at, sweepAt }).order
    if (asked !== order) await storeCancelWish(tx, asked)
    return asked
  })
}

/** By when all prices of up to now that may fill the order have come in; null: they have. */
async function whenPricesAreKnown(deps: CancelDeps, order: Order, now: Date): Promise<Date | null> {
  const price = deps.prices.price(order.instrumentId)
  const instrument = await deps.instruments.byId(order.instrumentId)
  if (price.unknown || instrument === null || price.timeliness === 'realTime') return null
  const { mic } = instrument
  const isDealtIn = price.timeliness === 'delayed' && deps.marketHours.session(mic, now).open
  const lastOf = isDealtIn ? now : deps.marketHours.lastClosed(mic, now).closesAt
  const knownBy = new Date(lastOf.getTime() + deps.settings.graceSeconds[price.timeliness] * 1_000)
  return lastOf <= (order.queuedUntil ?? order.acceptedAt) || knownBy <= now ? null : knownBy
}
