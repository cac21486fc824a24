import type { Candle } from '@kantor/contract/api'
import {
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  CrosshairMode,
  HistogramSeries,
  PriceScaleMode,
  type IChartApi,
  type ISeriesApi,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts'
import { secondsOf, type ChartMark } from './chart-data.ts'

/** Everything that touches the library: it is a chunk of its own, loaded when a chart is first looked at. */
export interface DrawnChart {
  show: (candles: readonly Candle[], marks: readonly ChartMark[]) => void
  setLog: (on: boolean) => void
  repaint: () => void
  /** Puts the crosshair on a candle by its place; null takes it away. */
  point: (candle: Candle | null) => void
  remove: () => void
}

export interface ChartWords {
  /** A moment in full, for the crosshair. */
  moment: (seconds: number) => string
  /** The same as short as an axis needs it; `fine` within a day. */
  tick: (seconds: number, fine: boolean) => string
  price: (value: number) => string
  mark: (kind: ChartMark['kind']) => string
}

const VOLUME_SCALE = 'volume'
/** Ticks of the library from this weight on are hours and minutes. */
const FINE_TICK = 3

function coloursNow() {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    ink: colour('ink'),
    soft: colour('ink-soft'),
    line: colour('line'),
    card: colour('card'),
    accent: colour('accent'),
    amber: colour('amber'),
    up: colour('green'),
    down: colour('red'),
  }
}

const chartLook = (colours: ReturnType<typeof coloursNow>) => ({
  layout: {
    background: { color: colours.card },
    textColor: colours.soft,
    fontFamily: 'Inter Variable, ui-sans-serif, system-ui, sans-serif',
    fontSize: 12,
    // It is written below the chart instead: the library's own mark brings an inline style, which the policy refuses.
    attributionLogo: false,
  },
  grid: { vertLines: { visible: false }, horzLines: { color: colours.line } },
  crosshair: {
    mode: CrosshairMode.Magnet,
    vertLine: { color: colours.soft, labelBackgroundColor: colours.ink },
    horzLine: { color: colours.soft, labelBackgroundColor: colours.ink },
  },
})

export function drawChart(
  element: HTMLElement,
  words: ChartWords,
  onPoint: (time: number | null) => void,
): DrawnChart {
  let colours = coloursNow()
  let shown: { candles: readonly Candle[]; marks: readonly ChartMark[] } = { candles: [], marks: [] }
  const chart = createChart(element, {
    ...chartLook(colours),
    autoSize: true,
    localization: {
      priceFormatter: words.price,
      timeFormatter: (time: Time) => words.moment(Number(time)),
    },
    rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.24 } },
    timeScale: {
      borderVisible: false,
      // A handful of candles is not blown up to fill the width.
      maxBarSpacing: 28,
      fixLeftEdge: true,
      fixRightEdge: true,
      timeVisible: true,
      secondsVisible: false,
      tickMarkFormatter: (time: Time, weight: number) => words.tick(Number(time), weight >= FINE_TICK),
    },
    // The page scrolls under a finger; the chart moves sideways only.
    handleScroll: { vertTouchDrag: false, mouseWheel: false },
    handleScale: { mouseWheel: false },
  })
  const price = chart.addSeries(CandlestickSeries, { priceLineVisible: true, borderVisible: false })
  const volume = chart.addSeries(HistogramSeries, {
    priceScaleId: VOLUME_SCALE,
    priceFormat: { type: 'volume' },
    lastValueVisible: false,
    priceLineVisible: false,
  })
  chart.priceScale(VOLUME_SCALE).applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } })
  const markers = createSeriesMarkers(price, [])
  chart.subscribeCrosshairMove(({ time }) => onPoint(time === undefined ? null : Number(time)))

  function paint(): void {
    paintPrices(price, colours)
    volume.setData(shown.candles.map((candle) => volumeBar(candle, colours)))
    markers.setMarkers(shown.marks.map((mark) => marker(mark, colours, words)))
  }

  return {
    show(candles, marks) {
      const other =
        shown.candles[0]?.at !== candles[0]?.at || Math.abs(shown.candles.length - candles.length) > 2
      shown = { candles, marks }
      price.setData(candles.map(priceBar))
      paint()
      if (other) chart.timeScale().fitContent()
    },
    setLog: (on) =>
      chart
        .priceScale('right')
        .applyOptions({ mode: on ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal }),
    repaint() {
      colours = coloursNow()
      chart.applyOptions(chartLook(colours))
      paint()
    },
    point: (candle) => pointAt(chart, price, candle),
    remove: () => chart.remove(),
  }
}

const timeOf = (candle: Candle) => secondsOf(candle.at) as UTCTimestamp

const priceBar = (candle: Candle) => ({
  time: timeOf(candle),
  open: Number(candle.open),
  high: Number(candle.high),
  low: Number(candle.low),
  close: Number(candle.close),
})

const volumeBar = (candle: Candle, colours: ReturnType<typeof coloursNow>) => ({
  time: timeOf(candle),
  value: Number(candle.volume),
  color: `${Number(candle.close) < Number(candle.open) ? colours.down : colours.up}55`,
})

function paintPrices(series: ISeriesApi<'Candlestick'>, { up, down }: ReturnType<typeof coloursNow>): void {
  series.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down })
}

const marker = (
  { time, kind }: ChartMark,
  colours: ReturnType<typeof coloursNow>,
  words: ChartWords,
): SeriesMarker<Time> => ({
  time: time as UTCTimestamp,
  position: 'belowBar',
  shape: kind === 'dividend' ? 'circle' : 'square',
  color: kind === 'dividend' ? colours.accent : colours.amber,
  text: words.mark(kind),
})

function pointAt(chart: IChartApi, series: ISeriesApi<'Candlestick'>, candle: Candle | null): void {
  if (candle === null) chart.clearCrosshairPosition()
  else chart.setCrosshairPosition(Number(candle.close), timeOf(candle), series)
}
