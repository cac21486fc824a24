import type { Queryable } from '#db'
import type { RateProvider } from './providers/rate-provider.ts'
import { rateHistory } from './rate-history.ts'

/** How far pairs usually move: what the age of a rate is charged by. */
export interface Volatility {
  /**
   * σ(pair) in basis points per square root of an hour, from the stored history of 90 days. With less than 10
   * returns it is 30, about what 28 % a year are: too much for majors, which is the safe side.
   */
  sigmaBpsPerSqrtHour(base: string, counter: string): Promise<number>
}

const WINDOW_DAYS = 90
const RETURNS_MIN = 10
const ASSUMED_BPS = 30
/** Feeds that stand still for a weekend make σ too small; a price that is old is never free of risk. */
const LEAST_BPS = 1
const KEEP_MS = 3_600_000
const PAIRS_MAX = 5_000

export function createVolatility(deps: {
  readonly db: Queryable
  readonly providers: readonly RateProvider[]
  readonly clock: () => Date
}): Volatility {
  const known = new Map<string, { at: number; sigma: Promise<number> }>()
  const compute = async (base: string, counter: string) => {
    const to = deps.clock()
    const from = new Date(to.getTime() - WINDOW_DAYS * 86_400_000)
    // By the day: hourly noise of a feed's rounding would pass for movement.
    const { points } = await rateHistory(deps.db, deps.providers, { base, counter, from, to, span: 'day' })
    return sigmaOf(points.map(({ at, close }) => ({ hours: at.getTime() / 3_600_000, price: Number(close) })))
  }
  return {
    sigmaBpsPerSqrtHour(base, counter) {
      const key = `${base}/${counter}`
      const now = deps.clock().getTime()
      const cached = known.get(key)
      if (cached !== undefined && now - cached.at < KEEP_MS) return cached.sigma
      if (known.size >= PAIRS_MAX) known.clear()
      const sigma = compute(base, counter)
      known.set(key, { at: now, sigma })
      sigma.catch(() => known.delete(key))
      return sigma
    },
  }
}

/** The root of (sum of squared log returns / sum of the hours between): gaps of any length do not distort it. */
export function sigmaOf(closes: readonly { hours: number; price: number }[]): number {
  let [squares, hours] = [0, 0]
  for (const [index, close] of closes.entries()) {
    const before = closes[index - 1]
    if (before === undefined) continue
    squares += Math.log(close.price / before.price) ** 2
    hours += close.hours - before.hours
  }
  if (closes.length - 1 < RETURNS_MIN || hours <= 0) return ASSUMED_BPS
  return Math.max(LEAST_BPS, 10_000 * Math.sqrt(squares / hours))
}
