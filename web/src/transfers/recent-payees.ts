import type { Operation, Payee } from '@kantor/contract/api'

const SHOWN_MAX = 6

/** Whom money was last sent to or had from, newest first, each once. */
export function recentPayees(operations: readonly Operation[]): Payee[] {
  const byHandle = new Map<string, Payee>()
  for (const { counterparty } of operations) {
    if (counterparty !== undefined && !byHandle.has(counterparty.handle)) {
      byHandle.set(counterparty.handle, counterparty)
    }
  }
  return [...byHandle.values()].slice(0, SHOWN_MAX)
}
