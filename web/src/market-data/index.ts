export { useAssets, useRates } from './queries.ts'
export { default as RateChart } from './RateChart.vue'
export { default as RateBoard } from './RateBoard.vue'
