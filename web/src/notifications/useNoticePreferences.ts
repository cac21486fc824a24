import type { NoticeChannel, NoticeKind, NoticePreferences } from '@kantor/contract/api'
import { useQuery, useQueryCache } from '@pinia/colada'
import { shallowRef } from 'vue'
import { getNoticePreferences, updateNoticePreferences } from '#api'

const KEY = ['notification-preferences']

/** What is told how. A box shows what was chosen at once, and what the server says when it refuses. */
export function useNoticePreferences() {
  const cache = useQueryCache()
  const query = useQuery({ key: KEY, query: getNoticePreferences })
  const failure = shallowRef<unknown>(null)

  async function choose(kind: NoticeKind, channel: NoticeChannel, enabled: boolean): Promise<void> {
    failure.value = null
    const before = query.data.value
    if (before === undefined) return
    const items = before.items.map((item) => (item.kind === kind ? { ...item, [channel]: enabled } : item))
    cache.setQueryData<NoticePreferences>(KEY, { ...before, items })
    try {
      await updateNoticePreferences({ changes: [{ kind, channel, enabled }] })
    } catch (problem) {
      failure.value = problem
      await query.refetch()
    }
  }
  return { query, failure, choose }
}
