import type { OperationKind } from '@kantor/contract/api'
import { kantor } from './client.ts'

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

export const listOperations = (query: OperationsFilter & { cursor?: string; limit?: number }) =>
  kantor.get('/operations', { query })
export const getOperation = (id: string) => kantor.get('/operations/{id}', { path: { id } })
