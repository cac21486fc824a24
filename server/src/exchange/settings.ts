/** What the operator may set for one pair, both ways; what is left out is the house's usual. */
export interface PairSettings {
  readonly baseBps?: number
  readonly weekendBps?: number
  readonly feeBps?: number
}

/** How the house deals. Basis points are whole numbers; amounts are minor units of EUR, the rates' own base. */
export interface ExchangeSettings extends Required<PairSettings> {
  /** Keyed by two codes in either order: `EUR/PLN`. */
  readonly pairs: Readonly<Record<string, PairSettings>>
  /** Beyond this the rate is too uncertain to deal at, and the quote is refused as stale. */
  readonly marginBpsMax: number
  /** The least fee, in euro cents, turned into the asset paid at mid and rounded up. */
  readonly feeMinimumMinor: bigint
  readonly quoteTtlSeconds: number
  /** Firm offers that one customer may hold at a time: each is an option that costs nothing. */
  readonly liveQuotesMax: number
  /** What may be exchanged of one pair, one way, at one version of its rate, in euro cents: by one customer, by all. */
  readonly exposureCustomerMinor: bigint
  readonly exposureOverallMinor: bigint
}

/**
 * Where an operator starts from: round figures, not measurements. A margin of 0.4 % beside a fee of 0.1 % that is
 * seen on its own; over a weekend nothing moves here while it may elsewhere, so that costs about as much again.
 * Thirty live quotes are what a page asks for that refreshes each second of a quote's life while somebody types.
 */
export const DEFAULT_EXCHANGE_SETTINGS: ExchangeSettings = {
  baseBps: 40,
  weekendBps: 50,
  feeBps: 10,
  pairs: {},
  marginBpsMax: 2_000,
  feeMinimumMinor: 0n,
  quoteTtlSeconds: 30,
  liveQuotesMax: 30,
  exposureCustomerMinor: 25_000_000n,
  exposureOverallMinor: 250_000_000n,
}

/** The settings of a pair, whichever way round it is dealt and was written. */
export function pairSettings(settings: ExchangeSettings, from: string, to: string): Required<PairSettings> {
  const own = settings.pairs[`${from}/${to}`] ?? settings.pairs[`${to}/${from}`] ?? {}
  return {
    baseBps: own.baseBps ?? settings.baseBps,
    weekendBps: own.weekendBps ?? settings.weekendBps,
    feeBps: own.feeBps ?? settings.feeBps,
  }
}

/** @throws RangeError for settings that could give a price without a spread, so that the start fails and no quote does. */
export function checkExchangeSettings(settings: ExchangeSettings): ExchangeSettings {
  const whole = (name: string, value: number, least: number, most: number) => {
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new RangeError(
        `exchange settings: ${name} must be a whole number from ${least} to ${most}, got ${value}`,
      )
    }
  }
  whole('marginBpsMax', settings.marginBpsMax, 1, 9_999)
  whole('quoteTtlSeconds', settings.quoteTtlSeconds, 1, 3_600)
  whole('liveQuotesMax', settings.liveQuotesMax, 1, 1_000)
  for (const [pair, own] of [['every pair', settings] as const, ...Object.entries(settings.pairs)]) {
    whole(`baseBps of ${pair}`, own.baseBps ?? settings.baseBps, 1, settings.marginBpsMax)
    whole(`weekendBps of ${pair}`, own.weekendBps ?? settings.weekendBps, 0, settings.marginBpsMax)
    whole(`feeBps of ${pair}`, own.feeBps ?? settings.feeBps, 0, 5_000)
  }
  if (
    settings.feeMinimumMinor < 0n ||
    settings.exposureCustomerMinor <= 0n ||
    settings.exposureOverallMinor <= 0n
  ) {
    throw new RangeError('exchange settings: amounts must be above zero, the least fee at least zero')
  }
  return settings
}
