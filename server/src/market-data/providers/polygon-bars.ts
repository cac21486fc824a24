import { z } from 'zod'
import { readShape } from './exact-json.ts'
import { CutRows, parseExactRows } from './exact-rows.ts'
import { barIn, isRow, tickerIn, type Row } from './polygon-prices.ts'
import { askPolygon, checkRaw, checkStatus, nextOf, type PolygonAccess } from './polygon-request.ts'
import { ProviderError } from './rate-provider.ts'
import { readPages } from './read-pages.ts'
import { takeTurns } from './take-turns.ts'
import type { RefusedRow, StockBar, StockBars, StockCall, StockSpan } from './stock-provider.ts'

/** 12,000 rows of a day are about 2 MB, 50,000 bars of a range about 6. */
const BARS_BYTES_MAX = 16_000_000
const ROWS_MAX = 60_000
/** Polygon cuts a range by how many minutes it is made of, so that hours and days come in several answers too. */
const RANGE_PAGES_MAX = 20
const RANGE_LIMIT = 50_000
const DEADLINE_SECONDS = 60

const envelope = z.object({ next_url: z.string().optional(), ticker: z.string().optional() })

interface Answer {
  readonly delayed: boolean
  readonly rows: Iterable<unknown>
  readonly nextUrl: string | undefined
}

/** `/v2/aggs/ticker/{T}/range/1/{span}/{from}/{to}`: raw bars, oldest first, all pages. */
export async function polygonRange(
  access: PolygonAccess,
  query: { readonly ticker: string; readonly span: StockSpan; readonly from: string; readonly to: string },
  call: StockCall,
): Promise<StockBars> {
  const ticker = checkTicker(query.ticker)
  const pagesUnder = `/v2/aggs/ticker/${encodeURIComponent(ticker)}/range/`
  const path = `${pagesUnder}1/${query.span}/${checkDay(query.from)}/${checkDay(query.to)}`
  const wholeDays = query.span === 'day' || query.span === 'week'
  let delayed = false
  const readPage = async (cursor: string | undefined) => {
    const answer = await askBars(access, { path, cursor, pagesUnder, sort: 'asc' }, call)
    delayed ||= answer.delayed
    return {
      ...(await sortOut(answer.rows, (row) => barIn(ticker, row, wholeDays))),
      next: nextOf(answer.nextUrl, access.url, pagesUnder),
    }
  }
  const bars: StockBar[] = []
  const refused: RefusedRow[] = []
  for await (const page of readPages(readPage, RANGE_PAGES_MAX)) {
    refused.push(...page.refused)
    for (const bar of page.items) {
      if (bar.startAt > (bars.at(-1)?.startAt ?? new Date(0))) bars.push(bar)
      else refused.push({ ticker, why: 'time' })
    }
  }
  return { delayed, bars, refused }
}

/** `/v2/aggs/grouped/locale/us/market/stocks/{date}`: the whole market in one answer. */
export async function polygonGroupedDay(
  access: PolygonAccess,
  date: string,
  call: StockCall,
): Promise<StockBars> {
  const path = `/v2/aggs/grouped/locale/us/market/stocks/${checkDay(date)}`
  const answer = await askBars(access, { path }, call)
  const seen = new Set<string>()
  const { items, refused } = await sortOut(answer.rows, (row) => {
    const ticker = tickerIn(row['T'])
    if (ticker === null) return { ok: false, why: 'shape' }
    const bar = barIn(ticker, row, true)
    if (bar.ok && (bar.value.date !== date || seen.has(ticker))) return { ok: false, why: 'time' }
    seen.add(ticker)
    return bar
  })
  return { delayed: answer.delayed, bars: items, refused }
}

/** `/v2/aggs/ticker/{T}/prev`: the last whole day. Null where there is none. */
export async function polygonPreviousClose(
  access: PolygonAccess,
  ticker: string,
  call: StockCall,
): Promise<StockBar | null> {
  const path = `/v2/aggs/ticker/${encodeURIComponent(checkTicker(ticker))}/prev`
  const answer = await askBars(access, { path }, call)
  const { items } = await sortOut(answer.rows, (row) => barIn(ticker, row, true))
  return items.at(-1) ?? null
}

async function askBars(
  access: PolygonAccess,
  question: { path: string; cursor?: string | undefined; pagesUnder?: string; sort?: string },
  call: StockCall,
): Promise<Answer> {
  const { sort, ...rest } = question
  const range = sort === undefined ? {} : { sort, limit: `${RANGE_LIMIT}` }
  const text = await askPolygon(
    { ...access, deadlineSeconds: access.deadlineSeconds ?? DEADLINE_SECONDS },
    { ...rest, query: { adjusted: 'false', ...range }, bodyBytesMax: BARS_BYTES_MAX },
    call,
  )
  const { body, rows } = await parseExactRows(text)
  const { delayed } = checkStatus(body, access.apiKey)
  checkRaw(body)
  const { next_url: nextUrl } = readShape(envelope, body)
  return { delayed, rows: rowsIn(rows), nextUrl }
}

function rowsIn(rows: unknown): Iterable<unknown> {
  if (rows === undefined) return []
  const fits = (rows instanceof CutRows || Array.isArray(rows)) && rows.length <= ROWS_MAX
  if (fits) return rows
  throw new ProviderError('bad_answer', 'unexpected_shape', 'The answer has no rows of an expected shape.')
}

/**
 * Reads row by row; what cannot be read is left out and named.
 * @throws ProviderError `unexpected_shape` where most rows cannot be read: that is not a broken row but another format
 */
export async function sortOut<Item>(
  rows: Iterable<unknown>,
  read: (row: Row) => { ok: true; value: Item } | { ok: false; why: string },
): Promise<{ items: Item[]; refused: RefusedRow[] }> {
  const items: Item[] = []
  const refused: RefusedRow[] = []
  await takeTurns(rows, (row) => {
    const result = isRow(row) ? read(row) : ({ ok: false, why: 'shape' } as const)
    if (result.ok) items.push(result.value)
    else refused.push({ ticker: isRow(row) ? tickerIn(row['T'] ?? row['ticker']) : null, why: result.why })
  })
  if (refused.length > items.length && refused.length > 10) {
    throw new ProviderError(
      'bad_answer',
      'unexpected_shape',
      `${refused.length} of ${items.length + refused.length} rows cannot be read (${refused[0]?.why}).`,
    )
  }
  return { items, refused }
}

/** @throws RangeError: what is asked comes from our own tables, so anything else is a fault of ours */
export function checkTicker(ticker: string): string {
  if (tickerIn(ticker) === null) throw new RangeError('not a ticker')
  return ticker
}

export function checkDay(date: string): string {
  if (!z.iso.date().safeParse(date).success) throw new RangeError('a day is given as YYYY-MM-DD')
  return date
}
