export { useAssets, useRates } from './queries.ts'
export { default as RateBoard } from './RateBoard.vue'
