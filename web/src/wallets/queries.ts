import type { WorthHistory } from '@kantor/contract/api'
import { useQuery, useQueryCache } from '@pinia/colada'
import { getMeta, getWallet, getWorth, readAnew } from '#api'

const FRESH_SECONDS = 10

export const useWallet = () =>
  useQuery({ key: ['wallet'], query: getWallet, staleTime: FRESH_SECONDS * 1000 })

export const useWorth = (range: () => WorthHistory['range']) =>
  useQuery({ key: () => ['worth', range()], query: () => getWorth(range()), staleTime: 60_000 })

/** What this installation offers; it changes only when the operator restarts it. */
export const useMeta = () => useQuery({ key: ['meta'], query: getMeta, staleTime: 60_000 })

/** After anything that moved value: balances and history are read anew, and shown meanwhile as they were. */
export function useMoneyMoved(): () => void {
  const cache = useQueryCache()
  return () => {
    for (const name of ['wallet', 'worth', 'operations']) readAnew(cache, { key: [name] })
  }
}
