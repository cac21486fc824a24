import type { EngineDeps } from './engine-deps.ts'
import { endOrders } from './end-orders.ts'
import type { EndReason } from './order.ts'
import { readOpenOf, readOverdue } from './order-store.ts'

const ORDERS_PER_TX = 200

/** Ends orders whose session is over and whose prices cannot come any more. @returns how many */
export async function expireOrders(deps: EngineDeps): Promise<number> {
  const now = deps.clock()
  let expired = 0
  for (;;) {
    const overdue = await readOverdue(deps.db, now, ORDERS_PER_TX)
    if (overdue.length === 0) return expired
    const ended = await deps.db.transaction((tx) => endOrders(deps, tx, overdue, { kind: 'expire', at: now }))
    expired += ended.length
  }
}

/**
 * Cancels every open order of an instrument, or one wallet's, and gives back what they held: before a split, and when
 * it is delisted.
 * An order that is accepted meanwhile is found too, as long as they come no faster than they are cancelled.
 */
export async function cancelOpenOrders(
  deps: Pick<EngineDeps, 'db' | 'ledger' | 'assets' | 'clock'>,
  which: { readonly instrumentId: number; readonly walletId?: bigint },
  reason: EndReason,
): Promise<number> {
  let cancelled = 0
  for (;;) {
    const open = await readOpenOf(deps.db, which, ORDERS_PER_TX)
    if (open.length === 0) return cancelled
    const event = { kind: 'cancel', reason, at: deps.clock() } as const
    cancelled += (await deps.db.transaction((tx) => endOrders(deps, tx, open, event))).length
  }
}
