import type { Deposit, DepositRequest, Meta, Wallet } from '@kantor/contract/api'
import { call } from './client.ts'

export const getMeta = () => call<Meta>('GET', '/meta')
export const getWallet = () => call<Wallet>('GET', '/wallet')
export const postDeposit = (body: DepositRequest, idempotencyKey: string) =>
  call<Deposit>('POST', '/wallet/deposits', { body, idempotencyKey })
