import type { TransferRequest } from '@kantor/contract/api'
import { kantor } from './client.ts'

export const findPayees = (q: string, signal: AbortSignal) => kantor.get('/payees', { query: { q }, signal })
export const postTransfer = (body: TransferRequest, idempotencyKey: string) =>
  kantor.post('/transfers', { body, idempotencyKey })
