import type { StockPrices } from './providers/stock-provider.ts'

export interface CandleDraft extends StockPrices {
  readonly instrumentId: number
  readonly startAt: Date
}

/** Feeds write doubles, so a price may be `28.445999999999998`; the reader of providers bounds its digits. */
const PLAIN_DECIMAL = /^(?:0|[1-9]\d*)(?:\.\d+)?$/
const VOLUME = /^\d+(?:\.\d+)?$/
const CHARS_MAX = 40
/** 15 significant digits: so far, comparing them as doubles is exact. */
const DOUBLE_CHARS_MAX = 16
const PRICE_MAX = 1e12
const VOLUME_MAX = 1e15

/** Whether the database would take it. All of its texts are then digits with a point at most. */
export function isSane({ open, high, low, close, volume, startAt }: CandleDraft): boolean {
  return (
    isPrice(open) &&
    isPrice(high) &&
    isPrice(low) &&
    isPrice(close) &&
    Number(low) > 0 &&
    isAtMost(low, open) &&
    isAtMost(low, close) &&
    isAtMost(open, high) &&
    isAtMost(close, high) &&
    Number(high) < PRICE_MAX &&
    isVolume(volume) &&
    !Number.isNaN(startAt.getTime())
  )
}

const isPrice = (text: string): boolean => text.length <= CHARS_MAX && PLAIN_DECIMAL.test(text)

const isVolume = (text: string): boolean =>
  text.length <= CHARS_MAX && VOLUME.test(text) && Number(text) < VOLUME_MAX

/** The database compares every digit and refuses a whole batch for one wrong row, so all of them are compared here. */
function isAtMost(low: string, high: string): boolean {
  if (low.length <= DOUBLE_CHARS_MAX && high.length <= DOUBLE_CHARS_MAX) return Number(low) <= Number(high)
  const [lowWhole = '', lowDecimals = ''] = low.split('.')
  const [highWhole = '', highDecimals = ''] = high.split('.')
  const digits = Math.max(lowDecimals.length, highDecimals.length)
  return (
    BigInt(lowWhole + lowDecimals.padEnd(digits, '0')) <= BigInt(highWhole + highDecimals.padEnd(digits, '0'))
  )
}

/** Minutes since 1970 stay below it for a century; ids are below 2^20, so keys are safe integers. */
const KEYS_PER_INSTRUMENT = 2 ** 27

/** One of an instrument's minutes: no two candles of a span may have the same. Greater by instrument, then by time. */
export function keyOf({ instrumentId, startAt }: CandleDraft): number {
  return instrumentId * KEYS_PER_INSTRUMENT + Math.floor(startAt.getTime() / 60_000)
}
