import type { RatePoint } from '@kantor/contract/api'

/** The drawing's own units; the browser stretches it to the card. */
export const CHART = { width: 600, height: 160, padding: 8 } as const

export interface ChartLine {
  /** SVG path of the line, and of the ground under it. */
  path: string
  area: string
  /** One per point, in the drawing's units. */
  spots: { x: number; y: number }[]
  low: RatePoint
  high: RatePoint
  /** From the first close to the last, in hundredths of a percent. For show: floats are good enough here. */
  changeBps: number
}

const round = (value: number) => Math.round(value * 10) / 10

/** A line through the closes, by time, filling the height between the lowest and the highest. Null for fewer than two. */
export function chartLine(points: readonly RatePoint[]): ChartLine | null {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined || points.length < 2) return null
  const by = (sign: 1 | -1) =>
    points.reduce(
      (best, point) => (sign * (Number(point.close) - Number(best.close)) > 0 ? point : best),
      first,
    )
  const [high, low] = [by(1), by(-1)]
  const start = Date.parse(first.at)
  const duration = Date.parse(last.at) - start
  const range = Number(high.close) - Number(low.close)
  const inner = CHART.height - 2 * CHART.padding
  const spots = points.map((point) => ({
    x: round(((Date.parse(point.at) - start) / duration) * CHART.width),
    // A pair that stood still is a line in the middle.
    y: round(
      CHART.padding + inner * (range === 0 ? 0.5 : (Number(high.close) - Number(point.close)) / range),
    ),
  }))
  const path = `M${spots.map(({ x, y }) => `${x} ${y}`).join('L')}`
  return {
    path,
    area: `${path}V${CHART.height}H0Z`,
    spots,
    low,
    high,
    changeBps: Math.round((Number(last.close) / Number(first.close) - 1) * 10_000),
  }
}

/** The point whose time is nearest to a place across the drawing, 0 to 1. */
export function nearestSpot(spots: readonly { x: number }[], share: number): number {
  const wanted = share * CHART.width
  let best = 0
  spots.forEach(({ x }, n) => {
    if (Math.abs(x - wanted) < Math.abs((spots[best]?.x ?? 0) - wanted)) best = n
  })
  return best
}
