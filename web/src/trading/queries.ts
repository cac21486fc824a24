import { useQuery, useQueryCache } from '@pinia/colada'
import { listInstruments, listOrders, listPositions, listWatchlist, readAnew } from '#api'
import { useOnScreen } from '#live'
import { pollUnlessLive } from '#market-data'

const PRICES_SECONDS = 8
const ORDERS_SECONDS = 4
const POPULAR_SHOWN = 6

export function useWatchlist() {
  const query = useQuery({ key: ['watchlist'], query: listWatchlist, staleTime: 4_000 })
  useOnScreen(() => ({ instruments: query.data.value?.items.map(({ id }) => id) ?? [] }))
  pollUnlessLive(() => query.refresh(), PRICES_SECONDS)
  return query
}

/** What there is, for somebody who watches nothing yet. */
export const usePopular = () =>
  useQuery({
    key: ['instruments', 'popular'],
    query: () => listInstruments(POPULAR_SHOWN),
    staleTime: 60_000,
  })

export function usePositions() {
  const query = useQuery({ key: ['positions'], query: listPositions, staleTime: 4_000 })
  useOnScreen(() => ({ instruments: query.data.value?.items.map(({ instrument }) => instrument.id) ?? [] }))
  pollUnlessLive(() => query.refresh(), PRICES_SECONDS)
  return query
}

export function useOpenOrders() {
  const query = useQuery({
    key: ['orders', 'open'],
    query: () => listOrders({ status: 'open', limit: 50 }),
    staleTime: 2_000,
  })
  pollUnlessLive(() => query.refresh(), ORDERS_SECONDS)
  return query
}

/** After an order was made, filled or cancelled: everything that it may have moved is read anew. */
export function useTradeMoved(): () => void {
  const cache = useQueryCache()
  return () => {
    for (const key of ['orders', 'positions', 'wallet', 'operations']) {
      readAnew(cache, { key: [key] })
    }
  }
}
