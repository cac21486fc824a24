import { useQuery, useQueryCache } from '@pinia/colada'
import { getMeta, getWallet } from '#api'

const FRESH_SECONDS = 10

export const useWallet = () =>
  useQuery({ key: ['wallet'], query: getWallet, staleTime: FRESH_SECONDS * 1000 })

/** What this installation offers. Whether its market is simulated is known only once its first rates came. */
export const useMeta = () => useQuery({ key: ['meta'], query: getMeta, staleTime: 60_000 })

/** After anything that moved value: balances and history are read anew, and shown meanwhile as they were. */
export function useMoneyMoved(): () => void {
  const cache = useQueryCache()
  return () => {
    void cache.invalidateQueries({ key: ['wallet'] })
    void cache.invalidateQueries({ key: ['operations'] })
  }
}
