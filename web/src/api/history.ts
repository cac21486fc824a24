import type { OperationInFull, OperationKind, Operations } from '@kantor/contract/api'
import { call } from './client.ts'

export interface OperationsFilter {
  kind?: OperationKind
  asset?: string
  counterparty?: string
  from?: string
  to?: string
  amountMin?: string
  amountMax?: string
  q?: string
}

export const listOperations = (filter: OperationsFilter & { cursor?: string; limit?: number }) =>
  call<Operations>('GET', '/operations', { query: { ...filter } })
export const getOperation = (id: string) => call<OperationInFull>('GET', `/operations/${id}`)
