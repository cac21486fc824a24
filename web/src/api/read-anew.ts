import type { useQueryCache } from '@pinia/colada'

type QueryCache = ReturnType<typeof useQueryCache>

/** Has all that fits read anew. What cannot be read, as without a network, says so where it is shown. */
export function readAnew(cache: QueryCache, filters: Parameters<QueryCache['invalidateQueries']>[0]): void {
  cache.invalidateQueries(filters).catch(() => {})
}
