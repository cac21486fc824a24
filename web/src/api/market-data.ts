import type { RateHistory } from '@kantor/contract/api'
import { kantor } from './client.ts'

export const listAssets = () => kantor.get('/assets')
export const listRates = (base: string) => kantor.get('/rates', { query: { base } })
export const getRateHistory = (pair: { from: string; to: string }, span: RateHistory['span']) =>
  kantor.get('/rates/{base}/{counter}/history', {
    path: { base: pair.from, counter: pair.to },
    query: { span },
  })
