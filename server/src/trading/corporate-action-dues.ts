import {
  bpsDown,
  currencyByCode,
  divideDown,
  INSTRUMENT_SCALE,
  parseRate,
  worthDown,
} from '@kantor/contract/money'
import type { Currency, Rate } from '@kantor/contract/money'
import type { CorporateAction } from '#market-data'

/** What a company's act gives the holders of its shares: the other acts move nothing. */
export type GivingAction = Extract<CorporateAction, { kind: 'split' | 'dividend' }>

/** Shares or minor units of money, and what of it is kept back as tax. Below zero: taken. */
export interface Due {
  readonly amount: bigint
  readonly withheld: bigint
}

/** What less than a billionth of a share comes to after a split. */
export interface Dust {
  /** Of a billionth of a share: less than 1. */
  readonly numerator: bigint
  readonly denominator: bigint
  /** Rounded down; 0: worth less than a minor unit, or the price is unknown. */
  readonly paidMinor: bigint
}

export interface Dues {
  /** By asset. */
  readonly byAsset: ReadonlyMap<number, Due>
  /** Null: none, or no split. */
  readonly dust: Dust | null
}

export interface PriceAfter {
  readonly rate: Rate
  readonly currencyId: number
  readonly code: string
  readonly scale: number
}

export interface DueTerms {
  readonly instrumentId: number
  readonly withholdingBps: number
  /** The last price of a share as it is after the split, in the instrument's currency, exactly; null: unknown. */
  readonly priceAfter: PriceAfter | null
}

/** All that an action comes to for so many shares, rounded down: less than a unit stays with the house. */
export function duesOf(action: GivingAction, entitled: bigint, terms: DueTerms): Dues {
  return action.kind === 'dividend'
    ? dividendDues(action, entitled, terms)
    : splitDues(action, entitled, terms)
}

function dividendDues(
  action: Extract<GivingAction, { kind: 'dividend' }>,
  entitled: bigint,
  { withholdingBps }: DueTerms,
): Dues {
  const { id, scale } = requireCurrency(action.currency)
  const amount = worthDown(entitled, INSTRUMENT_SCALE, scale, exactRate(action.amountPerShare))
  const withheld = bpsDown(amount, BigInt(withholdingBps))
  return { byAsset: new Map([[id, { amount, withheld }]]), dust: null }
}

function splitDues(
  action: Extract<GivingAction, { kind: 'split' }>,
  entitled: bigint,
  { instrumentId, priceAfter }: DueTerms,
): Dues {
  const { numerator, denominator } = splitRatio(action)
  const whole = divideDown(entitled * numerator, denominator)
  const rest = entitled * numerator - whole * denominator
  const byAsset = new Map([[instrumentId, { amount: whole - entitled, withheld: 0n }]])
  if (rest === 0n) return { byAsset, dust: null }
  const paidMinor =
    priceAfter === null
      ? 0n
      : divideDown(
          rest * priceAfter.rate.numerator * 10n ** BigInt(priceAfter.scale),
          denominator * priceAfter.rate.denominator * 10n ** BigInt(INSTRUMENT_SCALE),
        )
  if (priceAfter !== null && paidMinor > 0n)
    byAsset.set(priceAfter.currencyId, { amount: paidMinor, withheld: 0n })
  return { byAsset, dust: { numerator: rest, denominator, paidMinor } }
}

/** New shares for an old one. */
export function splitRatio({ from, to }: Extract<GivingAction, { kind: 'split' }>): Rate {
  const [old, made] = [exactRate(from), exactRate(to)]
  return {
    numerator: made.numerator * old.denominator,
    denominator: made.denominator * old.numerator,
  }
}

export function exactRate(text: string): Rate {
  const read = parseRate(text)
  if (!read.ok) throw new Error(`a corporate action says ${text}, which is no number to reckon with`)
  return read.rate
}

export function requireCurrency(code: string): Currency {
  const currency = currencyByCode(code)
  if (currency === undefined) throw new Error(`a dividend in ${code}, which is no currency here`)
  return currency
}
