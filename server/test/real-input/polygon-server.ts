import { recording } from './recordings.ts'
import { serveProvider, type Answer, type Asked, type ProviderServer } from './provider-server.ts'
import { dayLater, newYorkTime, type SampleDay } from './stocks-sample.ts'

export const POLYGON_KEY = 'a-free-key-of-the-test'

export const NAMES: Readonly<Record<string, readonly [name: string, exchange: string, figi: string]>> = {
  AAPL: ['Apple Inc.', 'XNAS', 'BBG000B9XRY4'],
  COKE: ['Coca-Cola Consolidated, Inc.', 'XNAS', 'BBG000BFS7D3'],
  GOOGL: ['Alphabet Inc. Class A', 'XNAS', 'BBG009S39JX6'],
  TSLA: ['Tesla, Inc.', 'XNAS', 'BBG000N9MNX3'],
  YHOO: ['Yahoo! Inc.', 'XNAS', 'BBG000KB2D74'],
}

/** The sample does not say when a dividend was paid, nor when it was announced. */
export const PAID_DAYS_LATER = 7
const ANNOUNCED_DAYS_BEFORE = 21
/** Polygon cuts lists and ranges; small pages, so that there are some to follow. */
const TICKERS_PER_PAGE = 2
const BARS_PER_PAGE = 400
/** Five requests take longer than the minute that five may be sent in, so nobody has to wait for a turn. */
const SECONDS_PER_ANSWER = 13

export interface SamplePolygon extends ProviderServer {
  /** Whether days are given to those who ask for the whole market's. */
  grouped: boolean
}

/**
 * Polygon as a free key finds it, with the sample for its market, at the moment of the clock: what is still to come
 * is not given. Bars are written with the sample's own digits.
 */
export async function samplePolygon(
  sample: readonly SampleDay[],
  clock: { readonly now: () => Date; readonly advance: (ms: number) => void },
): Promise<SamplePolygon> {
  const market: Market = { sample, now: clock.now, grouped: true }
  const server = await serveProvider((asked) => {
    clock.advance(SECONDS_PER_ANSWER * 1000)
    if (asked.authorization !== `Bearer ${POLYGON_KEY}`)
      return json('{"status":"ERROR","error":"Unknown API Key"}', 401)
    return answerOf(market, asked)
  })
  return Object.assign(market, server)
}

interface Market {
  readonly sample: readonly SampleDay[]
  readonly now: () => Date
  grouped: boolean
}

function answerOf(market: Market, { path, query }: Asked): Answer {
  if (path === '/v3/reference/tickers') return tickers(market, query)
  if (path === '/v3/reference/splits') return results([])
  if (path === '/v3/reference/dividends') return dividends(market, query)
  if (path === '/v1/marketstatus/upcoming') return json('[]')
  if (path === '/v1/marketstatus/now') return marketStatus(market)
  if (path.startsWith('/v2/snapshot/')) return refused()
  const [, grouped] = /^\/v2\/aggs\/grouped\/locale\/us\/market\/stocks\/([\d-]{10})$/.exec(path) ?? []
  if (grouped !== undefined) return groupedDay(market, grouped)
  const [, ofPrev] = /^\/v2\/aggs\/ticker\/([A-Z]+)\/prev$/.exec(path) ?? []
  if (ofPrev !== undefined) {
    const last = market.sample.findLast((day) => day.ticker === ofPrev && isOver(market, day.date))
    return bars(last === undefined ? [] : [last], 16)
  }
  return range(market, path, query)
}

