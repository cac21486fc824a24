import { fakeFeed, type FakeAnswer } from './providers/fake-feed.ts'
import { newYorkMidnight } from './providers/new-york.ts'
import { polygonProvider } from './providers/polygon.ts'
import type { StreamTimings } from './providers/polygon-stream.ts'
import { json, KEY, openBudget } from './providers/polygon-fixture.ts'
import type { StockProvider } from './providers/stock-provider.ts'
import type { TestDatabase } from '#test/harness'

export interface ListedTicker {
  readonly ticker: string
  readonly name: string
  readonly figi?: string
  readonly exchange?: string
  readonly type?: string
  /** Gone: only in the list of inactive ones. */
  readonly delistedOn?: string
}

/** A bar as Polygon writes one: numbers or, for what JSON cannot hold, text that is put there as it is. */
export interface DayBar {
  readonly ticker: string
  readonly date: string
  readonly close: number | string
  readonly open?: number | string
  readonly high?: number | string
  readonly low?: number | string
  readonly volume?: number | string
}

/** A market that speaks Polygon's wire format, end of day only, to be filled and changed by a test. */
export interface PolygonMarket {
  tickers: ListedTicker[]
  bars: DayBar[]
  splits: { ticker: string; execution_date: string; split_from: number; split_to: number }[]
  dividends: object[]
  upcoming: object[]
  exchanges: 'open' | 'closed'
  /** What snapshots answer; null: the plan has none. */
  snapshot: ((tickers: readonly string[]) => object[]) | null
  /** Bars of minutes of a ticker; null: the plan has none. */
  minutes: ((ticker: string) => object[]) | null
  readonly asked: { path: string }[]
}

export async function polygonMarket(stream?: {
  readonly wsUrl: string
  readonly timings: Partial<StreamTimings>
}): Promise<{
  market: PolygonMarket
  /** Its REST API, for a process of its own. */
  url: string
  provider: (given: { db: TestDatabase['db']; clock: { now: () => Date }; apiKey?: string }) => StockProvider
}> {
  const feed = await fakeFeed()
  const market: PolygonMarket = {
    tickers: [],
    bars: [],
    splits: [],
    dividends: [],
    upcoming: [],
    exchanges: 'open',
    snapshot: null,
    minutes: null,
    asked: feed.asked,
  }
  feed.answer = (path) => answerOf(market, new URL(path, feed.url))
  return {
    market,
    url: feed.url,
    provider: ({ db, clock, apiKey = KEY }) =>
      polygonProvider({
        url: feed.url,
        wsUrl: stream?.wsUrl ?? feed.url.replace('http', 'ws'),
        ...(stream === undefined ? {} : { streamTimings: stream.timings }),
        apiKey,
        plan: 'probe',
        db,
        clock: clock.now,
        random: () => 0.5,
        budget: openBudget(),
      }),
  }
}

const REFUSED = json(
  { status: 'NOT_AUTHORIZED', message: 'You are not entitled to this data. Please upgrade your plan.' },
  403,
)

function answerOf(market: PolygonMarket, url: URL): FakeAnswer {
  const path = url.pathname
  const list = (results: object[]) => json({ status: 'OK', results })
  if (path === '/v3/reference/tickers') return list(tickersOf(market, url.searchParams))
  if (path === '/v3/reference/splits') {
    const since = url.searchParams.get('execution_date.gte') ?? ''
    return list(market.splits.filter((split) => split.execution_date >= since))
  }
  if (path === '/v3/reference/dividends') return list(market.dividends)
  if (path === '/v1/marketstatus/upcoming') return json(market.upcoming)
  if (path === '/v1/marketstatus/now') {
    const state = market.exchanges
    const serverTime = '2026-03-02T10:00:00-05:00'
    return json({ market: state, serverTime, exchanges: { nyse: state, nasdaq: state, otc: state } })
  }
  if (path.startsWith('/v2/snapshot/')) {
    const tickers = (url.searchParams.get('tickers') ?? '').split(',')
    return market.snapshot === null ? REFUSED : json({ status: 'OK', tickers: market.snapshot(tickers) })
  }
  const grouped = /\/v2\/aggs\/grouped\/.*\/(\d{4}-\d\d-\d\d)$/.exec(path)
  if (grouped !== null) return bars(market.bars.filter(({ date }) => date === grouped[1]))
  const range = /\/v2\/aggs\/ticker\/([^/]+)\/range\/1\/(\w+)\/([\d-]+)\/([\d-]+)$/.exec(path)
  if (range?.[2] === 'minute') return market.minutes === null ? REFUSED : list(market.minutes(range[1] ?? ''))
  const [, ticker, , from = '', to = ''] = range ?? []
  return bars(
    market.bars
      .filter((bar) => bar.ticker === ticker && bar.date >= from && bar.date <= to)
      .toSorted((left, right) => (left.date < right.date ? -1 : 1)),
  )
}

function tickersOf(market: PolygonMarket, asked: URLSearchParams): object[] {
  const active = asked.get('active') !== 'false'
  const search = asked.get('search')
  return market.tickers
    .filter(({ delistedOn }) => (delistedOn === undefined) === active)
    .filter(({ ticker }) => search === null || ticker.includes(search))
    .map((one) => ({
      ticker: one.ticker,
      name: one.name,
      market: 'stocks',
      primary_exchange: one.exchange ?? 'XNAS',
      type: one.type ?? 'CS',
      active,
      currency_name: 'usd',
      ...(one.figi === undefined ? {} : { composite_figi: one.figi }),
      ...(one.delistedOn === undefined ? {} : { delisted_utc: `${one.delistedOn}T00:00:00Z` }),
    }))
}

/** Written by hand, so that a test can send what `JSON.stringify` would not. */
function bars(rows: readonly DayBar[]): FakeAnswer {
  const results = rows.map(
    ({ ticker, date, close, open = close, high = close, low = close, volume = 1000 }) => {
      const at = newYorkMidnight(date)
      return `{"T":"${ticker}","v":${volume},"o":${open},"c":${close},"h":${high},"l":${low},"t":${at},"n":10}`
    },
  )
  return json(
    `{"status":"OK","adjusted":false,"resultsCount":${rows.length},"results":[${results.join(',')}]}`,
  )
}
