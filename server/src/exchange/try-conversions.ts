import { Problem } from '@kantor/contract/errors'
import type { DryRun } from '@kantor/contract/api'
import { applyBps, formatAmount, formatRate, rateOf } from '@kantor/contract/money'
import type { Rate } from '@kantor/contract/money'
import type { Queryable } from '#db'
import { pairPast } from '#market-data'
import type { PairPast, PastRate, RateProvider } from '#market-data'
import { runsOfPastYear, yearBefore } from '#rules'
import { requireAsset } from '#wallets'
import type { WalletAsset } from '#wallets'
import { isGoodEnough } from './conversion-order-rule.ts'
import type { ConversionOrderDefinition } from './conversion-order-rule.ts'
import { marginOf } from './margin.ts'
import { priceConversion } from './price-conversion.ts'
import type { FixedSide, Price } from './price-conversion.ts'
import { feeMinimum, fixedSide } from './quote-conversion.ts'
import type { QuotingDeps } from './quote-conversion.ts'
import type { RecurringConversionDefinition } from './recurring-conversion-rule.ts'
import type { DealDefinition } from './rule-deals.ts'
import { pairSettings } from './settings.ts'

export interface TryDeps extends QuotingDeps {
  readonly db: Queryable
  readonly providers: readonly RateProvider[]
}

/** Easter's pause of daily feeds: a rate that is older said nothing of its day. */
const RATE_AGE_SECONDS_MAX = 453_600
const RATE_DIGITS = 10

interface Trial {
  readonly from: WalletAsset
  readonly to: WalletAsset
  readonly fixed: FixedSide
  readonly feeMinimumMinor: bigint
  readonly past: PairPast | null
}

interface TriedRun {
  readonly at: Date
  /** Null: no rate is stored that was good then. */
  readonly dealt: { readonly price: Price; readonly asOf: Date } | null
}

/**
 * What converting every week or month would have brought: each run at the last rate that is stored of its time, with
 * today's margin and fee, without the margin's term for a rate's age, which is not known of the past.
 */
export async function tryRecurring(
  deps: TryDeps,
  { schedule, ...deal }: RecurringConversionDefinition,
): Promise<DryRun> {
  const now = deps.clock()
  const { from, runs } = runsOfPastYear(schedule, now)
  const trial = await begin(deps, deal, { from, to: now })
  const dealt = runs.map((at): TriedRun => {
    const known = rateAt(trial.past, at)
    return { at, dealt: known && { price: priceAt(deps, trial, known.rate, at), asOf: known.asOf } }
  })
  return report(deps, trial, { from, to: now, runs: dealt })
}

/** When the limit would first have been met, and what that would have brought. */
export async function tryOrder(
  deps: TryDeps,
  { limit, ...deal }: ConversionOrderDefinition,
): Promise<DryRun> {
  const now = deps.clock()
  const from = yearBefore(now)
  const trial = await begin(deps, deal, { from, to: now })
  const met = trial.past?.rates.find(({ asOf, rate }) =>
    isGoodEnough(applyBps(rate, marginBps(deps, trial, asOf), 'down'), limit, deal.from),
  )
  const runs: TriedRun[] =
    met === undefined
      ? []
      : [{ at: met.asOf, dealt: { price: priceAt(deps, trial, met.rate, met.asOf), asOf: met.asOf } }]
  return report(deps, trial, { from, to: now, runs })
}

async function begin(
  deps: TryDeps,
  deal: DealDefinition,
  range: { readonly from: Date; readonly to: Date },
): Promise<Trial> {
  const [from, to] = await Promise.all([
    requireAsset(deps.assets, deal.from, 'from'),
    requireAsset(deps.assets, deal.to, 'to'),
  ])
  const pair = { base: from.code, counter: to.code }
  // The rate of the first day may be some days old.
  const since = new Date(range.from.getTime() - RATE_AGE_SECONDS_MAX * 1_000)
  const past = await pairPast(deps.db, deps.providers, { ...pair, from: since, to: range.to })
  return { from, to, fixed: fixedSide(deal, from, to), feeMinimumMinor: feeMinimum(deps, from), past }
}

