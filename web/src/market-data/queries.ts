import { useQuery } from '@pinia/colada'
import { listAssets, listRates } from '#api'

export const useAssets = () => useQuery({ key: ['assets'], query: listAssets, staleTime: 300_000 })

export const useRates = (base: () => string) =>
  useQuery({ key: () => ['rates', base()], query: () => listRates(base()), staleTime: 30_000 })
