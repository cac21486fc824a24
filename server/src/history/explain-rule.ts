import { operationRule } from '@kantor/contract/api'
import type { Operation } from '@kantor/contract/api'
import type { JournalRef } from '#ledger'

/**
 * Which rule of the reader's own made an operation, as its journal's detail says (`markOf` in the rules room). Whoever
 * is paid by a standing order does not learn that it is one.
 */
export function ruleOfJournal(
  { detail, scope }: JournalRef,
  walletId: bigint,
): NonNullable<Operation['rule']> | null {
  const mark = detail?.['rule']
  return mark === undefined || scope !== walletId ? null : operationRule.parse(mark)
}
