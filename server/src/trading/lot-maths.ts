import { currencyByCode, currencyById, divideDown, worthDown } from '@kantor/contract/money'
import type { Rate } from '@kantor/contract/money'

/** What shares cost: their price, and the fee apart, in minor units. Base: at the rate when they were acquired. */
export interface Cost {
  readonly costMinor: bigint
  readonly feeMinor: bigint
  /** Null: the rate was not known. */
  readonly base: { readonly costMinor: bigint; readonly feeMinor: bigint } | null
}

/** What was made by selling; fees are counted as paid, above zero. Base parts add up to the total in base. */
export interface Gain {
  readonly priceMinor: bigint
  readonly feesMinor: bigint
  readonly base: {
    readonly priceMinor: bigint
    readonly currencyMinor: bigint
    readonly feesMinor: bigint
  } | null
}

export const NO_COST: Cost = { costMinor: 0n, feeMinor: 0n, base: { costMinor: 0n, feeMinor: 0n } }
export const NO_GAIN: Gain = {
  priceMinor: 0n,
  feesMinor: 0n,
  base: { priceMinor: 0n, currencyMinor: 0n, feesMinor: 0n },
}

/** An unknown part makes the whole unknown: a sum that left it out would be wrong without saying so. */
export function addCost(left: Cost, right: Cost): Cost {
  return {
    costMinor: left.costMinor + right.costMinor,
    feeMinor: left.feeMinor + right.feeMinor,
    base:
      left.base === null || right.base === null
        ? null
        : {
            costMinor: left.base.costMinor + right.base.costMinor,
            feeMinor: left.base.feeMinor + right.base.feeMinor,
          },
  }
}

/** The cost of `part` out of `whole` shares, each amount rounded down; the rest keeps what rounding left. */
export function splitCost(cost: Cost, part: bigint, whole: bigint): { taken: Cost; left: Cost } {
  const share = (minor: bigint): bigint => (part === whole ? minor : divideDown(minor * part, whole))
  const taken: Cost = {
    costMinor: share(cost.costMinor),
    feeMinor: share(cost.feeMinor),
    base:
      cost.base === null
        ? null
        : { costMinor: share(cost.base.costMinor), feeMinor: share(cost.base.feeMinor) },
  }
  const left: Cost = {
    costMinor: cost.costMinor - taken.costMinor,
    feeMinor: cost.feeMinor - taken.feeMinor,
    base:
      cost.base === null || taken.base === null
        ? null
        : {
            costMinor: cost.base.costMinor - taken.base.costMinor,
            feeMinor: cost.base.feeMinor - taken.base.feeMinor,
          },
  }
  return { taken, left }
}

/** A rate between two currencies with the digits of both, so that minor units can be converted. */
export interface MinorRate {
  readonly rate: Rate
  readonly fromScale: number
  readonly toScale: number
}

export function minorRate(currencyId: number, baseCurrency: string, rate: Rate): MinorRate {
  const [from, to] = [currencyById(currencyId), currencyByCode(baseCurrency)]
  if (from === undefined || to === undefined) throw new Error(`no currency ${currencyId} or ${baseCurrency}`)
  return { rate, fromScale: from.scale, toScale: to.scale }
}

export const inBase = (minor: bigint, { rate, fromScale, toScale }: MinorRate): bigint =>
  worthDown(minor, fromScale, toScale, rate)

/** What was paid, with its worth in base rounded down. */
export function paidCost(costMinor: bigint, feeMinor: bigint, rate: MinorRate | null): Cost {
  const base = rate === null ? null : { costMinor: inBase(costMinor, rate), feeMinor: inBase(feeMinor, rate) }
  return { costMinor, feeMinor, base }
}

/**
 * What selling (or what selling now would) make of shares of that cost. In base: all of it is the proceeds at
 * today's rate, rounded down, less the cost at the rate of its day; the price's part is (proceeds − cost) at
 * today's rate, rounded down, and the currency's part is all the rest, so that the parts add up exactly.
 */
export function gainOf(
  cost: Cost,
  proceeds: { readonly cashMinor: bigint; readonly feeMinor: bigint },
  rate: MinorRate | null,
): Gain {
  const priceMinor = proceeds.cashMinor - cost.costMinor
  const feesMinor = cost.feeMinor + proceeds.feeMinor
  if (cost.base === null || rate === null) return { priceMinor, feesMinor, base: null }
  const made = inBase(proceeds.cashMinor, rate) - cost.base.costMinor
  const price = inBase(priceMinor, rate)
  return {
    priceMinor,
    feesMinor,
    base: {
      priceMinor: price,
      currencyMinor: made - price,
      feesMinor: cost.base.feeMinor + inBase(proceeds.feeMinor, rate),
    },
  }
}

export function addGain(left: Gain, right: Gain): Gain {
  return {
    priceMinor: left.priceMinor + right.priceMinor,
    feesMinor: left.feesMinor + right.feesMinor,
    base:
      left.base === null || right.base === null
        ? null
        : {
            priceMinor: left.base.priceMinor + right.base.priceMinor,
            currencyMinor: left.base.currencyMinor + right.base.currencyMinor,
            feesMinor: left.base.feesMinor + right.base.feesMinor,
          },
  }
}

/** The same amounts in another base currency, at one rate; null: unknown. What was zero stays it. */
export function rebasedCost(cost: Cost, rate: MinorRate | null): Cost {
  if (cost.costMinor === 0n && cost.feeMinor === 0n) return { ...NO_COST }
  if (cost.base === null || rate === null) return { ...cost, base: null }
  const { costMinor, feeMinor } = cost.base
  return { ...cost, base: { costMinor: inBase(costMinor, rate), feeMinor: inBase(feeMinor, rate) } }
}

export function rebasedGain(gain: Gain, rate: MinorRate | null): Gain {
  const { priceMinor, feesMinor, base } = gain
  if (priceMinor === 0n && feesMinor === 0n && base?.currencyMinor === 0n) return gain
  if (base === null || rate === null) return { ...gain, base: null }
  return {
    priceMinor,
    feesMinor,
    base: {
      priceMinor: inBase(base.priceMinor, rate),
      currencyMinor: inBase(base.currencyMinor, rate),
      feesMinor: inBase(base.feesMinor, rate),
    },
  }
}
