import type { Asset, Wallet } from '@kantor/contract/api'
import { computed } from 'vue'
import { useAssets } from '#market-data'
import type { AssetChoice } from '#ui'
import { useWallet } from './queries.ts'

const USUAL = ['EUR', 'USD', 'PLN', 'GBP', 'CHF']

/** Held assets first, as the wallet lists them; then the usual currencies, the others by code, those without a rate last. */
export function orderChoices(assets: readonly Asset[], balances: Wallet['balances']): AssetChoice[] {
  const held = new Map(balances.map((balance) => [balance.asset, balance]))
  const rank = (code: string) => (USUAL.includes(code) ? USUAL.indexOf(code) : USUAL.length)
  const others = assets
    .filter((asset) => !held.has(asset.code) && !asset.frozen && asset.kind !== 'instrument')
    .toSorted(
      (a, b) =>
        Number(a.rate === 'unknown') - Number(b.rate === 'unknown') ||
        rank(a.code) - rank(b.code) ||
        a.code.localeCompare(b.code),
    )
  return [
    ...balances.map(({ asset, name, available }) => ({ code: asset, name, available })),
    ...others.map(({ code, name }) => ({ code, name })),
  ]
}

export function useAssetChoices() {
  const { data: assets } = useAssets()
  const { data: wallet } = useWallet()
  const balances = computed(() => wallet.value?.balances ?? [])
  const all = computed(() => orderChoices(assets.value?.items ?? [], balances.value))
  const held = computed(() => orderChoices([], balances.value))
  const availableOf = (code: string) =>
    balances.value.find((balance) => balance.asset === code)?.available ?? null
  return { all, held, availableOf }
}
