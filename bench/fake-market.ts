import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { newYorkMidnight } from '../server/src/market-data/providers/new-york.ts'
import { fixed } from './table.ts'

// A market of 12,000 stocks in Polygon's words, in a process of its own, so that what it costs to write the answers is
// in no figure. Prints its port; `/asked` says how many days were asked for.

export const TICKERS = 12_000
export const tickerOf = (index: number): string => `T${index.toString(36).toUpperCase()}X`

function dayAnswer(prices: readonly string[], date: string): string {
  const at = newYorkMidnight(date)
  const rows = prices.map(
    (price, index) =>
      `{"T":"${tickerOf(index)}","v":${1000 + index},"vw":${price},"o":${price},"c":${price},"h":${price},"l":${price},"t":${at},"n":9}`,
  )
  return `{"status":"OK","adjusted":false,"resultsCount":${rows.length},"results":[${rows.join(',')}]}`
}

function tickersAnswer(): string {
  const results = Array.from({ length: 1_000 }, (_, index) => ({
    ticker: tickerOf(index),
    name: `Company ${index}`,
    type: 'CS',
    primary_exchange: 'XNYS',
    currency_name: 'usd',
    active: true,
  }))
  return JSON.stringify({ status: 'OK', results })
}

if (import.meta.main) {
  let days = 0
  const prices = Array.from({ length: TICKERS }, (_, index) => fixed(5 + (index % 900) + 0.37, 2))
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1')
    const date = /\/grouped\/.*\/(\d{4}-\d\d-\d\d)$/.exec(url.pathname)?.[1]
    const tickers = url.pathname === '/v3/reference/tickers' && url.searchParams.get('active') !== 'false'
    if (date !== undefined) {
      days += 1
      response.end(dayAnswer(prices, date))
    } else if (url.pathname === '/asked') response.end(`${days}`)
    else if (tickers) response.end(tickersAnswer())
    else if (url.pathname.startsWith('/v1/marketstatus/upcoming')) response.end('[]')
    else if (url.pathname.startsWith('/v2/snapshot')) response.end('{"status":"OK","tickers":[]}')
    else response.end('{"status":"OK","results":[]}')
  })
  server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
}
