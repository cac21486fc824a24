import type { OperationInFull } from '@kantor/contract/api'
import type { JournalRef } from '#ledger'
import { textOf } from './present-operation.ts'

/** What a split's or a dividend's journal says of itself; null for other kinds and where it does not. */
export function corporateActionOf({
  kind,
  detail,
}: JournalRef): NonNullable<OperationInFull['corporateAction']> | null {
  if (kind !== 'split' && kind !== 'dividend') return null
  const said = (name: string): string | null => textOf(detail?.[name])
  const [instrument, exDate, quantity, source] = [
    said('instrument'),
    said('exDate'),
    said('quantity'),
    said('source'),
  ]
  if (instrument === null || exDate === null || quantity === null || source === null) return null
  const more = Object.fromEntries(
    (['payDate', 'perShare', 'currency', 'from', 'to'] as const).flatMap((name) => {
      const value = said(name)
      return value === null ? [] : [[name, value]]
    }),
  )
  return { instrument, exDate, quantity, source, correction: said('corrects') !== null, ...more }
}
