import { formatAmount, parseSignedAmount } from '@kantor/contract/money'
import type { Position } from '@kantor/contract/api'

/** The sum of the server's figures in one currency; null when one of them is unknown, which is not zero. */
export function sumOf(amounts: readonly (string | null | undefined)[], scale: number): string | null {
  let sum = 0n
  for (const amount of amounts) {
    const parsed = amount === null || amount === undefined ? null : parseSignedAmount(amount, scale)
    if (parsed === null || !parsed.ok) return null
    sum += parsed.minor
  }
  return sum < 0n ? `-${formatAmount(-sum, scale)}` : formatAmount(sum, scale)
}

/** What is held now is worth, and has brought, in the base currency. */
export function positionSums(positions: readonly Position[], scale: number) {
  return {
    worth: sumOf(
      positions.map((position) => position.marketValueInBase?.amount),
      scale,
    ),
    unrealised: sumOf(
      positions.map((position) => position.unrealised?.inBase?.total),
      scale,
    ),
    realised: sumOf(
      positions.map((position) => position.realised.inBase?.total),
      scale,
    ),
  }
}

export const PROFIT_PARTS = ['price', 'currency', 'dividends', 'fees'] as const

/** Where the profit of a position came from, what is realised and what is not taken together; null: unknown. */
export function profitParts(
  position: Position,
  scale: number,
): Record<(typeof PROFIT_PARTS)[number] | 'total', string | null> {
  const part = (name: (typeof PROFIT_PARTS)[number] | 'total') =>
    sumOf([position.unrealised?.inBase?.[name], position.realised.inBase?.[name]], scale)
  return {
    price: part('price'),
    currency: part('currency'),
    dividends: part('dividends'),
    fees: part('fees'),
    total: part('total'),
  }
}
