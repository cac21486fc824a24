import { useQuery } from '@pinia/colada'
import { getInstrument } from '#api'
import { useOnScreen } from '#live'
import { pollUnlessLive, pollWhileSeen } from './poll-while-seen.ts'

const PRICE_SECONDS = 5
/** Market hours, ranges and volume are not streamed. */
const REST_SECONDS = 60

/** One instrument with its price, which follows the market while it is on screen. */
export function useInstrument(ref: () => string, seconds = PRICE_SECONDS) {
  const query = useQuery({
    key: () => ['instrument', ref()],
    query: () => getInstrument(ref()),
    staleTime: 2_000,
  })
  const id = () => query.data.value?.id
  useOnScreen(() => ({ instruments: id() === undefined ? [] : [id() ?? ''] }))
  pollUnlessLive(() => query.refresh(), seconds)
  pollWhileSeen(() => query.refresh(), REST_SECONDS)
  return query
}
