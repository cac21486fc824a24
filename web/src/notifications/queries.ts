import { useQuery } from '@pinia/colada'
import { computed } from 'vue'
import { listNotices } from '#api'
import { currentMe } from '#identity'

/** How many notices are unread; the live stream has it read anew when one comes. */
export function useUnread() {
  const { data } = useQuery({
    key: ['notices', 'unread'],
    query: () => listNotices({ limit: 1 }),
    enabled: () => currentMe.value !== null,
  })
  return computed(() => data.value?.unread ?? 0)
}
