import type { Asset, RateHistory, Rates } from '@kantor/contract/api'
import { call } from './client.ts'

export const listAssets = () => call<{ items: Asset[] }>('GET', '/assets')
export const listRates = (base: string) => call<Rates>('GET', '/rates', { query: { base } })
export const getRateHistory = (pair: { from: string; to: string }, span: RateHistory['span']) =>
  call<RateHistory>('GET', `/rates/${pair.from}/${pair.to}/history`, { query: { span } })
