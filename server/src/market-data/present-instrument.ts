import type { Instrument as ShownInstrument, InstrumentInFull } from '@kantor/contract/api'
import type { Rate } from '@kantor/contract/money'
import type { Queryable } from '#db'
import { standingActions, type CorporateAction } from './corporate-actions.ts'
import type { Instrument } from './instrument-book.ts'
import { changeOf, closeBefore, lastCloses, priceText, type AdjustedClose } from './instrument-figures.ts'
import type { MarketHours } from './market-hours.ts'
import type { KnownStockPrice, PriceBook } from './price-book.ts'
import { newYorkDate } from './providers/new-york.ts'
import { readCandles, type Candle } from './read-candles.ts'

export interface PresentDeps {
  readonly db: Queryable
  readonly prices: PriceBook
  readonly hours: MarketHours
  readonly clock: () => Date
}

const SPARKLINE_POINTS = 30
const YEAR_MS = 366 * 86_400_000

/** Instruments as lists show them, each with its price, change and a month of closes. Three queries for all. */
export async function presentInstruments(
  deps: PresentDeps,
  instruments: readonly Instrument[],
): Promise<ShownInstrument[]> {
  const closes = await lastCloses(
    deps.db,
    instruments.map(({ id }) => id),
    { provider: deps.prices.source, today: newYorkDate(deps.clock().getTime()) },
  )
  return instruments.map((instrument) => present(deps, instrument, closes.get(instrument.id) ?? []))
}

function present(
  { prices }: PresentDeps,
  instrument: Instrument,
  closes: readonly AdjustedClose[],
): ShownInstrument {
  return {
    ...instrument,
    id: String(instrument.id),
    simulated: prices.simulated,
    price: presentPrice(prices.price(instrument.id), closes),
    sparkline: closes.slice(-SPARKLINE_POINTS).map(({ close }) => priceText(close)),
  }
}

/** Null: unknown. The change is against the close before, where that is among these. */
export function presentPrice(
  price: KnownStockPrice,
  closes: readonly AdjustedClose[],
): ShownInstrument['price'] {
  if (price.unknown) return null
  const before = closeBefore(closes, price.asOf)
  return {
    last: priceText(price.last),
    bid: price.bid === null ? null : priceText(price.bid),
    ask: price.ask === null ? null : priceText(price.ask),
    ...(before === null ? { change: null, changePercent: null } : changeOf(price.last, before)),
    asOf: price.asOf.toISOString(),
    source: price.source,
    ageSeconds: price.ageSeconds,
    stale: price.stale,
    timeliness: price.timeliness,
    delaySeconds: price.delaySeconds,
  }
}

/** One instrument with everything that its page says. */
export async function presentInFull(deps: PresentDeps, instrument: Instrument): Promise<InstrumentInFull> {
  const now = deps.clock()
  const { source: provider } = deps.prices
  const today = newYorkDate(now.getTime())
  const closes = (await lastCloses(deps.db, [instrument.id], { provider, today })).get(instrument.id) ?? []
  const year = await readCandles(deps.db, {
    instrumentId: instrument.id,
    provider,
    span: 'day',
    from: new Date(now.getTime() - YEAR_MS),
    to: now,
    today,
  })
  const price = deps.prices.price(instrument.id)
  const asOf = price.unknown ? now : price.asOf
  const lastDay = year.at(-1)
  const session = deps.hours.session(instrument.mic, now)
  const before = closeBefore(closes, asOf)
  return {
    ...present(deps, instrument, closes),
    market: {
      open: session.open,
      opensAt: session.opensAt.toISOString(),
      closesAt: session.closesAt.toISOString(),
      halfDay: session.halfDay,
    },
    previousClose: before === null ? null : priceText(before),
    dayRange: lastDay === undefined ? null : dayRangeOf(lastDay, price.unknown ? null : price),
    yearRange: rangeOf(year),
    volume: lastDay?.volume ?? null,
    formerTickers: await formerTickers(deps.db, instrument.id),
    corporateActions: (await standingActions(deps.db, [instrument.id], provider))
      .toReversed()
      .map((action) => presentAction(action, instrument)),
  }
}

/** The running day's candle is a minute behind the newest price, which is never outside what is shown. */
export function dayRangeOf(
  { at, low, high }: Pick<Candle, 'at' | 'low' | 'high'>,
  price: { readonly last: Rate; readonly asOf: Date } | null,
): { low: string; high: string } {
  const isOfDay = price !== null && newYorkDate(price.asOf.getTime()) === newYorkDate(at.getTime())
  if (!isOfDay) return { low, high }
  const last = priceText(price.last)
  return { low: Number(last) < Number(low) ? last : low, high: Number(last) > Number(high) ? last : high }
}

function rangeOf(candles: readonly Candle[]): { low: string; high: string } | null {
  const [first, ...rest] = candles
  if (first === undefined) return null
  // Only the choice is made with doubles; what is shown is the exact text.
  return rest.reduce(
    (range, { low, high }) => ({
      low: Number(low) < Number(range.low) ? low : range.low,
      high: Number(high) > Number(range.high) ? high : range.high,
    }),
    { low: first.low, high: first.high },
  )
}

async function formerTickers(q: Queryable, id: number): Promise<{ ticker: string; until: string }[]> {
  const { rows } = await q.query<{ ticker: string; until: string }>(
    `select ticker, until_on as until from market_data.instrument_names
      where instrument_id = $1 order by until_on desc`,
    [id],
  )
  return rows
}

function presentAction(
  action: CorporateAction,
  instrument: Instrument,
): InstrumentInFull['corporateActions'][number] {
  if (action.kind === 'split')
    return { kind: 'split', on: action.exDate, text: `${action.to}:${action.from}` }
  if (action.kind === 'dividend') {
    return {
      kind: 'dividend',
      on: action.exDate,
      text: `${action.amountPerShare} ${action.currency}`,
    }
  }
  if (action.kind === 'rename') return { kind: 'rename', on: action.on, text: `→ ${action.newTicker}` }
  return { kind: 'delisting', on: action.on, text: action.lastPrice ?? instrument.ticker }
}
