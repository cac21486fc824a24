import type { OperationInFull } from '@kantor/contract/api'
import type { JournalRef } from '#ledger'
import { textOf } from './journal-detail.ts'

/**
 * What a reserve, a trade or a release says of its order: its detail's own texts, since the journal is the document.
 * Null for other kinds, and for those of something else than an order.
 */
export function orderOfJournal({ kind, detail }: JournalRef): NonNullable<OperationInFull['order']> | null {
  if (kind !== 'trade' && kind !== 'reserve' && kind !== 'release') return null
  const id = textOf(detail?.['orderId'])
  const instrument = textOf(detail?.['instrument'])
  const side = textOf(detail?.['side'])
  if (id === null || instrument === null || (side !== 'buy' && side !== 'sell')) return null
  const said = Object.fromEntries(
    SAID.flatMap((name) => {
      const value = textOf(detail?.[name])
      return value === null ? [] : [[name, value]]
    }),
  )
  const simulated = detail?.['simulated']
  return { id, instrument, side, ...said, ...(typeof simulated === 'boolean' ? { simulated } : {}) }
}

const SAID = [
  'type',
  'timeInForce',
  'quantity',
  'notional',
  'limitPrice',
  'stopPrice',
  'price',
  'priceSeen',
  'priceCurrency',
  'priceSource',
  'priceAsOf',
  'timeliness',
  'value',
  'status',
  'reason',
] as const
