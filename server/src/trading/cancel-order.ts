import { Problem } from '@kantor/contract/errors'
import type { Order as OrderBody } from '@kantor/contract/api'
import type { Database } from '#db'
import type { Ledger } from '#ledger'
import { endOrders } from './end-orders.ts'
import { orderBody, requireOrder } from './show-orders.ts'
import type { ShowDeps } from './show-orders.ts'

export interface CancelDeps extends ShowDeps {
  readonly db: Database
  readonly ledger: Ledger
  readonly clock: () => Date
}

/**
 * Ends an order at its owner's wish; what is filled stays filled, the rest of the reserve comes back.
 * @throws Problem not_found; order_not_open when a fill, the clock or an earlier wish came first
 */
export async function cancelOrder(deps: CancelDeps, walletId: bigint, id: string): Promise<OrderBody> {
  const order = await requireOrder(deps.db, walletId, id)
  const event = { kind: 'cancel', reason: 'byCustomer', at: deps.clock() } as const
  const [ended] =
    order.doneAt === null ? await deps.db.transaction((tx) => endOrders(deps, tx, [order], event)) : []
  if (ended === undefined) {
    const { status } = await requireOrder(deps.db, walletId, id)
    throw new Problem('order_not_open', { extensions: { status } })
  }
  return orderBody(deps, ended)
}
