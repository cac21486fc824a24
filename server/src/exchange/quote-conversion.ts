import { Problem } from '@kantor/contract/errors'
import type { ConversionQuoteRequest } from '@kantor/contract/api'
import { formatRate, worthDown } from '@kantor/contract/money'
import type { KnownRate, RateBook, Volatility } from '#market-data'
import { readAmount, requireAsset } from '#wallets'
import type { AssetBook, WalletAsset } from '#wallets'
import { exposureOf, rateVersionOf, REFERENCE, REFERENCE_SCALE } from './exposure.ts'
import { marginOf } from './margin.ts'
import type { Margin } from './margin.ts'
import { priceConversion } from './price-conversion.ts'
import type { FixedSide, Price } from './price-conversion.ts'
import { pairSettings } from './settings.ts'
import type { ExchangeSettings } from './settings.ts'
import type { StoredQuote } from './stored-quotes.ts'

export interface QuotingDeps {
  readonly assets: AssetBook
  readonly rates: RateBook
  readonly volatility: Volatility
  readonly settings: ExchangeSettings
  readonly clock: () => Date
  /** A UUIDv7. */
  readonly newId: () => string
}

/** An offer with the assets that it is written in. */
export interface DraftedQuote {
  readonly quote: StoredQuote
  readonly from: WalletAsset
  readonly to: WalletAsset
}

const RATE_DIGITS = 10

/**
 * What the house would offer for this request now. Nothing is kept yet.
 * @throws Problem unknown_asset, same_asset, asset_frozen, rate_unknown, rates_stale, amount_too_small and those of
 *   `readAmount`
 */
export async function draftQuote(
  deps: QuotingDeps,
  walletId: bigint,
  request: ConversionQuoteRequest,
): Promise<DraftedQuote> {
  const [from, to] = await Promise.all([
    requireAsset(deps.assets, request.from, 'from'),
    requireAsset(deps.assets, request.to, 'to'),
  ])
  if (from.id === to.id) throw new Problem('same_asset')
  if (from.frozen || to.frozen) throw new Problem('asset_frozen')
  const fixed = fixedSide(request, from, to)
  const known = requireRate(deps.rates, from, to)
  const now = deps.clock()
  const margin = await requireMargin(deps, known, { from, to, now })
  const settings = pairSettings(deps.settings, from.code, to.code)
  const result = priceConversion(
    {
      fromScale: from.scale,
      toScale: to.scale,
      mid: known.rate,
      marginBps: BigInt(margin.totalBps),
      feeBps: BigInt(settings.feeBps),
      feeMinimumMinor: feeMinimum(deps, from),
    },
    fixed,
  )
  if (!result.ok) throw new Problem(result.reason)
  return { quote: quoteOf(deps, { walletId, from, to, known, margin, price: result.price, now }), from, to }
}

/** @throws Problem as `readAmount` */
export function fixedSide(request: ConversionQuoteRequest, from: WalletAsset, to: WalletAsset): FixedSide {
  if (request.fromAmount !== undefined) {
    return { side: 'from', minor: readAmount(from, request.fromAmount, 'fromAmount').minor }
  }
  if (request.toAmount === undefined) throw new Error('a quote request without an amount passed its schema')
  return { side: 'to', minor: readAmount(to, request.toAmount, 'toAmount').minor }
}

function requireRate(rates: RateBook, from: WalletAsset, to: WalletAsset): KnownRate {
  const rate = rates.rate(from.code, to.code)
  if (rate.unknown) throw new Problem('rate_unknown')
  if (rate.stale) throw staleProblem(rate)
  return rate
}

function staleProblem(rate: KnownRate): Problem {
  const extensions = { ageSeconds: rate.ageSeconds, rateAsOf: rate.asOf.toISOString() }
  return new Problem('rates_stale', { extensions })
}

/** A rate that may have moved further than the most we would charge for it is as good as stale. */
async function requireMargin(
  deps: QuotingDeps,
  known: KnownRate,
  { from, to, now }: { from: WalletAsset; to: WalletAsset; now: Date },
): Promise<Margin> {
  const margin = marginOf({
    ...pairSettings(deps.settings, from.code, to.code),
    at: now,
    ageSeconds: known.ageSeconds,
    sigmaBpsPerSqrtHour: await deps.volatility.sigmaBpsPerSqrtHour(from.code, to.code),
  })
  if (margin.totalBps > deps.settings.marginBpsMax) throw staleProblem(known)
  return margin
}

/** The least fee in the asset paid, rounded up. */
export function feeMinimum(deps: Pick<QuotingDeps, 'rates' | 'settings'>, from: WalletAsset): bigint {
  const minimum = deps.settings.feeMinimumMinor
  if (minimum === 0n) return 0n
  const rate = deps.rates.rate(REFERENCE, from.code)
  if (rate.unknown) throw new Problem('rate_unknown')
  return -worthDown(-minimum, REFERENCE_SCALE, from.scale, rate.rate)
}

function requireExposure(rates: RateBook, from: WalletAsset, netMinor: bigint): bigint {
  const exposure = exposureOf(rates, from, netMinor)
  if (exposure === null) throw new Problem('rate_unknown')
  return exposure
}

function quoteOf(
  deps: QuotingDeps,
  given: {
    walletId: bigint
    from: WalletAsset
    to: WalletAsset
    known: KnownRate
    margin: Margin
    price: Price
    now: Date
  },
): StoredQuote {
  const { walletId, from, to, known, margin, price, now } = given
  const snapshots = [...new Set(known.legs.map((leg) => `${leg.snapshotId}`))]
  return {
    id: deps.newId(),
    walletId,
    fromAssetId: from.id,
    toAssetId: to.id,
    fromScale: from.scale,
    toScale: to.scale,
    fromMinor: price.fromMinor,
    feeMinor: price.feeMinor,
    toMinor: price.toMinor,
    midNumerator: known.rate.numerator,
    midDenominator: known.rate.denominator,
    mid: known.mid,
    rate: formatRate(price.rate, RATE_DIGITS, 'down'),
    baseBps: margin.baseBps,
    weekendBps: margin.weekendBps,
    ageBps: margin.ageBps,
    rateSource: known.source,
    rateAsOf: known.asOf,
    rateSnapshots: snapshots,
    rateVersion: rateVersionOf(known),
    roundingNumerator: price.rounding.numerator,
    roundingDenominator: price.rounding.denominator,
    exposureMinor: requireExposure(deps.rates, from, price.netMinor),
    createdAt: now,
    expiresAt: new Date(now.getTime() + deps.settings.quoteTtlSeconds * 1_000),
  }
}
