import {
  assets,
  rateHistory as rateHistoryReply,
  rateHistoryParams,
  rateHistoryQuery,
  rates,
  ratesQuery,
} from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import { CURRENCIES, currencyByCode, type Currency } from '@kantor/contract/money'
import type { Queryable } from '#db'
import { route, type Route } from '#http'
import type { RateBook } from './latest-rates.ts'
import { presentRate } from './present-rate.ts'
import type { RateProvider } from './providers/rate-provider.ts'
import { HISTORY_POINTS_MAX, rateHistory, SPAN_SECONDS, type Span } from './rate-history.ts'

export interface MarketDataRoutesDeps {
  readonly db: Queryable
  readonly rates: RateBook
  readonly providers: readonly RateProvider[]
  readonly clock: () => Date
  /** Codes that the ledger holds still; another room's knowledge. */
  readonly frozenAssets: () => Promise<ReadonlySet<string>>
}

/** Public: they say nothing of any customer, and the page before sign-in shows them. */
export function marketDataRoutes(deps: MarketDataRoutesDeps): Route[] {
  return [listAssets(deps), listRates(deps), showHistory(deps)]
}

function listAssets(deps: MarketDataRoutesDeps): Route {
  return route({
    method: 'GET',
    path: '/assets',
    access: 'public',
    summary: 'What can be held: currencies with their digits, and whether a rate of each is known',
    tag: 'market-data',
    reply: assets,
    handle: async () => {
      const frozen = await deps.frozenAssets()
      const items = CURRENCIES.map((currency) => ({
        code: currency.code,
        kind: currency.kind === 'crypto' ? ('crypto' as const) : ('currency' as const),
        name: currency.name,
        scale: currency.scale,
        flag: currency.flag,
        frozen: frozen.has(currency.code),
        rate: rateState(deps.rates, currency.code),
      }))
      return { body: { items, nextCursor: null } }
    },
  })
}

function rateState(book: RateBook, code: string): 'fresh' | 'stale' | 'unknown' {
  const rate = book.rate('EUR', code)
  if (rate.unknown) return 'unknown'
  return rate.stale ? 'stale' : 'fresh'
}

function listRates(deps: MarketDataRoutesDeps): Route {
  return route({
    method: 'GET',
    path: '/rates',
    access: 'public',
    summary: 'The latest mid rates against one currency, each with its time, source and age',
    tag: 'market-data',
    query: ratesQuery,
    reply: rates,
    problems: ['unknown_asset'],
    handle: async ({ query }) => {
      const base = offered(query.base, 'query.base')
      const unknown: string[] = []
      const items = CURRENCIES.flatMap(({ code }) => {
        if (code === base.code) return []
        const rate = deps.rates.rate(base.code, code)
        if (rate.unknown) {
          unknown.push(code)
          return []
        }
        return [presentRate(code, rate)]
      })
      const simulated = deps.rates.simulated()
      return { body: { base: base.code, simulated, items, unknown, nextCursor: null } }
    },
  })
}

/** What a chart shows when no range is asked for. */
const USUAL_SPANS: Readonly<Record<Span, number>> = { hour: 7 * 24, day: 365, week: 260 }

function showHistory(deps: MarketDataRoutesDeps): Route {
  return route({
    method: 'GET',
    path: '/rates/{base}/{counter}/history',
    access: 'public',
    summary: 'What a pair did, by the hour, day or week; the times are beginnings, in UTC',
    tag: 'market-data',
    params: rateHistoryParams,
    query: rateHistoryQuery,
    reply: rateHistoryReply,
    problems: ['unknown_asset', 'same_asset'],
    handle: async ({ params, query }) => {
      const base = offered(params.base, 'params.base')
      const counter = offered(params.counter, 'params.counter')
      if (base.code === counter.code) throw new Problem('same_asset')
      const { from, to } = rangeOf(query, deps.clock())
      const { span } = query
      const pair = { base: base.code, counter: counter.code }
      const history = await rateHistory(deps.db, deps.providers, { ...pair, from, to, span })
      const items = history.points.map((point) => ({ ...point, at: point.at.toISOString() }))
      return { body: { ...pair, span, source: history.source, items, nextCursor: null } }
    },
  })
}

function rangeOf(
  query: { from?: string | undefined; to?: string | undefined; span: Span },
  now: Date,
): { from: Date; to: Date } {
  const spanMs = SPAN_SECONDS[query.span] * 1000
  const to = query.to === undefined ? now : new Date(query.to)
  const from =
    query.from === undefined
      ? new Date(to.getTime() - USUAL_SPANS[query.span] * spanMs)
      : new Date(query.from)
  const refuse = (path: string, message: string) =>
    new Problem('invalid_request', { errors: [{ path, message }] })
  // Offsets of a day or more pass the schema and are no moments.
  for (const [path, moment] of Object.entries({ from, to })) {
    if (Number.isNaN(moment.getTime())) throw refuse(`query.${path}`, 'must be a moment that exists')
  }
  if (from >= to) throw refuse('query.from', 'must be before `to`')
  if ((to.getTime() - from.getTime()) / spanMs > HISTORY_POINTS_MAX) {
    throw refuse('query.from', `must be at most ${HISTORY_POINTS_MAX} ${query.span}s before \`to\``)
  }
  return { from, to }
}

function offered(code: string, path: string): Currency {
  const currency = currencyByCode(code)
  if (currency === undefined) {
    throw new Problem('unknown_asset', { errors: [{ path, message: 'must be a currency of GET /assets' }] })
  }
  return currency
}
