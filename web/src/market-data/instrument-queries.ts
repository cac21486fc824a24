import { useQuery } from '@pinia/colada'
import { getInstrument } from '#api'
import { pollWhileSeen } from './poll-while-seen.ts'

const PRICE_SECONDS = 5

/** One instrument with its price, which is asked for again every few seconds while it is on screen. */
export function useInstrument(ref: () => string, seconds = PRICE_SECONDS) {
  const query = useQuery({
    key: () => ['instrument', ref()],
    query: () => getInstrument(ref()),
    staleTime: 2_000,
  })
  pollWhileSeen(() => query.refresh(), seconds)
  return query
}
