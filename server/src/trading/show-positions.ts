import type { Lots, Position as PositionBody, Positions } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import {
  currencyByCode,
  currencyById,
  formatAmount,
  formatRate,
  INSTRUMENT_SCALE,
  rateOf,
  worthDown,
} from '@kantor/contract/money'
import type { Queryable } from '#db'
import type { Instrument, InstrumentBook, PriceBook, RateBook } from '#market-data'
import { gainOf, inBase, minorRate } from './lot-maths.ts'
import type { Gain, MinorRate } from './lot-maths.ts'
import { rebasedPosition } from './position.ts'
import type { CostBasisMethod, Position } from './position.ts'
import { rebaseRate } from './position-books.ts'
import { readMethod, readOpenLots, readPositions } from './position-store.ts'
import { price18Of, textOfPrice } from './price18.ts'

export interface ShowPositionsDeps {
  readonly db: Queryable
  readonly rates: RateBook
  readonly prices: Pick<PriceBook, 'price'>
  readonly instruments: InstrumentBook
  readonly baseCurrencyOf: (walletId: bigint) => Promise<string>
}

const AVERAGE_DIGITS = 10

/** From what is kept: it costs as much for a wallet of ten trades as for one of a hundred thousand. */
export async function showPositions(deps: ShowPositionsDeps, walletId: bigint): Promise<Positions> {
  const [baseCurrency, method, positions] = await Promise.all([
    deps.baseCurrencyOf(walletId),
    readMethod(deps.db, walletId),
    readPositions(deps.db, walletId),
  ])
  const items: PositionBody[] = []
  for (const position of positions) {
    const instrument = await deps.instruments.byId(position.instrumentId)
    if (instrument === null) throw new Error(`instrument ${position.instrumentId} is held and unknown`)
    items.push(positionBody(deps, instrument, rebasedFor(deps, position, baseCurrency), method))
  }
  return { method, baseCurrency, items, nextCursor: null }
}

/** What was kept in another base currency, from before it was changed, at the rate of today. */
function rebasedFor(deps: ShowPositionsDeps, position: Position, baseCurrency: string): Position {
  if (position.baseCurrency === null) return { ...position, baseCurrency }
  return rebasedPosition(position, baseCurrency, rebaseRate(deps.rates, position.baseCurrency, baseCurrency))
}

function positionBody(
  deps: ShowPositionsDeps,
  instrument: Instrument,
  position: Position,
  method: CostBasisMethod,
): PositionBody {
  const { quantity, approximate } = position
  const { held, realised } = position[method]
  const currency = scaledCurrency(position.currencyId)
  const base = scaledCurrency(position.baseCurrency ?? '')
  const rate = deps.rates.rate(currency.code, base.code)
  const today = rate.unknown ? null : minorRate(position.currencyId, base.code, rate.rate)
  const price = deps.prices.price(instrument.id)
  const value = price.unknown ? null : worthDown(quantity, INSTRUMENT_SCALE, currency.scale, price.last)
  const valueInBase = value === null ? null : minorOrNull(value, today)
  const { base: heldBase } = held
  return {
    instrument: { id: `${instrument.id}`, ticker: instrument.ticker, name: instrument.name },
    quantity: formatAmount(quantity, INSTRUMENT_SCALE),
    averageCost: averageCost(held.costMinor + held.feeMinor, quantity, currency.scale),
    costBasis: money(currency, held.costMinor + held.feeMinor),
    costBasisInBase: heldBase === null ? null : money(base, heldBase.costMinor + heldBase.feeMinor),
    marketValue: value === null ? null : money(currency, value),
    marketValueInBase: valueInBase === null ? null : money(base, valueInBase),
    price: price.unknown ? null : textOfPrice(price18Of(price.last, 'down')),
    priceAsOf: price.unknown ? null : price.asOf.toISOString(),
    unrealised:
      value === null
        ? null
        : profitBody(gainOf(held, { cashMinor: value, feeMinor: 0n }, today), null, {
            currency,
            base,
            approximate,
          }),
    realised: profitBody(realised, position, { currency, base, approximate }),
  }
}

function minorOrNull(minor: bigint, rate: MinorRate | null): bigint | null {
  return rate === null ? null : inBase(minor, rate)
}

interface Scaled {
  readonly code: string
  readonly scale: number
}

function scaledCurrency(idOrCode: number | string): Scaled {
  const currency = typeof idOrCode === 'number' ? currencyById(idOrCode) : currencyByCode(idOrCode)
  if (currency === undefined) throw new Error(`no currency ${idOrCode}`)
  return currency
}

const money = ({ code, scale }: Scaled, minor: bigint) => ({
  asset: code,
  amount: formatAmount(minor, scale),
})

function averageCost(minor: bigint, quantity: bigint, scale: number): string {
  if (minor === 0n || quantity === 0n) return '0'
  const perShare = rateOf(minor * 10n ** BigInt(INSTRUMENT_SCALE), quantity * 10n ** BigInt(scale))
  return formatRate(perShare, AVERAGE_DIGITS, 'halfEven')
}

type Dividends = Pick<Position, 'dividendsMinor' | 'dividendsBaseMinor'>

/** The parts add up to the total, exactly; fees count against it. */
function profitBody(
  gain: Gain,
  dividends: Dividends | null,
  { currency, base, approximate }: { currency: Scaled; base: Scaled; approximate: boolean },
): PositionBody['realised'] {
  const { dividendsMinor, dividendsBaseMinor } = dividends ?? { dividendsMinor: 0n, dividendsBaseMinor: 0n }
  const amount = formatAmount(gain.priceMinor - gain.feesMinor + dividendsMinor, currency.scale)
  if (gain.base === null || dividendsBaseMinor === null) return { amount, inBase: null }
  const { priceMinor, currencyMinor, feesMinor } = gain.base
  return {
    amount,
    inBase: {
      total: formatAmount(priceMinor + currencyMinor - feesMinor + dividendsBaseMinor, base.scale),
      price: formatAmount(priceMinor, base.scale),
      currency: formatAmount(currencyMinor, base.scale),
      fees: formatAmount(-feesMinor, base.scale),
      dividends: formatAmount(dividendsBaseMinor, base.scale),
      ...(approximate ? { approximate } : {}),
    },
  }
}

/** A page of the open lots, in the order in which fifo sells them. */
export async function showLots(
  deps: ShowPositionsDeps,
  walletId: bigint,
  reference: string,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<Lots> {
  const instrument = await deps.instruments.byIdOrTicker(reference)
  if (instrument === null) throw new Problem('instrument_not_found')
  const currency = scaledCurrency(instrument.currency)
  const found = await readOpenLots(deps.db, walletId, instrument.id, limit + 1, placeOf(cursor))
  const page = found.slice(0, limit)
  const last = page.at(-1)
  return {
    items: page.map(({ openedAt, quantity, cost, origin }) => ({
      openedAt: openedAt.toISOString(),
      quantity: formatAmount(quantity, INSTRUMENT_SCALE),
      costBasis: money(currency, cost.costMinor + cost.feeMinor),
      from: origin,
    })),
    nextCursor:
      found.length > limit && last !== undefined ? `${last.openedAt.getTime()}.${last.number}` : null,
  }
}

/** A cursor is the last lot's time and number. */
function placeOf(cursor: string | undefined): { openedAt: Date; number: number } | undefined {
  if (cursor === undefined) return undefined
  const [, time, number] = /^([0-9]{1,14})\.([0-9]{1,9})$/.exec(cursor) ?? []
  if (time === undefined || number === undefined) throw new Problem('invalid_cursor')
  return { openedAt: new Date(Number(time)), number: Number(number) }
}
