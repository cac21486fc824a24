import type { Database } from '#db'
import { fingerprint } from './fingerprint.ts'
import { polygonGroupedDay, polygonPreviousClose, polygonRange } from './polygon-bars.ts'
import { FREE_PLAN, PAID_PLAN, probePolygon } from './polygon-entitlement.ts'
import { polygonMarketStatus, polygonSnapshot, polygonUpcoming } from './polygon-now.ts'
import { polygonDividends, polygonSplits, polygonTickers } from './polygon-reference.ts'
import type { PolygonAccess } from './polygon-request.ts'
import { polygonStream, type StreamTimings } from './polygon-stream.ts'
import { requestBudget, type RequestBudget } from './request-budget.ts'
import type { StockProvider } from './stock-provider.ts'

export interface PolygonOptions {
  readonly url: string
  /** Null: Polygon's own, by whether the plan is delayed. */
  readonly wsUrl: string | null
  readonly apiKey: string
  /** `probe`: as free until `entitlement()` has found otherwise. */
  readonly plan: 'free' | 'paid' | 'probe'
  readonly db: Database
  readonly clock: () => Date
  readonly random: () => number
  readonly deadlineSeconds?: number
  readonly waitSecondsMax?: number
  readonly streamTimings?: Partial<StreamTimings>
  /** Of the tests; otherwise the one that all processes share. */
  readonly budget?: RequestBudget
}

const STREAM_URLS = { realTime: 'wss://socket.polygon.io', delayed: 'wss://delayed.polygon.io' } as const

/** Stock data of polygon.io (Massive since 2025). */
export function polygonProvider(options: PolygonOptions): StockProvider {
  const { clock, random } = options
  const plan = options.plan === 'probe' ? null : options.plan === 'free' ? FREE_PLAN : PAID_PLAN
  const configuredAs = fingerprint(options.url, options.apiKey)
  const access: PolygonAccess = {
    url: options.url,
    apiKey: options.apiKey,
    budget:
      options.budget ??
      requestBudget({ db: options.db, name: `polygon:${configuredAs}`, firstPlan: plan ?? FREE_PLAN, clock }),
    ...(options.deadlineSeconds === undefined ? {} : { deadlineSeconds: options.deadlineSeconds }),
    ...(options.waitSecondsMax === undefined ? {} : { waitSecondsMax: options.waitSecondsMax }),
  }
  return {
    name: 'polygon',
    simulated: false,
    configuredAs,
    tickers: (query, call) => polygonTickers(access, query, call),
    range: (query, call) => polygonRange(access, query, call),
    groupedDay: (date, call) => polygonGroupedDay(access, date, call),
    previousClose: (ticker, call) => polygonPreviousClose(access, ticker, call),
    snapshot: (tickers, call) => polygonSnapshot(access, tickers, call),
    marketStatus: (call) => polygonMarketStatus(access, call),
    upcoming: (call) => polygonUpcoming(access, call),
    splits: (query, call) => polygonSplits(access, query, call),
    dividends: (query, call) => polygonDividends(access, query, call),
    entitlement: (call) => probePolygon(access, { plan, clock }, call),
    stream: (stream) =>
      polygonStream(
        {
          url: options.wsUrl ?? STREAM_URLS[stream.timeliness],
          apiKey: options.apiKey,
          clock,
          random,
          ...(options.streamTimings === undefined ? {} : { timings: options.streamTimings }),
        },
        stream,
      ),
  }
}
