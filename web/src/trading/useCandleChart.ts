import type { InstrumentInFull } from '@kantor/contract/api'
import { useQuery } from '@pinia/colada'
import { computed, onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import { getCandles } from '#api'
import { useFormat, useText, type MessageKey } from '#i18n'
import { pollWhileSeen } from '#market-data'
import { candleRequest, marksOf, secondsOf, shownOf, summaryOf, type ChartRange } from './chart-data.ts'
import type { ChartWords, DrawnChart } from './draw-chart.ts'

const EVERY_SECONDS = 30
/** Minutes and hours of a stock that nobody looked at today are fetched when they are first asked for. */
const FEW_CANDLES = 12
const FEW_EVERY_SECONDS = 3
const FEW_ASKED_MAX = 20
/** Exchanges of these instruments keep this clock, so a candle is dated by it. */
const MARKET_ZONE = 'America/New_York'

/** The next instrument is looked at in the range that the last one was. */
let lastRange: ChartRange = '6M'

/** The candles of a range, the chart that draws them, and the one candle that is being pointed at. */
export function useCandleChart(instrument: () => InstrumentInFull) {
  const { t, tag } = useText()
  const { price } = useFormat()
  const range = ref(lastRange)
  const log = ref(false)
  const pointed = ref<number | null>(null)
  const failed = shallowRef<unknown>(null)
  let chart: DrawnChart | null = null

  const query = useQuery({
    key: () => ['candles', instrument().id, range.value],
    query: () => getCandles(instrument().ticker, candleRequest(range.value, new Date())),
    staleTime: EVERY_SECONDS * 1000,
  })
  pollWhileSeen(() => query.refresh(), EVERY_SECONDS)
  let fewAsked = 0
  pollWhileSeen(() => {
    if (withinDay.value && candles.value.length < FEW_CANDLES && fewAsked++ < FEW_ASKED_MAX)
      return query.refetch()
  }, FEW_EVERY_SECONDS)
  const candles = computed(() => shownOf(range.value, query.data.value?.items ?? []))
  const marks = computed(() => marksOf(candles.value, instrument().corporateActions))
  const summary = computed(() => summaryOf(candles.value))
  const current = computed(
    () => candles.value.find(({ at }) => secondsOf(at) === pointed.value) ?? candles.value.at(-1) ?? null,
  )
  const withinDay = computed(() => range.value === '1D' || range.value === '1W')

  function dated(at: string | number, options: Intl.DateTimeFormatOptions): string {
    const zone = withinDay.value ? {} : { timeZone: MARKET_ZONE }
    const moment = typeof at === 'number' ? at * 1000 : at
    return new Intl.DateTimeFormat(tag.value, { ...options, ...zone }).format(new Date(moment))
  }
  const momentOf = (at: string | number) =>
    dated(at, withinDay.value ? { dateStyle: 'medium', timeStyle: 'short' } : { dateStyle: 'medium' })
  const words: ChartWords = {
    moment: momentOf,
    tick: (seconds, fine) =>
      dated(seconds, fine ? { hour: '2-digit', minute: '2-digit' } : tickOptions(range.value)),
    price: (value) => price(value.toFixed(2)),
    mark: (kind) => t(`stocks.mark.${kind}` as MessageKey),
  }

  async function attach(element: HTMLElement): Promise<void> {
    try {
      const { drawChart } = await import('./draw-chart.ts')
      if (!element.isConnected) return
      chart = drawChart(element, words, (time) => (pointed.value = time))
      chart.setLog(log.value)
      chart.show(candles.value, marks.value)
    } catch (failure) {
      failed.value = failure
    }
  }

  /** The arrows walk from candle to candle, as the mouse does. */
  function step(by: number): void {
    const all = candles.value
    const now = current.value === null ? -1 : all.indexOf(current.value)
    const next = all[Math.min(Math.max(now + by, 0), all.length - 1)]
    if (next === undefined) return
    pointed.value = secondsOf(next.at)
    chart?.point(next)
  }

  watch([candles, marks], () => chart?.show(candles.value, marks.value))
  watch(range, (chosen) => {
    pointed.value = null
    fewAsked = 0
    lastRange = chosen
  })
  watch(log, (on) => chart?.setLog(on))
  const themed = new MutationObserver(() => chart?.repaint())
  themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
  onBeforeUnmount(() => {
    themed.disconnect()
    chart?.remove()
  })

  return { query, range, log, candles, marks, summary, current, failed, attach, step, momentOf }
}

function tickOptions(range: ChartRange): Intl.DateTimeFormatOptions {
  if (range === '5Y') return { year: 'numeric', month: 'short' }
  return range === '1Y' ? { month: 'short', year: '2-digit' } : { day: 'numeric', month: 'short' }
}
