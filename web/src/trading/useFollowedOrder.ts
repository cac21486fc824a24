import type { Order } from '@kantor/contract/api'
import { onScopeDispose, readonly, shallowRef } from 'vue'
import { getOrder } from '#api'
import { isLive, onLive } from '#live'
import { useTradeMoved } from './queries.ts'

const EVERY_SECONDS = 2
/** A market that opens tomorrow is not waited for on a receipt: the list of open orders goes on from here. */
const ASKED_MAX = 60

export const isOpen = (order: Order) => order.status === 'new' || order.status === 'partiallyFilled'

/** An order as it goes on after it was placed. */
export function useFollowedOrder(placed: Order) {
  const tradeMoved = useTradeMoved()
  const order = shallowRef(placed)
  let asked = 0

  function take(next: Order): void {
    if (next.status !== order.value.status || next.filledQuantity !== order.value.filledQuantity) tradeMoved()
    order.value = next
  }

  async function look(): Promise<void> {
    // Once even so: it may have been filled before anybody listened.
    if (isLive() && asked > 0) return
    if (asked++ >= ASKED_MAX || !isOpen(order.value)) return clearInterval(timer)
    if (document.visibilityState !== 'visible') return
    // A receipt that cannot be renewed is still true; the next look may succeed.
    take(await getOrder(placed.id).catch(() => order.value))
  }

  onLive('order', (told) => {
    if (told.id === placed.id) take(told)
  })

  const timer = setInterval(() => void look(), EVERY_SECONDS * 1000)
  onScopeDispose(() => clearInterval(timer))
  return readonly(order)
}
