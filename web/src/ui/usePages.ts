import { useInfiniteQuery } from '@pinia/colada'
import { computed } from 'vue'

/** A list that comes in pages, all that was read of it in one; `read` is given the place to go on from. */
export function usePages<Item>(
  key: () => (string | number)[],
  read: (from: { cursor?: string }) => Promise<{ items: Item[]; nextCursor: string | null }>,
) {
  const list = useInfiniteQuery({
    key,
    query: ({ pageParam }) => read(pageParam === null ? {} : { cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
  })
  const items = computed(() => list.data.value?.pages.flatMap((page) => page.items) ?? [])
  return { list, items }
}
