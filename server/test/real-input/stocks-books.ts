import { decimal, quotient, trimmed, written } from './exact.ts'
import type { SampleDay } from './stocks-sample.ts'

// What a holder of real stocks must have, by arithmetic of its own: whole numbers, and the house's terms as its
// documents say them. It shares nothing with the program.

export interface Deal {
  readonly ticker: string
  readonly side: 'buy' | 'sell'
  /** Shares. */
  readonly quantity: string
  /** The day at whose close it is dealt. */
  readonly on: string
}

/** 0.25 %, at least a dollar; half a spread each way of the closing price. */
const FEE_BPS = 25n
const FEE_LEAST = 100n
const HALF_SPREAD_BPS = 5n
const BPS = 10_000n

const up = (top: bigint, bottom: bigint) => top / bottom + (top % bottom === 0n ? 0n : 1n)

/** Prices are dealt in 18 digits after the point. */
const PRICE_DIGITS = 18
const PRICE_ONE = 10n ** 18n
const SHARE_ONE = 10n ** 9n
/** Of a price times shares, in cents. */
const CENT = (PRICE_ONE * SHARE_ONE) / 100n

function units(text: string, one: bigint): bigint {
  const { units: figures, digits } = decimal(text)
  return (figures * one) / 10n ** BigInt(digits)
}

export const shares = (text: string): bigint => units(text, SHARE_ONE)
export const dollars = (cents: bigint): string => written(cents, 2)

/** What a deal moves, in cents: shares at the close with half a spread, for the house's side rounded, and the fee. */
export function dealt(
  sample: readonly SampleDay[],
  deal: Deal,
): { price: string; value: bigint; fee: bigint } {
  const day = sample.find(({ ticker, date }) => ticker === deal.ticker && date === deal.on)
  if (day === undefined) throw new Error(`${deal.ticker} was not traded on ${deal.on}`)
  const close = units(day.close, PRICE_ONE)
  const price =
    deal.side === 'buy' ? up(close * (BPS + HALF_SPREAD_BPS), BPS) : (close * (BPS - HALF_SPREAD_BPS)) / BPS
  const exact = price * shares(deal.quantity)
  const value = deal.side === 'buy' ? up(exact, CENT) : exact / CENT
  const fee = up(value * FEE_BPS, BPS)
  return { price: trimmed(written(price, PRICE_DIGITS)), value, fee: fee < FEE_LEAST ? FEE_LEAST : fee }
}

/** The dividends in the data, each for the shares that were held when its ex-date began, whole cents downwards. */
export function dividendsOf(
  sample: readonly SampleDay[],
  deals: readonly Deal[],
  ticker: string,
): { exDate: string; cents: bigint }[] {
  return sample.flatMap(({ ticker: of, date, dividend }) => {
    if (of !== ticker || dividend === null) return []
    const held = deals
      .filter((deal) => deal.ticker === ticker && deal.on < date)
      .reduce((sum, { side, quantity }) => sum + (side === 'buy' ? shares(quantity) : -shares(quantity)), 0n)
    const cents = (held * units(dividend, PRICE_ONE)) / CENT
    return cents === 0n ? [] : [{ exDate: date, cents }]
  })
}

interface Lot {
  readonly quantity: bigint
  readonly cost: bigint
  readonly fee: bigint
}

interface Kept {
  readonly lots: readonly Lot[]
  /** Made by selling, before fees; and the fees of what was sold, of buying and of selling. */
  readonly made: bigint
  readonly fees: bigint
}

/** A part of a lot bears its part of the cost, downwards; what is left keeps the rest. */
function split(lot: Lot, quantity: bigint): readonly [taken: Lot, left: Lot] {
  const cost = (lot.cost * quantity) / lot.quantity
  const fee = (lot.fee * quantity) / lot.quantity
  return [
    { quantity, cost, fee },
    { quantity: lot.quantity - quantity, cost: lot.cost - cost, fee: lot.fee - fee },
  ]
}

function bought(kept: Kept, lot: Lot, method: Method): Kept {
  const [pool] = kept.lots
  if (method === 'fifo' || pool === undefined) return { ...kept, lots: [...kept.lots, lot] }
  const one = { quantity: pool.quantity + lot.quantity, cost: pool.cost + lot.cost, fee: pool.fee + lot.fee }
  return { ...kept, lots: [one] }
}

function sold(kept: Kept, quantity: bigint, value: bigint, fee: bigint): Kept {
  let left = quantity
  let [cost, fees] = [0n, fee]
  const lots: Lot[] = []
  for (const lot of kept.lots) {
    const part = left < lot.quantity ? left : lot.quantity
    const [taken, rest] = split(lot, part)
    left -= part
    cost += taken.cost
    fees += taken.fee
    if (rest.quantity > 0n) lots.push(rest)
  }
  if (left > 0n) throw new Error('more was sold than held')
  return { lots, made: kept.made + value - cost, fees: kept.fees + fees }
}

export type Method = 'fifo' | 'average'

/** A position as the API should show it, in dollars. */
export function expectedPosition(
  sample: readonly SampleDay[],
  deals: readonly Deal[],
  ticker: string,
  method: Method,
) {
  const start: Kept = { lots: [], made: 0n, fees: 0n }
  const kept = deals
    .filter((deal) => deal.ticker === ticker)
    .reduce((book, deal) => {
      const { value, fee } = dealt(sample, deal)
      const quantity = shares(deal.quantity)
      return deal.side === 'buy'
        ? bought(book, { quantity, cost: value, fee }, method)
        : sold(book, quantity, value, fee)
    }, start)
  const total = (of: keyof Lot) => kept.lots.reduce((sum, lot) => sum + lot[of], 0n)
  const [quantity, cost, fee] = [total('quantity'), total('cost'), total('fee')]
  const close = sample.findLast((day) => day.ticker === ticker)?.close ?? ''
  const value = (units(close, PRICE_ONE) * quantity) / CENT
  const dividends = dividendsOf(sample, deals, ticker).reduce((sum, { cents }) => sum + cents, 0n)
  const perShare =
    quantity === 0n ? '0' : quotient({ units: cost + fee, digits: 2 }, { units: quantity, digits: 9 }, 10)
  return {
    ticker,
    quantity: trimmed(written(quantity, 9)),
    averageCost: perShare,
    costBasis: dollars(cost + fee),
    marketValue: dollars(value),
    price: trimmed(close),
    unrealised: profit({ price: value - cost, fees: fee, dividends: 0n }),
    realised: profit({ price: kept.made, fees: kept.fees, dividends }),
  }
}

function profit({ price, fees, dividends }: { price: bigint; fees: bigint; dividends: bigint }) {
  const amount = dollars(price - fees + dividends)
  return {
    amount,
    // The base currency is the dollar too, so nothing comes from currencies.
    inBase: {
      total: amount,
      price: dollars(price),
      currency: '0.00',
      fees: dollars(-fees),
      dividends: dollars(dividends),
    },
  }
}

/** What is left of so many dollars after all deals and dividends. */
export function cashLeft(sample: readonly SampleDay[], deals: readonly Deal[], granted: string): string {
  const moved = deals.reduce((sum, deal) => {
    const { value, fee } = dealt(sample, deal)
    return sum + (deal.side === 'buy' ? -value : value) - fee
  }, 0n)
  const paid = [...new Set(deals.map(({ ticker }) => ticker))]
    .flatMap((ticker) => dividendsOf(sample, deals, ticker))
    .reduce((sum, { cents }) => sum + cents, 0n)
  return dollars(decimal(granted).units * 100n + moved + paid)
}