/** The last rate at or before a moment, if it is not too old to say anything of it. */
function rateAt(past: PairPast | null, at: Date): PastRate | null {
  const known = past?.rates.findLast(({ asOf }) => asOf <= at)
  if (known === undefined) return null
  return at.getTime() - known.asOf.getTime() > RATE_AGE_SECONDS_MAX * 1_000 ? null : known
}

function marginBps(deps: TryDeps, { from, to }: Pick<Trial, 'from' | 'to'>, at: Date): bigint {
  const settings = pairSettings(deps.settings, from.code, to.code)
  return BigInt(marginOf({ ...settings, at, ageSeconds: 0, sigmaBpsPerSqrtHour: 0 }).totalBps)
}

/** @throws Problem amount_too_small, amount_too_large */
function priceAt(deps: TryDeps, trial: Trial, mid: Rate, at: Date): Price {
  const { from, to, fixed, feeMinimumMinor } = trial
  const result = priceConversion(
    {
      fromScale: from.scale,
      toScale: to.scale,
      mid,
      marginBps: marginBps(deps, trial, at),
      feeBps: BigInt(pairSettings(deps.settings, from.code, to.code).feeBps),
      feeMinimumMinor,
    },
    fixed,
  )
  if (!result.ok) throw new Problem(result.reason)
  return result.price
}

function report(
  deps: TryDeps,
  trial: Trial,
  tried: { readonly from: Date; readonly to: Date; readonly runs: readonly TriedRun[] },
): DryRun {
  const { from, to, past } = trial
  const prices = tried.runs.flatMap(({ dealt }) => (dealt === null ? [] : [dealt.price]))
  const paid = (minor: bigint) => ({ asset: from.code, amount: formatAmount(minor, from.scale) })
  const got = (minor: bigint) => ({ asset: to.code, amount: formatAmount(minor, to.scale) })
  const first = past?.rates.at(0)
  const last = past?.rates.at(-1)
  return {
    from: tried.from.toISOString(),
    to: tried.to.toISOString(),
    runs: tried.runs.map(({ at, dealt }) =>
      dealt === null
        ? { at: at.toISOString(), outcome: 'unknown' }
        : {
            at: at.toISOString(),
            outcome: 'done',
            from: paid(dealt.price.fromMinor),
            to: got(dealt.price.toMinor),
            rate: formatRate(dealt.price.rate, RATE_DIGITS, 'down'),
            rateAsOf: dealt.asOf.toISOString(),
          },
    ),
    totals: {
      runs: prices.length,
      unknown: tried.runs.length - prices.length,
      from: prices.length === 0 ? null : paid(sumOf(prices, 'fromMinor')),
      to: prices.length === 0 ? null : got(sumOf(prices, 'toMinor')),
      averageRate: prices.length === 0 ? null : averageRate(trial, prices),
    },
    today: todayOf(deps, trial, tried.to),
    data:
      past === null || first === undefined || last === undefined
        ? null
        : {
            source: past.source,
            simulated: past.simulated,
            first: first.asOf.toISOString(),
            last: last.asOf.toISOString(),
            points: past.rates.length,
          },
  }
}

const sumOf = (prices: readonly Price[], name: 'fromMinor' | 'netMinor' | 'toMinor'): bigint =>
  prices.reduce((sum, price) => sum + price[name], 0n)

/** All that was received over all that was exchanged: each run weighs as much as it moved. */
function averageRate({ from, to }: Trial, prices: readonly Price[]): string {
  const received = sumOf(prices, 'toMinor') * 10n ** BigInt(from.scale)
  const exchanged = sumOf(prices, 'netMinor') * 10n ** BigInt(to.scale)
  return formatRate(rateOf(received, exchanged), RATE_DIGITS, 'halfEven')
}

function todayOf(deps: TryDeps, trial: Trial, now: Date): DryRun['today'] {
  const known = deps.rates.rate(trial.from.code, trial.to.code)
  if (known.unknown) return null
  const rate = applyBps(known.rate, marginBps(deps, trial, now), 'down')
  return { rate: formatRate(rate, RATE_DIGITS, 'down'), rateAsOf: known.asOf.toISOString() }
}
