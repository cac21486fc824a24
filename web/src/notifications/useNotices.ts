import { useQueryCache } from '@pinia/colada'
import { watch } from 'vue'
import { listNotices, readNotices } from '#api'
import { usePages } from '#ui'

const PAGE = 30

/** The list; what is drawn counts as read, and keeps its mark until the page is left, so that one sees what was new. */
export function useNotices() {
  const cache = useQueryCache()
  const { list, items } = usePages(
    () => ['notices', 'list'],
    (from) => listNotices({ limit: PAGE, ...from }),
  )
  watch(
    () => items.value[0],
    async (newest) => {
      if (newest === undefined || newest.read) return
      // Unread it stays at worst, and is tried again with the next visit.
      const done = await readNotices(newest.id).then(
        () => true,
        () => false,
      )
      if (done) await cache.invalidateQueries({ key: ['notices', 'unread'] })
    },
    { immediate: true },
  )
  return { list, items }
}
