import type { Positions } from '@kantor/contract/api'
import { useQueryCache } from '@pinia/colada'
import { ref } from 'vue'
import { setPositionsMethod } from '#api'
import { useProblem } from '#i18n'
import { showToast } from '#ui'

/** First in first out, or average cost: the server keeps both, so the switch is only another view. */
export function useCostMethod() {
  const cache = useQueryCache()
  const { sentenceOf } = useProblem()
  const switching = ref(false)

  async function choose(method: Positions['method']): Promise<void> {
    if (switching.value) return
    switching.value = true
    try {
      await setPositionsMethod(method)
      await cache.invalidateQueries({ key: ['positions'] })
    } catch (failure) {
      showToast(sentenceOf(failure), 'failed')
    } finally {
      switching.value = false
    }
  }

  return { switching, choose }
}