function tickers({ sample, now }: Market, query: Asked['query']): Answer {
  const found = Object.keys(NAMES).filter((ticker) => {
    const last = sample.findLast((day) => day.ticker === ticker)?.date ?? ''
    const active = last === sample.at(-1)?.date || now().getTime() < newYorkTime(dayLater(last, 1), 0)
    return `${active}` === query['active'] && ticker.startsWith(query['search'] ?? '')
  })
  const first = Number(query['cursor'] ?? 0)
  const rows = found.slice(first, first + TICKERS_PER_PAGE).map((ticker) => {
    const [name, exchange, figi] = NAMES[ticker] ?? []
    const active = query['active'] === 'true'
    const last = sample.findLast((day) => day.ticker === ticker)?.date
    const gone = active ? {} : { delisted_utc: `${last}T00:00:00Z` }
    const said = { market: 'stocks', locale: 'us', type: 'CS', currency_name: 'usd', active }
    return JSON.stringify({
      ticker,
      name,
      primary_exchange: exchange,
      composite_figi: figi,
      ...said,
      ...gone,
    })
  })
  const more = first + TICKERS_PER_PAGE < found.length
  return results(
    rows,
    more ? `/v3/reference/tickers?active=${query['active']}&cursor=${first + TICKERS_PER_PAGE}` : null,
  )
}

function dividends({ sample, now }: Market, query: Asked['query']): Answer {
  const since = query['ex_dividend_date.gte'] ?? ''
  const announced = dayLater(now().toISOString().slice(0, 10), ANNOUNCED_DAYS_BEFORE)
  const rows = sample.flatMap(({ ticker, date, dividend }) => {
    if (dividend === null || date < since || date > announced) return []
    const dates = `"ex_dividend_date":"${date}","pay_date":"${dayLater(date, PAID_DAYS_LATER)}"`
    return [
      `{"ticker":"${ticker}","cash_amount":${dividend},"dividend_type":"CD","frequency":4,"currency":"USD",${dates}}`,
    ]
  })
  return results(rows)
}

function marketStatus({ now }: Market): Answer {
  const market = { market: 'open', exchanges: { nyse: 'open', nasdaq: 'open', otc: 'open' } }
  return json(JSON.stringify({ ...market, serverTime: now().toISOString() }))
}

function groupedDay(market: Market, date: string): Answer {
  if (!isOver(market, date)) return refused()
  // The whole market's bars bear the moment of the close, one instrument's the beginning of the day.
  return bars(market.grouped ? market.sample.filter((day) => day.date === date) : [], 16)
}

function range(market: Market, path: string, query: Asked['query']): Answer {
  const [, ticker, span, from = '', to = ''] =
    /^\/v2\/aggs\/ticker\/([A-Z]+)\/range\/1\/(minute|hour|day)\/([\d-]{10})\/([\d-]{10})$/.exec(path) ?? []
  if (ticker === undefined) return json('{"status":"NOT_FOUND"}', 404)
  if (span !== 'day') return refused()
  const found = market.sample.filter(
    (day) => day.ticker === ticker && day.date >= from && day.date <= to && isOver(market, day.date),
  )
  const first = Number(query['cursor'] ?? 0)
  const next =
    first + BARS_PER_PAGE < found.length ? `${path}?adjusted=false&cursor=${first + BARS_PER_PAGE}` : null
  return bars(found.slice(first, first + BARS_PER_PAGE), 0, next)
}

function isOver({ now }: Market, date: string): boolean {
  return now().getTime() >= newYorkTime(date, 16)
}

function bars(days: readonly SampleDay[], hour: number, next: string | null = null): Answer {
  const rows = days.map(
    ({ ticker, date, open, high, low, close, volume }) =>
      `{"T":"${ticker}","v":${volume},"o":${open},"c":${close},"h":${high},"l":${low},"t":${newYorkTime(date, hour)},"n":1}`,
  )
  // A day without any has no `results` at all.
  return rows.length === 0
    ? json('{"status":"OK","adjusted":false,"queryCount":0,"resultsCount":0}')
    : results(rows, next)
}

/** Of another host, as after Polygon's renaming: it must not be followed there. */
const results = (rows: readonly string[], next: string | null = null): Answer =>
  json(
    `{"status":"OK","adjusted":false,"results":[${rows.join(',')}]${next === null ? '' : `,"next_url":"https://api.massive.com${next}"`}}`,
  )

const refused = (): Answer => json(recording('polygon/403.json'), 403)

function json(body: string | Buffer, status = 200): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body }
}
