import { useQueryCache } from '@pinia/colada'
import { computed, ref } from 'vue'
import { addToWatchlist, removeFromWatchlist } from '#api'
import { useProblem } from '#i18n'
import { showToast } from '#ui'
import { useWatchlist } from './queries.ts'

/** Whether an instrument is watched, and the switch of it. The star turns when the server has said yes. */
export function useWatching(id: () => string | undefined) {
  const cache = useQueryCache()
  const { sentenceOf } = useProblem()
  const { data } = useWatchlist()
  const working = ref(false)
  const watched = computed(() => data.value?.items.some((item) => item.id === id()) ?? false)

  async function toggle(): Promise<void> {
    const wanted = id()
    if (working.value || wanted === undefined) return
    working.value = true
    try {
      await (watched.value ? removeFromWatchlist(wanted) : addToWatchlist(wanted))
      await cache.invalidateQueries({ key: ['watchlist'] })
    } catch (failure) {
      showToast(sentenceOf(failure), 'failed')
    } finally {
      working.value = false
    }
  }

  return { watched, working, toggle }
}
