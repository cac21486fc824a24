import { JsonNumber, plainDecimal } from './exact-json.ts'
import { newYorkDate, newYorkMidnight } from './new-york.ts'
import { momentOf } from './polygon-request.ts'
import type { StockBar, StockPrices } from './stock-provider.ts'

export type Row = Readonly<Record<string, unknown>>
export type Read<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly why: string }

/** A share for more than this is a broken feed: the dearest one there is costs under a million. */
const PRICE_MAX = 100_000_000
const VOLUME_MAX = 1e15
const DECIMALS_MAX = 18

export function isRow(value: unknown): value is Row {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
  )
}

/** A ticker as exchanges write them: `BRK.B`, `BACpB`, `CIG.C`. */
export function tickerIn(value: unknown): string | null {
  return typeof value === 'string' && /^[A-Z0-9][A-Za-z0-9.-]{0,19}$/.test(value) ? value : null
}

/** A positive price as plain decimal text, or null. */
export function priceIn(value: unknown): string | null {
  const text = decimalIn(value)
  if (text === null) return null
  const price = Number(text)
  return price <= 0 || price > PRICE_MAX ? null : text
}

/** A size or volume, which may be zero, fractional, or written with an exponent; as plain decimal text. */
export function volumeIn(value: unknown): string | null {
  const text = decimalIn(value)
  return text === null || Number(text) > VOLUME_MAX ? null : text
}

/** Beyond so many decimals it is noise of a float, and more than the database is to keep. */
function decimalIn(value: unknown): string | null {
  const text = value instanceof JsonNumber ? plainDecimal(value.source) : null
  if (text === null) return null
  const point = text.indexOf('.')
  return point >= 0 && text.length - point - 1 > DECIMALS_MAX ? null : text
}

/** Open, high, low, close and volume of a row that names them `o h l c v`, and `vw` where it has one. */
export function pricesIn(row: Row): Read<StockPrices> {
  const open = priceIn(row['o'])
  const high = priceIn(row['h'])
  const low = priceIn(row['l'])
  const close = priceIn(row['c'])
  if (open === null || high === null || low === null || close === null) return { ok: false, why: 'price' }
  const volume = volumeIn(row['v'])
  if (volume === null) return { ok: false, why: 'volume' }
  // A double is enough to prove the wrong order: rounding never swaps two numbers.
  const lowest = Math.min(Number(open), Number(close))
  const highest = Math.max(Number(open), Number(close))
  if (lowest < Number(low) || highest > Number(high)) return { ok: false, why: 'high_low' }
  return { ok: true, value: { open, high, low, close, volume, vwap: priceIn(row['vw']) } }
}

/** A bar of `row`, which is stamped in ms by `t`. Days and weeks are moved to midnight in New York. */
export function barIn(ticker: string, row: Row, wholeDays: boolean): Read<StockBar> {
  const prices = pricesIn(row)
  if (!prices.ok) return prices
  const stamp = momentOf(row['t'])
  if (stamp === null) return { ok: false, why: 'time' }
  const date = newYorkDate(stamp.at.getTime())
  const startAt = wholeDays ? new Date(newYorkMidnight(date)) : stamp.at
  return { ok: true, value: { ticker, startAt, date, ...prices.value, trades: countIn(row['n']) } }
}

function countIn(value: unknown): number | null {
  return value instanceof JsonNumber && /^[0-9]{1,12}$/.test(value.source) ? Number(value.source) : null
}
