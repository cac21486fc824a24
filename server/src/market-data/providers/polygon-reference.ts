import { z } from 'zod'
import { JsonNumber, parseExactJson, readShape } from './exact-json.ts'
import { checkDay, sortOut } from './polygon-bars.ts'
import { priceIn, tickerIn, type Read, type Row } from './polygon-prices.ts'
import { askPolygon, checkStatus, nextOf, type PolygonAccess } from './polygon-request.ts'
import { isCalendarDay } from './zoned-time.ts'
import type { StockCall, StockDividend, StockPage, StockSplit, StockTicker } from './stock-provider.ts'

const PAGE_LIMIT = 1000
const SEARCH_CHARS_MAX = 100

const listAnswer = z.object({
  results: z
    .array(z.unknown())
    .max(PAGE_LIMIT * 2)
    .nullish(),
  next_url: z.string().optional(),
})

/** `/v3/reference/tickers`, by ticker. */
export function polygonTickers(
  access: PolygonAccess,
  query: { readonly search?: string; readonly active: boolean; readonly cursor?: string },
  call: StockCall,
): Promise<StockPage<StockTicker>> {
  const search = query.search?.slice(0, SEARCH_CHARS_MAX)
  const asked = {
    market: 'stocks',
    active: `${query.active}`,
    sort: 'ticker',
    order: 'asc',
    ...(search === undefined ? {} : { search }),
  }
  return askList(access, { path: '/v3/reference/tickers', asked, cursor: query.cursor }, readTicker, call)
}

/** `/v3/reference/splits`, by ex-date. */
export function polygonSplits(
  access: PolygonAccess,
  query: { readonly since: string; readonly cursor?: string },
  call: StockCall,
): Promise<StockPage<StockSplit>> {
  const asked = { 'execution_date.gte': checkDay(query.since), sort: 'execution_date', order: 'asc' }
  return askList(access, { path: '/v3/reference/splits', asked, cursor: query.cursor }, readSplit, call)
}

/** `/v3/reference/dividends`, by ex-date. */
export function polygonDividends(
  access: PolygonAccess,
  query: { readonly since: string; readonly cursor?: string },
  call: StockCall,
): Promise<StockPage<StockDividend>> {
  const asked = { 'ex_dividend_date.gte': checkDay(query.since), sort: 'ex_dividend_date', order: 'asc' }
  return askList(access, { path: '/v3/reference/dividends', asked, cursor: query.cursor }, readDividend, call)
}

async function askList<Item>(
  access: PolygonAccess,
  question: { path: string; asked: Record<string, string>; cursor: string | undefined },
  read: (row: Row) => Read<Item>,
  call: StockCall,
): Promise<StockPage<Item>> {
  const { path, asked, cursor } = question
  const query = { ...asked, limit: `${PAGE_LIMIT}` }
  const text = await askPolygon(access, { path, query, cursor, pagesUnder: path }, call)
  const body = parseExactJson(text)
  checkStatus(body, access.apiKey)
  const { results, next_url: nextUrl } = readShape(listAnswer, body)
  return { ...(await sortOut(results ?? [], read)), next: nextOf(nextUrl, access.url, path) }
}

/** Polygon's types (https://polygon.io/docs/rest/stocks/tickers/ticker-types) as far as we name them. */
const TYPES: ReadonlyMap<string, StockTicker['type']> = new Map([
  ['CS', 'stock'],
  ['OS', 'stock'],
  ['ETF', 'etf'],
  ['ETN', 'etf'],
  ['ETV', 'etf'],
  ['ETS', 'etf'],
  ['ADRC', 'adr'],
  ['ADRP', 'adr'],
])

function readTicker(row: Row): Read<StockTicker> {
  const ticker = tickerIn(row['ticker'])
  if (ticker === null) return { ok: false, why: 'shape' }
  const currency = currencyIn(row['currency_name'])
  if (currency === null) return { ok: false, why: 'currency' }
  const delisted = textIn(row['delisted_utc'])?.slice(0, 10) ?? null
  return {
    ok: true,
    value: {
      ticker,
      name: textIn(row['name'])?.trim().slice(0, 200) || ticker,
      mic: matching(row['primary_exchange'], /^[A-Z0-9]{4}$/),
      figi: matching(row['composite_figi'], /^BBG[A-Z0-9]{9}$/),
      type: TYPES.get(textIn(row['type']) ?? '') ?? 'other',
      currency,
      active: row['active'] !== false,
      delistedOn: delisted !== null && isCalendarDay(delisted) ? delisted : null,
    },
  }
}

function readSplit(row: Row): Read<StockSplit> {
  const ticker = tickerIn(row['ticker'])
  const exDate = dayIn(row['execution_date'])
  const [from, to] = [priceIn(row['split_from']), priceIn(row['split_to'])]
  if (ticker === null || exDate === null) return { ok: false, why: 'shape' }
  if (from === null || to === null) return { ok: false, why: 'ratio' }
  return { ok: true, value: { ticker, exDate, from, to } }
}

function readDividend(row: Row): Read<StockDividend> {
  const ticker = tickerIn(row['ticker'])
  const exDate = dayIn(row['ex_dividend_date'])
  const amount = priceIn(row['cash_amount'])
  const currency = currencyIn(row['currency'])
  if (ticker === null || exDate === null) return { ok: false, why: 'shape' }
  if (amount === null) return { ok: false, why: 'price' }
  if (currency === null) return { ok: false, why: 'currency' }
  const frequency = row['frequency'] instanceof JsonNumber ? Number(row['frequency'].source) : null
  return {
    ok: true,
    value: {
      ticker,
      exDate,
      payDate: dayIn(row['pay_date']),
      recordDate: dayIn(row['record_date']),
      declaredOn: dayIn(row['declaration_date']),
      amount,
      currency,
      type: matching(row['dividend_type'], /^[A-Z]{2}$/) ?? 'CD',
      frequency: frequency !== null && Number.isSafeInteger(frequency) && frequency >= 0 ? frequency : null,
    },
  }
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function matching(value: unknown, pattern: RegExp): string | null {
  return typeof value === 'string' && pattern.test(value) ? value : null
}

function dayIn(value: unknown): string | null {
  return typeof value === 'string' && isCalendarDay(value) ? value : null
}

/** `usd` with tickers, `USD` with dividends, absent with American ones of old. */
function currencyIn(value: unknown): string | null {
  if (value === undefined || value === null) return 'USD'
  if (typeof value !== 'string') return null
  if (value === 'United States Dollar') return 'USD'
  return /^[a-z]{3}$/i.test(value) ? value.toUpperCase() : null
}
