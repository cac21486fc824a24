import { divideDown, divideUp, formatAmount } from '@kantor/contract/money'
import type { Rate } from '@kantor/contract/money'

/**
 * Prices of shares as whole numbers of 10⁻¹⁸ of the currency's major unit. Feeds have at most 9 digits after the
 * point and our half spread adds 4, so nothing is lost; a longer one is rounded for the house. With 9 digits of a
 * share, a value is a whole number of 10⁻²⁷ and adding up the parts of an order is exact.
 */
export const PRICE_DIGITS = 18
const ONE = 10n ** 18n
const BPS = 10_000n

export function price18Of(rate: Rate, round: 'up' | 'down'): bigint {
  const divide = round === 'up' ? divideUp : divideDown
  return divide(rate.numerator * ONE, rate.denominator)
}

/** From a stored numeric's text. */
export function price18OfText(text: string): bigint {
  const [, whole, decimals = ''] = /^([0-9]+)(?:\.([0-9]+))?$/.exec(text) ?? []
  if (whole === undefined || decimals.length > PRICE_DIGITS) throw new Error('a stored price cannot be read')
  return BigInt(whole + decimals.padEnd(PRICE_DIGITS, '0'))
}

/** Plain decimal text without needless zeros: `187.25`. */
export function textOfPrice(price18: bigint): string {
  return formatAmount(price18, PRICE_DIGITS).replace(/\.?0+$/, '')
}

/** What a customer pays (buy) or gets (sell) at: the quote where the feed has one, else last and half a spread. */
export function dealingPrice18(
  side: 'buy' | 'sell',
  price: { readonly last: Rate; readonly bid: Rate | null; readonly ask: Rate | null },
  halfSpreadBps: number,
): bigint {
  if (side === 'buy') {
    if (price.ask !== null) return price18Of(price.ask, 'up')
    return divideUp(price18Of(price.last, 'up') * (BPS + BigInt(halfSpreadBps)), BPS)
  }
  if (price.bid !== null) return price18Of(price.bid, 'down')
  return divideDown(price18Of(price.last, 'down') * (BPS - BigInt(halfSpreadBps)), BPS)
}
