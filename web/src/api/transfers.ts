import type { Payee, Transfer, TransferRequest } from '@kantor/contract/api'
import { call } from './client.ts'

export const findPayees = (q: string, signal: AbortSignal) =>
  call<{ items: Payee[] }>('GET', '/payees', { query: { q }, signal })
export const postTransfer = (body: TransferRequest, idempotencyKey: string) =>
  call<Transfer>('POST', '/transfers', { body, idempotencyKey })
