import { useQueryCache } from '@pinia/colada'
import { ref } from 'vue'
import { useProblem } from '#i18n'
import { showToast } from '#ui'

/** One thing done at a time, by the name of what it is done to; then said, and what it changed is read anew. */
export function useBackOfficeAct(reads: string) {
  const cache = useQueryCache()
  const { sentenceOf } = useProblem()
  const underWay = ref<string | null>(null)

  async function act(target: string, work: () => Promise<void>, done: string): Promise<void> {
    if (underWay.value !== null) return
    underWay.value = target
    try {
      await work()
      showToast(done)
    } catch (failure) {
      showToast(sentenceOf(failure), 'failed')
    }
    underWay.value = null
    await cache.invalidateQueries({ key: ['admin', reads] })
  }

  return { underWay, act }
}
