import {
  candles as candlesReply,
  candlesQuery,
  instrumentInFull,
  instrumentParams,
  instruments as instrumentsReply,
  instrumentsQuery,
} from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import { route, type Route } from '#http'
import { wishCandles } from './candle-wishes.ts'
import type { Instrument, InstrumentBook } from './instrument-book.ts'
import { createPopularInstruments } from './popular-instruments.ts'
import { presentInFull, presentInstruments, type PresentDeps } from './present-instrument.ts'
import { newYorkDate } from './providers/new-york.ts'
import { CANDLE_SECONDS, CANDLES_MAX, READ_FROM, readCandles, type CandleSpan } from './read-candles.ts'
import { recordLook } from './stream-interest.ts'

export interface InstrumentRoutesDeps extends PresentDeps {
  readonly instruments: InstrumentBook
}

/** Public, like rates: they say nothing of any customer. */
export function instrumentRoutes(deps: InstrumentRoutesDeps): Route[] {
  return [listInstruments(deps), showInstrument(deps), showCandles(deps)]
}

function listInstruments(deps: InstrumentRoutesDeps): Route {
  const popular = createPopularInstruments({ ...deps, provider: deps.prices.source })
  return route({
    method: 'GET',
    path: '/instruments',
    access: 'public',
    summary:
      'Stocks by ticker or words of the name, best first, else the most traded; each with its price and a month of closes',
    tag: 'market-data',
    query: instrumentsQuery,
    reply: instrumentsReply,
    handle: async ({ query: { q, limit } }) => {
      const found = await (q === undefined ? popular(limit) : deps.instruments.search(q, limit))
      return { body: { items: await presentInstruments(deps, found), nextCursor: null } }
    },
  })
}

function showInstrument(deps: InstrumentRoutesDeps): Route {
  return route({
    method: 'GET',
    path: '/instruments/{instrument}',
    access: 'public',
    summary: 'One stock, by id or ticker, with market hours, ranges and corporate actions',
    tag: 'market-data',
    params: instrumentParams,
    reply: instrumentInFull,
    problems: ['unknown_instrument'],
    handle: async ({ params }) => {
      const instrument = await find(deps, params.instrument)
      await recordLook(deps.db, instrument.id, deps.clock())
      return { body: await presentInFull(deps, instrument) }
    },
  })
}

/** What a chart shows when no range is asked for, in candles; sessions are a quarter of a day. */
const USUAL_CANDLES: Readonly<Record<CandleSpan, number>> = {
  minute: 1_440,
  fiveMinutes: 5 * 288,
  hour: 30 * 24,
  day: 366,
  week: 261,
}

function showCandles(deps: InstrumentRoutesDeps): Route {
  return route({
    method: 'GET',
    path: '/instruments/{instrument}/candles',
    access: 'public',
    summary: 'What a stock did, adjusted for splits; times are beginnings, a day’s is midnight in New York',
    tag: 'market-data',
    params: instrumentParams,
    query: candlesQuery,
    reply: candlesReply,
    problems: ['unknown_instrument'],
    handle: async ({ params, query }) => {
      const instrument = await find(deps, params.instrument)
      const now = deps.clock()
      const { span } = query
      const provider = deps.prices.source
      const range = rangeOf(query, now)
      await recordLook(deps.db, instrument.id, now)
      await wishWhereNew(deps, instrument, span, range.to, now)
      const today = newYorkDate(now.getTime())
      const found = await readCandles(deps.db, {
        instrumentId: instrument.id,
        provider,
        span,
        ...range,
        today,
      })
      const items = found.map((candle) => ({ ...candle, at: candle.at.toISOString() }))
      const source = items.length === 0 ? null : provider
      return {
        body: {
          instrument: instrument.ticker,
          span,
          adjusted: true as const,
          source,
          items,
          nextCursor: null,
        },
      }
    },
  })
}

/** A chart of today wants the newest candles; a job fetches them. Days come by themselves. */
async function wishWhereNew(
  { db, prices }: InstrumentRoutesDeps,
  instrument: Instrument,
  span: CandleSpan,
  to: Date,
  now: Date,
): Promise<void> {
  const stored = READ_FROM[span]
  const isNew = now.getTime() - to.getTime() < 86_400_000
  if (instrument.status === 'delisted' || !isNew) return
  await wishCandles(db, { instrumentId: instrument.id, provider: prices.source, span: stored, now })
}

async function find(deps: InstrumentRoutesDeps, reference: string): Promise<Instrument> {
  const instrument = await deps.instruments.byIdOrTicker(reference)
  if (instrument === null) throw new Problem('unknown_instrument')
  return instrument
}

function rangeOf(
  query: { from?: string | undefined; to?: string | undefined; span: CandleSpan },
  now: Date,
): { from: Date; to: Date } {
  const spanMs = CANDLE_SECONDS[query.span] * 1000
  const to = query.to === undefined ? now : new Date(query.to)
  const from =
    query.from === undefined
      ? new Date(to.getTime() - USUAL_CANDLES[query.span] * spanMs)
      : new Date(query.from)
  const refuse = (path: string, message: string) =>
    new Problem('invalid_request', { errors: [{ path, message }] })
  if (from >= to) throw refuse('from', 'must be before `to`')
  if ((to.getTime() - from.getTime()) / spanMs > CANDLES_MAX) {
    throw refuse('from', `must be at most ${CANDLES_MAX} candles before \`to\``)
  }
  return { from, to }
}
