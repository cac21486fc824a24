import type { Asset, Rates } from '@kantor/contract/api'
import { call } from './client.ts'

export const listAssets = () => call<{ items: Asset[] }>('GET', '/assets')
export const listRates = (base: string) => call<Rates>('GET', '/rates', { query: { base } })
