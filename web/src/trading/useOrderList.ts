import type { Order } from '@kantor/contract/api'
import { useQueryCache } from '@pinia/colada'
import { ref, watch } from 'vue'
import { cancelOrder } from '#api'
import { useProblem, useText } from '#i18n'
import { showToast } from '#ui'
import { useOpenOrders, useTradeMoved } from './queries.ts'
import { isOpen } from './useFollowedOrder.ts'

/** The orders that wait, each of which can be taken back; when one is filled, balances are read anew. */
export function useOrderList() {
  const query = useOpenOrders()
  const cache = useQueryCache()
  const tradeMoved = useTradeMoved()
  const { t } = useText()
  const { sentenceOf } = useProblem()
  const cancelling = ref<string | null>(null)

  async function cancel(order: Order): Promise<void> {
    if (cancelling.value !== null) return
    cancelling.value = order.id
    try {
      const after = await cancelOrder(order.id)
      const words = isOpen(after) ? 'orders.cancelAsked' : 'orders.cancelled'
      showToast(t(words, { ticker: order.instrument.ticker }))
    } catch (failure) {
      showToast(sentenceOf(failure), 'failed')
    }
    cancelling.value = null
    tradeMoved()
    await cache.invalidateQueries({ key: ['orders'] })
  }

  const fills = () => query.data.value?.items.map(({ id, filledQuantity }) => id + filledQuantity).join()
  watch(fills, (_now, before) => {
    if (before !== undefined) tradeMoved()
  })

  return { query, cancelling, cancel }
}
