import type { Operation } from '@kantor/contract/api'
import { useText, type MessageKey } from '#i18n'
import { isIncoming, shareOf, sides } from './describe.ts'

/** An operation in words: the other side where there is one, else what kind it is. */
export function useOperationWords() {
  const { t } = useText()

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
    return t(`kinds.${kind}` as MessageKey)
  }

  /** What a row says beside its time: the note, or the kind where there is none and the title has not said it. */
  function aboutOf(operation: Operation): string[] {
    const { counterparty, note, status } = operation
    const about = note ?? (counterparty === undefined ? undefined : kindOf(operation))
    return [
      ...(status === 'reversed' ? [t('history.reversed')] : []),
      ...(about === undefined ? [] : [about]),
    ]
  }

  function kindOf(operation: Operation): string {
    if (operation.kind === 'transfer') return t(isIncoming(operation) ? 'history.received' : 'history.sent')
    return t(`kinds.${operation.kind}` as MessageKey)
  }

  return { titleOf, kindOf, aboutOf }
}
