import { currencyByCode } from '@kantor/contract/money'
import type { Instrument } from './instrument-book.ts'
import type { StockTicker } from './providers/stock-provider.ts'

/** What the provider lists, as far as we offer it. */
export interface Listing {
  readonly ticker: string
  readonly mic: string
  readonly figi: string | null
  readonly name: string
  readonly type: Instrument['type']
  readonly currency: string
}

export interface InstrumentPlan {
  readonly added: readonly (Listing & { readonly code: string })[]
  /** The same instrument under another ticker, found by its FIGI. */
  readonly renamed: readonly {
    readonly id: number
    readonly from: string
    readonly to: Listing
    readonly code: string
  }[]
  /** Name, market or FIGI changed. */
  readonly changed: readonly { readonly id: number; readonly to: Listing }[]
  /** Active with us, and no longer listed: to be looked at one by one. */
  readonly missing: readonly Instrument[]
  /** Delisted with us and listed again. */
  readonly relisted: readonly { readonly id: number; readonly to: Listing; readonly code: string }[]
  /** Listed without a code that the contract allows. */
  readonly unnamed: readonly string[]
}

const CODE = /^[A-Z0-9][A-Z0-9.]{0,11}$/
const NAME_CHARS_MAX = 120
/** A share class of the same company can be told apart by nothing but these. */
const CODE_TRIES_MAX = 9

/** What is offered: shares, funds and receipts in a currency that we know. */
export function listingOf(ticker: StockTicker): Listing | null {
  if (ticker.type === 'other' || !ticker.active || currencyByCode(ticker.currency) === undefined) return null
  const name = ticker.name.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, ' ').trim()
  if (!/^[A-Za-z0-9][A-Za-z0-9.-]{0,19}$/.test(ticker.ticker) || /^\d+$/.test(ticker.ticker)) return null
  return {
    ticker: ticker.ticker,
    mic: ticker.mic !== null && /^[A-Z0-9]{4}$/.test(ticker.mic) ? ticker.mic : 'XXXX',
    figi: ticker.figi,
    name: (name === '' ? ticker.ticker : name).slice(0, NAME_CHARS_MAX),
    type: ticker.type,
    currency: ticker.currency,
  }
}

/**
 * Compares the whole list with what we hold. The FIGI says who is who: the same one under another ticker is a
 * rename, and another one under the same ticker is a newcomer to a ticker that was given up. Without FIGIs the
 * ticker has to do.
 */
export function planInstruments(held: readonly Instrument[], listings: readonly Listing[]): InstrumentPlan {
  const active = held.filter(({ status }) => status === 'active')
  const byTicker = new Map(active.map((instrument) => [instrument.ticker, instrument]))
  const byFigi = new Map(held.flatMap((one) => (one.figi === null ? [] : [[one.figi, one] as const])))
  const codes = new Set(held.map(({ code }) => code))
  const seen = new Set<number>()
  const plan = { added: [], renamed: [], changed: [], relisted: [], unnamed: [] } as {
    -readonly [Key in Exclude<keyof InstrumentPlan, 'missing'>]: InstrumentPlan[Key][number][]
  }
  for (const to of new Map(listings.map((listing) => [listing.ticker, listing])).values()) {
    const same = findSame(to, byTicker, byFigi)
    if (same !== null) seen.add(same.id)
    if (same !== null && same.status === 'active' && same.ticker === to.ticker) {
      if (differs(same, to)) plan.changed.push({ id: same.id, to })
      continue
    }
    // A delisted one's own code is its own: it may come back under it.
    const code = same?.status === 'delisted' && same.ticker === to.ticker ? same.code : codeFor(to, codes)
    if (code === null) plan.unnamed.push(to.ticker)
    else {
      codes.add(code)
      if (same === null) plan.added.push({ ...to, code })
      else if (same.status === 'delisted') plan.relisted.push({ id: same.id, to, code })
      else plan.renamed.push({ id: same.id, from: same.ticker, to, code })
    }
  }
  return { ...plan, missing: active.filter(({ id }) => !seen.has(id)) }
}

function findSame(
  listing: Listing,
  byTicker: ReadonlyMap<string, Instrument>,
  byFigi: ReadonlyMap<string, Instrument>,
): Instrument | null {
  const known = listing.figi === null ? undefined : byFigi.get(listing.figi)
  if (known !== undefined) return known
  const sameTicker = byTicker.get(listing.ticker)
  if (sameTicker === undefined) return null
  const another = sameTicker.figi !== null && listing.figi !== null && sameTicker.figi !== listing.figi
  return another ? null : sameTicker
}

function differs(held: Instrument, to: Listing): boolean {
  return (
    held.name !== to.name ||
    held.mic !== to.mic ||
    held.type !== to.type ||
    (to.figi !== null && held.figi !== to.figi)
  )
}

/** The ticker, or with its market where a currency or another instrument has that code: `ALL.XNYS`. */
export function codeFor(
  { ticker, mic }: Pick<Listing, 'ticker' | 'mic'>,
  taken: ReadonlySet<string>,
): string | null {
  const plain = ticker.toUpperCase().replaceAll(/[^A-Z0-9.]/g, '.')
  const numbered = Array.from({ length: CODE_TRIES_MAX }, (_, index) => `${plain}.${index + 2}`)
  const candidates = [plain, `${plain}.${mic}`, ...numbered]
  const free = (code: string) => CODE.test(code) && !taken.has(code) && currencyByCode(code) === undefined
  return candidates.find(free) ?? null
}
