import type { Operation } from '@kantor/contract/api'
import { dayOf } from '#i18n'

export interface DayGroup {
  day: string
  operations: Operation[]
}

/** Newest first as they came; a day begins at midnight where the customer is. */
export function groupByDay(operations: readonly Operation[]): DayGroup[] {
  const groups: DayGroup[] = []
  for (const operation of operations) {
    const day = dayOf(operation.at)
    const last = groups.at(-1)
    if (last?.day === day) last.operations.push(operation)
    else groups.push({ day, operations: [operation] })
  }
  return groups
}
