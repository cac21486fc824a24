import type { Operation } from '@kantor/contract/api'
import { useText, type MessageKey } from '#i18n'
import { isIncoming, shareOf, sides, staysInside } from './describe.ts'
import { useCompanyWords } from './explain-company.ts'

/** An operation in words: the other side where there is one, else what kind it is. */
export function useOperationWords() {
  const { t } = useText()
  const { companyTitle } = useCompanyWords()

  function titleOf(operation: Operation): string {
    const { kind, counterparty } = operation
    if (counterparty !== undefined) return `@${counterparty.handle}`
    if (kind === 'conversion') {
      const { out, in: into } = sides(operation)
      return `${out[0]?.asset ?? ''} → ${into[0]?.asset ?? ''}`
    }
    const share = kind === 'trade' ? shareOf(operation) : undefined
    if (share !== undefined) {
      return t(share.amount.startsWith('-') ? 'history.sold' : 'history.bought', { asset: share.asset })
    }
    return companyTitle(operation) ?? t(`kinds.${kind}` as MessageKey)
  }

  /** What a row says beside its time: the note, or the kind where there is none and the title has not said it. */
  function aboutOf(operation: Operation): string[] {
    const { counterparty, note, status } = operation
    const about = note ?? (counterparty === undefined ? heldFor(operation) : kindOf(operation))
    return [
      ...(status === 'reversed' ? [t('history.reversed')] : []),
      ...(about === undefined ? [] : [about]),
    ]
  }

  /** `Buy AAPL`, of what was set aside for it and of what was let go. */
  function heldFor(operation: Operation): string | undefined {
    const { order } = operation
    if (order === undefined || !staysInside(operation)) return undefined
    return t(order.side === 'buy' ? 'orders.buying' : 'orders.selling', { ticker: order.instrument })
  }

  function kindOf(operation: Operation): string {
    if (operation.kind === 'transfer') return t(isIncoming(operation) ? 'history.received' : 'history.sent')
    return t(`kinds.${operation.kind}` as MessageKey)
  }

  return { titleOf, kindOf, aboutOf }
}
