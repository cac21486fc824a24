import { rateOf } from '@kantor/contract/money'
import type { Cost, Gain } from './lot-maths.ts'
import type { Book, CostBasisMethod, Disposal, Lot, MethodState, Position } from './position.ts'

/** Of one method. */
interface CostsRow {
  readonly cost_minor: bigint
  readonly fee_minor: bigint
  readonly cost_base_minor: bigint | null
  readonly fee_base_minor: bigint | null
  readonly realised_price_minor: bigint
  readonly realised_fees_minor: bigint
  readonly realised_price_base_minor: bigint | null
  readonly realised_currency_base_minor: bigint | null
  readonly realised_fees_base_minor: bigint | null
}

type CostsOfBoth = {
  readonly [Column in keyof CostsRow as `${CostBasisMethod}_${Column}`]: CostsRow[Column]
}

/** With the costs of both methods, each column with its method's name before it. */
export interface PositionRow extends CostsOfBoth {
  readonly wallet_id: bigint
  readonly instrument_id: number
  readonly currency_id: number
  readonly base_currency: string | null
  readonly approximate: boolean
  readonly quantity: bigint
  readonly last_lot: number
  readonly last_disposal: number
  readonly dividends_minor: bigint
  readonly dividends_base_minor: bigint | null
}

type Text = string | null

export interface LotRow {
  readonly wallet_id: bigint
  readonly instrument_id: number
  readonly number: number
  readonly opened_at: Date
  readonly origin: Lot['origin']
  readonly journal_key: string
  readonly quantity: bigint
  readonly cost_minor: bigint
  readonly fee_minor: bigint
  readonly cost_base_minor: bigint | null
  readonly fee_base_minor: bigint | null
  readonly base_currency: string | null
  readonly rate_numerator: string | null
  readonly rate_denominator: string | null
  readonly rate_snapshots: string[]
}

export function positionOf(row: PositionRow): Position {
  return {
    walletId: row.wallet_id,
    instrumentId: row.instrument_id,
    currencyId: row.currency_id,
    baseCurrency: row.base_currency,
    approximate: row.approximate,
    quantity: row.quantity,
    lastLot: row.last_lot,
    lastDisposal: row.last_disposal,
    fifo: methodStateOf(row, 'fifo'),
    average: methodStateOf(row, 'average'),
    dividendsMinor: row.dividends_minor,
    dividendsBaseMinor: row.dividends_base_minor,
  }
}

function methodStateOf(row: PositionRow, method: CostBasisMethod): MethodState {
  const [cost, fee] = [row[`${method}_cost_base_minor`], row[`${method}_fee_base_minor`]]
  const [price, currency, fees] = [
    row[`${method}_realised_price_base_minor`],
    row[`${method}_realised_currency_base_minor`],
    row[`${method}_realised_fees_base_minor`],
  ]
  return {
    held: {
      costMinor: row[`${method}_cost_minor`],
      feeMinor: row[`${method}_fee_minor`],
      base: cost === null || fee === null ? null : { costMinor: cost, feeMinor: fee },
    },
    realised: {
      priceMinor: row[`${method}_realised_price_minor`],
      feesMinor: row[`${method}_realised_fees_minor`],
      base:
        price === null || currency === null || fees === null
          ? null
          : { priceMinor: price, currencyMinor: currency, feesMinor: fees },
    },
  }
}

export function lotOf(row: LotRow): Lot {
  const { base_currency: baseCurrency, rate_numerator: top, rate_denominator: bottom } = row
  const [cost, fee] = [row.cost_base_minor, row.fee_base_minor]
  return {
    number: row.number,
    openedAt: row.opened_at,
    origin: row.origin,
    journalKey: row.journal_key,
    quantity: row.quantity,
    cost: {
      costMinor: row.cost_minor,
      feeMinor: row.fee_minor,
      base: cost === null || fee === null ? null : { costMinor: cost, feeMinor: fee },
    },
    rate:
      baseCurrency === null || top === null || bottom === null
        ? null
        : { baseCurrency, rate: rateOf(BigInt(top), BigInt(bottom)), snapshotIds: row.rate_snapshots },
  }
}

