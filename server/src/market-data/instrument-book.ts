import type { Queryable } from '#db'
import {
  readInstrumentById,
  readInstrumentByFormerTicker,
  readInstrumentByTicker,
  searchInstruments,
} from './instrument-queries.ts'
import { searchTokens } from './instrument-words.ts'

/** Something tradable. Its id is the asset's id in the ledger and never changes; its ticker may. */
export interface Instrument {
  readonly id: number
  /** The asset code in wallets and postings: the ticker, or `ALL.XNYS` where a currency has that code. */
  readonly code: string
  readonly ticker: string
  readonly mic: string
  readonly figi: string | null
  readonly name: string
  readonly type: 'stock' | 'etf' | 'adr'
  readonly currency: string
  readonly status: 'active' | 'delisted'
  /** The last day of trading, YYYY-MM-DD. */
  readonly delistedOn: string | null
}

export interface InstrumentBook {
  byId(id: number): Promise<Instrument | null>
  /**
   * By our id, the ticker of today, the asset code or a ticker that it had. Who trades under a ticker today goes
   * before who did formerly.
   */
  byIdOrTicker(reference: string): Promise<Instrument | null>
  /** Best first: exact ticker, ticker that begins so, first word of the name, other words, former tickers. */
  search(text: string, limit: number): Promise<Instrument[]>
}

const INSTRUMENT_TTL_MS = 10_000
const INSTRUMENTS_MAX = 8_192
const REFERENCE = /^[A-Za-z0-9][A-Za-z0-9.-]{0,19}$/

export function openInstrumentBook(q: Queryable, clock: () => Date): InstrumentBook {
  const kept = new Map<number, { instrument: Instrument; readAtMs: number }>()
  // Every order names its instrument, mostly by ticker: a query for each was a quarter of what accepting one cost.
  const idsByReference = new Map<string, { id: number; readAtMs: number }>()
  const isFresh = (known: { readAtMs: number } | undefined): boolean =>
    known !== undefined && clock().getTime() - known.readAtMs < INSTRUMENT_TTL_MS
  const keep = (instrument: Instrument | null): Instrument | null => {
    if (instrument === null) return null
    if (kept.size >= INSTRUMENTS_MAX) kept.clear()
    kept.set(instrument.id, { instrument, readAtMs: clock().getTime() })
    return instrument
  }
  const byId = async (id: number): Promise<Instrument | null> => {
    const known = kept.get(id)
    return known !== undefined && isFresh(known) ? known.instrument : keep(await readInstrumentById(q, id))
  }
  const byTicker = async (reference: string): Promise<Instrument | null> => {
    const known = idsByReference.get(reference)
    if (known !== undefined && isFresh(known)) return byId(known.id)
    const found = keep(
      (await readInstrumentByTicker(q, reference)) ?? (await readInstrumentByFormerTicker(q, reference)),
    )
    if (idsByReference.size >= INSTRUMENTS_MAX) idsByReference.clear()
    if (found !== null) idsByReference.set(reference, { id: found.id, readAtMs: clock().getTime() })
    return found
  }
  return {
    byId,
    byIdOrTicker: async (reference) => {
      if (!REFERENCE.test(reference)) return null
      // No ticker is of digits alone, so an id cannot be mistaken for one.
      return /^\d{5,7}$/.test(reference) ? byId(Number(reference)) : byTicker(reference)
    },
    search: async (text, limit) => {
      const tokens = searchTokens(text)
      return tokens.length === 0 ? [] : searchInstruments(q, { text: text.trim(), tokens, limit })
    },
  }
}
