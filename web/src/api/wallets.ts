import type { DepositRequest } from '@kantor/contract/api'
import { kantor } from './client.ts'

export const getMeta = () => kantor.get('/meta')
export const getWallet = () => kantor.get('/wallet')
export const postDeposit = (body: DepositRequest, idempotencyKey: string) =>
  kantor.post('/wallet/deposits', { body, idempotencyKey })
