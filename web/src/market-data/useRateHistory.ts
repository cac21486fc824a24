import type { RateHistory } from '@kantor/contract/api'
import { useQuery } from '@pinia/colada'
import { computed, ref } from 'vue'
import { getRateHistory } from '#api'
import { chartLine } from './chart-line.ts'

const DAY_MS = 86_400_000
const RANGES: Record<'week' | 'month' | 'year', { days: number; span: RateHistory['span'] }> = {
  week: { days: 7, span: 'hour' },
  month: { days: 31, span: 'day' },
  year: { days: 365, span: 'day' },
}
export type ChartRange = keyof typeof RANGES

/** What a pair did lately, as a line to draw. */
export function useRateHistory(pair: () => { from: string; to: string }) {
  const range = ref<ChartRange>('month')
  const query = useQuery({
    key: () => ['rate-history', pair().from, pair().to, range.value],
    query: () => {
      const { days, span } = RANGES[range.value]
      return getRateHistory(pair(), span, new Date(Date.now() - days * DAY_MS))
    },
    staleTime: 300_000,
  })
  const points = computed(() => query.data.value?.items ?? [])
  const line = computed(() => chartLine(points.value))
  return { range, query, points, line }
}
