import { z } from 'zod'
import { parseExactJson, readShape } from './exact-json.ts'
import { checkTicker, sortOut } from './polygon-bars.ts'
import { barIn, isRow, priceIn, pricesIn, tickerIn, volumeIn, type Read, type Row } from './polygon-prices.ts'
import { askPolygon, checkStatus, momentOf, type PolygonAccess } from './polygon-request.ts'
import { isCalendarDay } from './zoned-time.ts'
import {
  SNAPSHOT_TICKERS_MAX,
  type MarketHoliday,
  type MarketStatus,
  type StockCall,
  type StockQuote,
  type StockSnapshot,
  type StockSnapshots,
  type StockTrade,
} from './stock-provider.ts'

/** `tickers` where several are asked; the recorded answer for one has `ticker`. */
const snapshotAnswer = z.object({
  tickers: z.array(z.unknown()).max(20_000).nullish(),
  ticker: z.unknown().optional(),
})

/** `/v2/snapshot/locale/us/markets/stocks/tickers`: last trade, quote and bars of the running day. */
export async function polygonSnapshot(
  access: PolygonAccess,
  tickers: readonly string[],
  call: StockCall,
): Promise<StockSnapshots> {
  if (tickers.length > SNAPSHOT_TICKERS_MAX) throw new RangeError('too many tickers for one snapshot')
  if (tickers.length === 0) return { delayed: false, snapshots: [], refused: [] }
  const path = '/v2/snapshot/locale/us/markets/stocks/tickers'
  const query = { tickers: tickers.map(checkTicker).join(',') }
  const body = parseExactJson(await askPolygon(access, { path, query }, call))
  const { delayed } = checkStatus(body, access.apiKey)
  const answer = readShape(snapshotAnswer, body)
  const rows = answer.tickers ?? (answer.ticker === undefined ? [] : [answer.ticker])
  const asked = new Set(tickers)
  const { items, refused } = await sortOut(rows, readSnapshot)
  return { delayed, snapshots: items.filter(({ ticker }) => asked.has(ticker)), refused }
}

function readSnapshot(row: Row): Read<StockSnapshot> {
  const ticker = tickerIn(row['ticker'])
  if (ticker === null) return { ok: false, why: 'shape' }
  const minute = isRow(row['min']) ? barIn(ticker, row['min'], false) : null
  return {
    ok: true,
    value: {
      ticker,
      trade: readTrade(ticker, row['lastTrade']),
      quote: readQuote(ticker, row['lastQuote']),
      minute: minute?.ok === true ? minute.value : null,
      day: pricesOrNull(row['day']),
      previousDay: pricesOrNull(row['prevDay']),
      asOf: momentOf(row['updated'])?.at ?? null,
    },
  }
}

/** Zeros stand for a day that has not traded yet. */
function pricesOrNull(value: unknown): StockSnapshot['day'] {
  const prices = isRow(value) ? pricesIn(value) : null
  return prices?.ok === true ? prices.value : null
}

function readTrade(ticker: string, value: unknown): StockTrade | null {
  if (!isRow(value)) return null
  const [price, size, moment] = [priceIn(value['p']), volumeIn(value['s']), momentOf(value['t'])]
  if (price === null || size === null || moment === null) return null
  return { ticker, price, size, asOf: moment.at, asOfNs: moment.ns }
}

/** `p` is the bid and `P` the ask. A crossed quote is no price to deal at. */
function readQuote(ticker: string, value: unknown): StockQuote | null {
  if (!isRow(value)) return null
  const [bid, ask, moment] = [priceIn(value['p']), priceIn(value['P']), momentOf(value['t'])]
  if (bid === null || ask === null || moment === null || Number(bid) > Number(ask)) return null
  const [bidSize, askSize] = [volumeIn(value['s']) ?? '0', volumeIn(value['S']) ?? '0']
  return { ticker, bid, ask, bidSize, askSize, asOf: moment.at, asOfNs: moment.ns }
}

const statusAnswer = z.object({
  market: z.string(),
  serverTime: z.iso.datetime({ offset: true }),
  exchanges: z.record(z.string().max(32), z.string()).optional(),
})

/** `/v1/marketstatus/now` */
export async function polygonMarketStatus(access: PolygonAccess, call: StockCall): Promise<MarketStatus> {
  const body = parseExactJson(await askPolygon(access, { path: '/v1/marketstatus/now' }, call))
  refuseErrors(body, access.apiKey)
  const answer = readShape(statusAnswer, body)
  const exchanges = Object.entries(answer.exchanges ?? {}).map(
    ([name, state]) => [name, stateOf(state)] as const,
  )
  return {
    market: stateOf(answer.market),
    exchanges: new Map(exchanges),
    asOf: new Date(answer.serverTime),
  }
}

/** A word that we do not know is not "open": nobody trades on it. */
function stateOf(word: string): MarketStatus['market'] {
  if (word === 'open') return 'open'
  return word === 'extended-hours' ? 'extendedHours' : 'closed'
}

const MIC_OF_EXCHANGE: ReadonlyMap<string, string> = new Map([
  ['NYSE', 'XNYS'],
  ['NASDAQ', 'XNAS'],
])

/** `/v1/marketstatus/upcoming`: a bare array, one row for each exchange and day. */
export async function polygonUpcoming(access: PolygonAccess, call: StockCall): Promise<MarketHoliday[]> {
  const body = parseExactJson(await askPolygon(access, { path: '/v1/marketstatus/upcoming' }, call))
  if (!Array.isArray(body)) refuseErrors(body, access.apiKey)
  return readShape(z.array(z.unknown()).max(2000), body).flatMap((row) => {
    const holiday = isRow(row) ? readHoliday(row) : null
    return holiday === null ? [] : [holiday]
  })
}

/** These two answers have no `status` when all is well, and one when it is not. */
function refuseErrors(body: unknown, apiKey: string): void {
  if (isRow(body) && (body['status'] !== undefined || body['error'] !== undefined)) checkStatus(body, apiKey)
}

function readHoliday(row: Row): MarketHoliday | null {
  const { exchange, name, date, status } = row
  if (typeof exchange !== 'string' || typeof date !== 'string' || !isCalendarDay(date)) return null
  const common = {
    mic: MIC_OF_EXCHANGE.get(exchange) ?? exchange.slice(0, 32),
    name: typeof name === 'string' ? name.slice(0, 100) : '',
    date,
  }
  if (status === 'closed') return { ...common, status: 'closed', opensAt: null, closesAt: null }
  const [opensAt, closesAt] = [dateIn(row['open']), dateIn(row['close'])]
  if (status !== 'early-close' || opensAt === null || closesAt === null || opensAt >= closesAt) return null
  return { ...common, status: 'earlyClose', opensAt, closesAt }
}

function dateIn(value: unknown): Date | null {
  const read = z.iso.datetime({ offset: true }).safeParse(value)
  return read.success ? new Date(read.data) : null
}
