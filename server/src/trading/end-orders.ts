import type { Tx } from '#db'
import type { Ledger } from '#ledger'
import type { AssetBook } from '#wallets'
import { accountsOf } from './order-accounts.ts'
import { releaseCommand } from './order-postings.ts'
import { decide } from './order-state.ts'
import type { OrderEvent } from './order-state.ts'
import { lockOrders, updateOrders } from './order-store.ts'
import type { Order } from './order.ts'
import { requirePosted } from './fill-orders.ts'

/**
 * Ends orders that are still open and gives back what was set aside, in the caller's tx: a fill that came first has
 * won, since both lock the accounts and then the row. @returns those that this tx has ended, as they now are
 */
export async function endOrders(
  deps: { readonly ledger: Ledger; readonly assets: AssetBook },
  tx: Tx,
  found: readonly Order[],
  event: Extract<OrderEvent, { kind: 'cancel' | 'expire' }>,
): Promise<Order[]> {
  const assets = await deps.assets.byIds([...new Set(found.map(({ instrumentId }) => instrumentId))])
  const accountIds = new Set(found.flatMap((order) => accountsOf(order).ofEnd))
  const locked = await deps.ledger.lockAccounts(tx, [], accountIds)
  const orders = await lockOrders(
    tx,
    found.map(({ id }) => id),
  )
  const decisions = orders.map((order) => ({ before: order, ...decide(order, event) }))
  const ended = decisions.filter(({ before, order }) => before !== order)
  if (ended.length === 0) return []
  await updateOrders(
    tx,
    ended.map(({ order }) => order),
  )
  const releases = ended
    .filter(({ releasedMinor }) => releasedMinor > 0n)
    .map(({ order, releasedMinor }) =>
      releaseCommand(order, releasedMinor, { instrumentCode: assets.get(order.instrumentId)?.code ?? '' }),
    )
  if (releases.length > 0) requirePosted(await locked.post(releases))
  return ended.map(({ order }) => order)
}