const text = (value: bigint | undefined): Text => (value === undefined ? null : `${value}`)
type Columns = Record<string, string | number | boolean | null | readonly string[] | readonly number[]>

const keysOf = ({ position }: Book): Columns => ({
  wallet_id: `${position.walletId}`,
  instrument_id: position.instrumentId,
})

/** Rows as JSON for `json_populate_recordset`: one statement, whatever their number, and no bigint loses a digit. */
export function positionColumns(book: Book): Columns {
  const { position } = book
  return {
    ...keysOf(book),
    currency_id: position.currencyId,
    base_currency: position.baseCurrency,
    approximate: position.approximate,
    quantity: `${position.quantity}`,
    last_lot: position.lastLot,
    last_disposal: position.lastDisposal,
    dividends_minor: `${position.dividendsMinor}`,
    dividends_base_minor: text(position.dividendsBaseMinor ?? undefined),
    ...methodColumns('fifo', position.fifo),
    ...methodColumns('average', position.average),
  }
}

function methodColumns(method: CostBasisMethod, { held, realised }: MethodState): Columns {
  return {
    [`${method}_cost_minor`]: `${held.costMinor}`,
    [`${method}_fee_minor`]: `${held.feeMinor}`,
    [`${method}_cost_base_minor`]: text(held.base?.costMinor),
    [`${method}_fee_base_minor`]: text(held.base?.feeMinor),
    [`${method}_realised_price_minor`]: `${realised.priceMinor}`,
    [`${method}_realised_fees_minor`]: `${realised.feesMinor}`,
    [`${method}_realised_price_base_minor`]: text(realised.base?.priceMinor),
    [`${method}_realised_currency_base_minor`]: text(realised.base?.currencyMinor),
    [`${method}_realised_fees_base_minor`]: text(realised.base?.feesMinor),
  }
}

function costColumns(cost: Cost): Columns {
  return {
    cost_minor: `${cost.costMinor}`,
    fee_minor: `${cost.feeMinor}`,
    cost_base_minor: text(cost.base?.costMinor),
    fee_base_minor: text(cost.base?.feeMinor),
  }
}

function rateColumns(rate: Lot['rate']): Columns {
  return {
    base_currency: rate?.baseCurrency ?? null,
    rate_numerator: text(rate?.rate.numerator),
    rate_denominator: text(rate?.rate.denominator),
    rate_snapshots: [...(rate?.snapshotIds ?? [])],
  }
}

export function lotColumns(book: Book, lot: Lot): Columns {
  return {
    ...keysOf(book),
    number: lot.number,
    opened_at: lot.openedAt.toISOString(),
    origin: lot.origin,
    journal_key: lot.journalKey,
    quantity: `${lot.quantity}`,
    ...costColumns(lot.cost),
    ...rateColumns(lot.rate),
  }
}

export function disposalColumns(book: Book, disposal: Disposal): Columns {
  return {
    ...keysOf(book),
    number: disposal.number,
    journal_key: disposal.journalKey,
    at: disposal.at.toISOString(),
    quantity: `${disposal.quantity}`,
    cash_minor: `${disposal.cashMinor}`,
    fee_minor: `${disposal.feeMinor}`,
    ...rateColumns(disposal.rate),
    lot_numbers: disposal.lots.map(({ number }) => number),
    lot_quantities: disposal.lots.map(({ quantity }) => `${quantity}`),
    ...gainColumns('fifo', disposal.fifo),
    ...gainColumns('average', disposal.average),
  }
}

function gainColumns(method: CostBasisMethod, gain: Gain): Columns {
  return {
    [`${method}_price_minor`]: `${gain.priceMinor}`,
    [`${method}_fees_minor`]: `${gain.feesMinor}`,
    [`${method}_price_base_minor`]: text(gain.base?.priceMinor),
    [`${method}_currency_base_minor`]: text(gain.base?.currencyMinor),
    [`${method}_fees_base_minor`]: text(gain.base?.feesMinor),
  }
}
