/** How the house deals in instruments. Basis points are whole numbers; amounts are minor units of the instrument's currency. */
export interface TradingSettings {
  /** The schedule of fees: so much of the value of the shares, and the least for an order, however many parts. */
  readonly feeBps: number
  readonly feeMinimumMinor: bigint
  /** Where a feed has no bid and ask: what lies between its last price and ours, each way. */
  readonly halfSpreadBps: number
  /** Set aside beyond the present price for a purchase at the market: what it may rise until the fill. */
  readonly cushionBps: number
  /** The same for the exchange rate of an order that is paid in another currency. */
  readonly rateCushionBps: number
  /** A limit may be this much worse than the market: past it, it is a slip of the finger. */
  readonly limitBandBps: number
  /** Shares (scale 9) that one price fills of one order at most; null: any number. */
  readonly sharesPerPriceMax: bigint | null
  /** How long after a session's end its prices may still come in, by the kind of feed. */
  readonly graceSeconds: Readonly<Record<'realTime' | 'delayed' | 'endOfDay', number>>
}

/**
 * 0.25 %, at least 1.00 USD an order. 5 % is more than nearly any large stock moves between two prices, and what is
 * not used comes back with the fill. A delayed feed is 15 minutes behind; a day's close comes within the night.
 */
export const DEFAULT_TRADING_SETTINGS: TradingSettings = {
  feeBps: 25,
  feeMinimumMinor: 100n,
  halfSpreadBps: 5,
  cushionBps: 500,
  rateCushionBps: 200,
  limitBandBps: 1_000,
  sharesPerPriceMax: null,
  graceSeconds: { realTime: 120, delayed: 2_700, endOfDay: 86_400 },
}

/** @throws RangeError, so that the start fails and no order does. */
export function checkTradingSettings(settings: TradingSettings): TradingSettings {
  const shares = ['feeBps', 'halfSpreadBps', 'cushionBps', 'rateCushionBps', 'limitBandBps'] as const
  for (const name of shares) {
    const value = settings[name]
    if (!Number.isInteger(value) || value < 0 || value >= 10_000) {
      throw new RangeError(`trading settings: ${name} must be a whole number from 0 to 9999, got ${value}`)
    }
  }
  if (settings.feeMinimumMinor < 0n) throw new RangeError('trading settings: the least fee is below zero')
  if (settings.sharesPerPriceMax !== null && settings.sharesPerPriceMax <= 0n) {
    throw new RangeError('trading settings: sharesPerPriceMax must be above zero')
  }
  return settings
}
