import { meansTryAgain } from '#db'
import type { EngineDeps } from './engine-deps.ts'
import { endOrders } from './end-orders.ts'
import type { EndReason, Order } from './order.ts'
import { putOffSweep, readOpenOf, readOverdue } from './order-store.ts'

const ORDERS_PER_TX = 200
const PUT_OFF_MS = 5 * 60_000

/** Ends orders whose session is over and whose prices cannot come any more. @returns how many */
export async function expireOrders(deps: EngineDeps): Promise<number> {
  const now = deps.clock()
  let expired = 0
  for (;;) {
    const overdue = await readOverdue(deps.db, now, ORDERS_PER_TX)
    if (overdue.length === 0) return expired
    expired += await expireTogether(deps, overdue, now)
  }
}

/**
 * A batch that fails is ended one order at a time, and one that cannot be ended, its asset being frozen, is put off:
 * it keeps nobody else waiting for what was set aside.
 */
async function expireTogether(deps: EngineDeps, overdue: readonly Order[], now: Date): Promise<number> {
  try {
    const event = { kind: 'expire', at: now } as const
    return (await deps.db.transaction((tx) => endOrders(deps, tx, overdue, event))).length
  } catch (error) {
    if (meansTryAgain(error)) throw error
    const [only] = overdue
    if (overdue.length === 1 && only !== undefined) {
      deps.log.warn({ err: error, orderId: only.id }, 'an order could not be ended; tried again in 5 minutes')
      await putOffSweep(deps.db, only.id, new Date(now.getTime() + PUT_OFF_MS))
      return 0
    }
  }
  let expired = 0
  for (const order of overdue) expired += await expireTogether(deps, [order], now)
  return expired
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
