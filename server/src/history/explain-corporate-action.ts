import type { Operation } from '@kantor/contract/api'
import type { JournalRef } from '#ledger'
import { exactDecimal } from './exact-decimal.ts'
import { fractionOf, textOf } from './journal-detail.ts'

const KINDS: readonly string[] = ['split', 'dividend', 'rename', 'delisting']
const TEXTS = [
  'payDate',
  'perShare',
  'currency',
  'from',
  'to',
  'tickerFrom',
  'tickerTo',
  'lastPrice',
  'withheld',
  'fractionPaid',
  'fractionCurrency',
] as const
const SHARE_DIGITS = 10n ** 9n

/** What the journal of a corporate action says of itself; null for other kinds and where it does not. */
export function corporateActionOf({
  kind,
  detail,
}: JournalRef): NonNullable<Operation['corporateAction']> | null {
  if (!KINDS.includes(kind)) return null
  const said = (name: string): string | null => textOf(detail?.[name])
  const [instrument, exDate, quantity, source] = [
    said('instrument'),
    said('exDate'),
    said('quantity'),
    said('source'),
  ]
  if (instrument === null || exDate === null || quantity === null || source === null) return null
  const texts = TEXTS.flatMap((name) => {
    const value = said(name)
    return value === null ? [] : [[name, value]]
  })
  const fraction = fractionOf(detail?.['fraction'])
  const withholdingBps = detail?.['withholdingBps']
  return {
    instrument,
    exDate,
    quantity,
    source,
    correction: said('corrects') !== null || detail?.['again'] !== undefined,
    ...Object.fromEntries(texts),
    ...(typeof withholdingBps === 'number' ? { withholdingBps } : {}),
    ...(fraction === null
      ? {}
      : { fraction: exactDecimal(fraction.numerator, fraction.denominator * SHARE_DIGITS) }),
  }
}
