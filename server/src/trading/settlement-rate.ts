import type { Rate } from '@kantor/contract/money'
import { marginOf, pairSettings, rateVersionOf } from '#exchange'
import type { ExchangeSettings } from '#exchange'
import type { RateBook, Volatility } from '#market-data'

export interface SettlementDeps {
  readonly rates: RateBook
  readonly volatility: Volatility
  /** Margins are the exchange's own, so that a trade is no cheaper way to convert. */
  readonly exchangeSettings: ExchangeSettings
  readonly clock: () => Date
}

/** 1 of the instrument's currency = mid of the settling one, with the house's margin and what explains both. */
export interface SettlementQuote {
  readonly mid: Rate
  readonly midText: string
  readonly marginBps: number
  readonly source: string
  readonly asOf: Date
  readonly snapshotIds: readonly string[]
  /** What the exchange's caps on exposure are counted by. */
  readonly rateVersion: string
}

/** Refused: there is none to deal at, being unknown, too old, or moved further than the margin may be. */
export async function settlementQuote(
  deps: SettlementDeps,
  currency: string,
  settle: string,
): Promise<SettlementQuote | { readonly refused: 'unknown' | 'stale'; readonly ageSeconds: number }> {
  const known = deps.rates.rate(currency, settle)
  if (known.unknown) return { refused: 'unknown', ageSeconds: 0 }
  if (known.stale) return { refused: 'stale', ageSeconds: known.ageSeconds }
  const margin = marginOf({
    ...pairSettings(deps.exchangeSettings, currency, settle),
    at: deps.clock(),
    ageSeconds: known.ageSeconds,
    sigmaBpsPerSqrtHour: await deps.volatility.sigmaBpsPerSqrtHour(currency, settle),
  })
  if (margin.totalBps > deps.exchangeSettings.marginBpsMax) {
    return { refused: 'stale', ageSeconds: known.ageSeconds }
  }
  return {
    mid: known.rate,
    midText: known.mid,
    marginBps: margin.totalBps,
    source: known.source,
    asOf: known.asOf,
    rateVersion: rateVersionOf(known),
    snapshotIds: [...new Set(known.legs.map(({ snapshotId }) => `${snapshotId}`))],
  }
}
