import type { RateHistory } from '@kantor/contract/api'
import { useQuery } from '@pinia/colada'
import { computed, ref } from 'vue'
import { getRateHistory } from '#api'
import { chartLine } from './chart-line.ts'

/**
 * How far back, in points of a span. The server ends a range at its own now and begins it a week of hours or a year
 * of days before: a device whose clock is wrong would ask for a range that is not there.
 */
const RANGES: Record<'week' | 'month' | 'year', { span: RateHistory['span']; points: number }> = {
  week: { span: 'hour', points: 7 * 24 },
  month: { span: 'day', points: 31 },
  year: { span: 'day', points: 365 },
}
export type ChartRange = keyof typeof RANGES

/** What a pair did lately, as a line to draw. */
export function useRateHistory(pair: () => { from: string; to: string }) {
  const range = ref<ChartRange>('month')
  const query = useQuery({
    key: () => ['rate-history', pair().from, pair().to, RANGES[range.value].span],
    query: () => getRateHistory(pair(), RANGES[range.value].span),
    staleTime: 300_000,
  })
  const points = computed(() => (query.data.value?.items ?? []).slice(-RANGES[range.value].points))
  const line = computed(() => chartLine(points.value))
  return { range, query, points, line }
}
