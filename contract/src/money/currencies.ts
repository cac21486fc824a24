import { ISO_4217_FUNDS, ISO_4217_NATIONAL, type CurrencyRow } from './iso-4217.ts'

export interface Currency {
  /** ISO 4217 letters, or the declared code of a cryptocurrency: 3 to 5 letters A–Z. */
  readonly code: string
  /** The asset id: ISO 4217's number (EUR 978), or from 1001 for declared cryptocurrencies. */
  readonly id: number
  /** Digits after the decimal point; one minor unit is 10^-scale. It never changes. */
  readonly scale: number
  /** English; the web app shows `Intl.DisplayNames` in other languages and falls back to this. */
  readonly name: string
  /** English singular of 10^-scale of it (`cent`, `fils`), where that has a name in use. */
  readonly minorName?: string
  /** ISO 3166-1 alpha-2 code of the flag, `EU` for the euro, null where no one country issues it. */
  readonly flag: string | null
  /** `fund`: an ISO unit of account without coins; pickers list these last. */
  readonly kind: 'national' | 'fund' | 'crypto'
}

/** Digits of every instrument's quantity: a billionth of a share, the finest that brokers offer. */
export const INSTRUMENT_SCALE = 9

/**
 * Cryptocurrencies have no ISO number, so their ids are declared here, above ISO's three digits and below
 * the instruments' 10000. An id or a scale, once released, is never given to another code. The scale is 8
 * for all: what the ledger holds, which may be coarser than a chain's own unit (ETH has 18).
 */
const DECLARED_CRYPTO: readonly CurrencyRow[] = [
  ['BTC', 1001, 8, 'Bitcoin', null, 'satoshi'],
  ['ETH', 1002, 8, 'Ether', null],
  ['LTC', 1003, 8, 'Litecoin', null],
  ['BCH', 1004, 8, 'Bitcoin Cash', null],
  ['XRP', 1005, 8, 'XRP', null],
  ['ADA', 1006, 8, 'Cardano', null],
  ['SOL', 1007, 8, 'Solana', null],
  ['DOGE', 1008, 8, 'Dogecoin', null],
]

/** Every currency an account can hold, by kind (national, fund, crypto) and then as listed: codes A to Z, crypto by id. */
export const CURRENCIES: readonly Currency[] = Object.freeze([
  ...ISO_4217_NATIONAL.map((row) => currencyOf(row, 'national')),
  ...ISO_4217_FUNDS.map((row) => currencyOf(row, 'fund')),
  ...DECLARED_CRYPTO.map((row) => currencyOf(row, 'crypto')),
])

const BY_CODE: ReadonlyMap<string, Currency> = new Map(
  CURRENCIES.map((currency) => [currency.code, currency]),
)
const BY_ID: ReadonlyMap<number, Currency> = new Map(CURRENCIES.map((currency) => [currency.id, currency]))

/** The currency with exactly this code (capital letters), or undefined: unknown, withdrawn or not offered. */
export function currencyByCode(code: string): Currency | undefined {
  return BY_CODE.get(code)
}

/** The currency with this asset id, or undefined: unknown, or an instrument (from 10000). */
export function currencyById(id: number): Currency | undefined {
  return BY_ID.get(id)
}

/** Whether accounts may be held in this code. Providers' lists also hold withdrawn codes, metals and non-ISO ones. */
export function isOffered(code: string): boolean {
  return BY_CODE.has(code)
}

function currencyOf(row: CurrencyRow, kind: Currency['kind']): Currency {
  const [code, id, scale, name, flag, minorName] = row
  return Object.freeze({
    code,
    id,
    scale,
    name,
    flag,
    kind,
    ...(minorName === undefined ? {} : { minorName }),
  })
}
