export { useMeta, useMoneyMoved, useWallet } from './queries.ts'
export { useAssetChoices } from './useAssetChoices.ts'
