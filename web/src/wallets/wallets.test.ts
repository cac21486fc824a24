import type { Asset } from '@kantor/contract/api'
import { expect, test, vi } from 'vitest'

// The door of market-data also opens onto its pages, which need a browser; only the order is tested here.
vi.mock('#market-data', () => ({ useAssets: () => ({}) }))
const { orderChoices } = await import('./useAssetChoices.ts')

const asset = (code: string, change: Partial<Asset> = {}): Asset => ({
  code,
  kind: 'currency',
  name: code,
  scale: 2,
  flag: null,
  frozen: false,
  rate: 'fresh',
  ...change,
})

test('held assets come first, then the usual ones, those without a rate last; frozen and instruments are not offered', () => {
  const choices = orderChoices(
    [
      asset('AFN', { rate: 'unknown' }),
      asset('AUD'),
      asset('EUR'),
      asset('PLN'),
      asset('RUB', { frozen: true }),
      asset('AAPL', { kind: 'instrument' }),
      asset('JPY'),
    ],
    [{ asset: 'JPY', kind: 'currency', name: 'Japanese Yen', available: '500', reserved: '0', worth: null }],
  )
  expect(choices.map(({ code, available }) => code + (available ?? ''))).toEqual([
    'JPY500',
    'EUR',
    'PLN',
    'AUD',
    'AFN',
  ])
})
