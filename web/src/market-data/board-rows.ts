import type { Rate } from '@kantor/contract/api'

const USUAL = ['EUR', 'USD', 'PLN', 'GBP', 'CHF', 'CZK', 'SEK', 'NOK', 'JPY']

/** What the customer holds, then what an exchange office hangs out, then the rest by code; never the base. */
export function boardRows(rates: readonly Rate[], first: readonly string[], base: string): Rate[] {
  const order = [...first, ...USUAL]
  const rank = (code: string) => (order.includes(code) ? order.indexOf(code) : order.length)
  return rates
    .filter((rate) => rate.counter !== base)
    .toSorted((a, b) => rank(a.counter) - rank(b.counter) || a.counter.localeCompare(b.counter))
}
