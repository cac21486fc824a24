import type { Instrument, Orders, Rates, Wallet } from '@kantor/contract/api'
import { useQueryCache } from '@pinia/colada'
import { readAnew } from '#api'
import { onLive } from './live.ts'
import { instrumentsWith, instrumentWith, openOrdersWith, ratesWith, walletWith } from './patch.ts'

/** What an operation may have changed beside the balances; read anew, since only the server can reckon it. */
const AFTER_OPERATION = ['wallet', 'worth', 'operations', 'positions']
const AFTER_ORDER = ['orders', 'positions']
/** What may have changed unheard. */
const EVERYTHING = ['wallet', 'worth', 'operations', 'orders', 'positions', 'watchlist', 'notices', 'rates']

/** Many changes at once lead to one reading, and a stream of them to one a second. */
const GATHER_MS = 1_000
/** A portfolio is worth something else with every price. */
const WORTH_GATHER_MS = 5_000

/**
 * An endless list is read anew page by page. Somebody far down in it does not see what is new at its top; it is read
 * anew when they come to it again.
 */
const PAGES_READ_ANEW_MAX = 3

function isLong(data: unknown): boolean {
  const pages = typeof data === 'object' && data !== null && 'pages' in data ? data.pages : null
  return Array.isArray(pages) && pages.length > PAGES_READ_ANEW_MAX
}

/** Changes what pages hold by what the stream tells, and has read anew what it cannot tell. */
export function usePatches(): void {
  const cache = useQueryCache()
  const due = new Map<string, ReturnType<typeof setTimeout>>()

  function readSoon(names: readonly string[], afterMs: number): void {
    for (const name of names) {
      if (due.has(name)) continue
      const read = () => {
        due.delete(name)
        readAnew(cache, { key: [name], predicate: (entry) => !isLong(entry.state.value.data) })
        void cache.invalidateQueries(
          { key: [name], predicate: (entry) => isLong(entry.state.value.data) },
          false,
        )
      }
      due.set(name, setTimeout(read, afterMs))
    }
  }
  /** Those that hold something already; what is not loaded will be new when it is. */
  function patch<Data>(name: string, change: (held: Data) => Data): void {
    for (const entry of cache.getEntries({ key: [name] })) {
      const held = entry.state.value.data as Data | undefined
      if (held === undefined) continue
      const next = change(held)
      if (next !== held) cache.setQueryData(entry.key, next)
    }
  }

  onLive('hello', ({ resumed }) => {
    if (!resumed) readSoon(EVERYTHING, 0)
  })
  onLive('reset', () => readSoon(EVERYTHING, 0))
  onLive('balances', (told) => patch<Wallet>('wallet', (wallet) => walletWith(wallet, told)))
  onLive('operation', () => readSoon(AFTER_OPERATION, GATHER_MS))
  onLive('order', (told) => {
    for (const { key } of cache.getEntries({ key: ['orders', 'open'] })) {
      const held = cache.getQueryData<Orders>(key)
      if (held !== undefined) cache.setQueryData(key, openOrdersWith(held, told))
    }
    readSoon(AFTER_ORDER, GATHER_MS)
  })
  onLive('price', (told) => {
    const nowMs = Date.now()
    patch<Instrument>('instrument', (instrument) => instrumentWith(instrument, told, nowMs))
    for (const list of ['watchlist', 'instruments'])
      patch<{ items: Instrument[] }>(list, (held) => instrumentsWith(held, told, nowMs))
    readSoon(['positions'], WORTH_GATHER_MS)
  })
  onLive('rate', (told) => patch<Rates>('rates', (rates) => ratesWith(rates, told, Date.now())))
  onLive('notice', () => readSoon(['notices'], 0))
}
