import type { Queryable } from '#db'
import { dayAfter, newYorkDate } from './providers/new-york.ts'
import { ProviderError } from './providers/rate-provider.ts'
import type { StockSource } from './stock-source.ts'
import type { StocksDeps } from './stocks-deps.ts'
import { storeCandles, STORED_SPANS, type StoredSpan } from './store-candles.ts'

/** How far back a span is fetched. */
const LOOK_BACK_DAYS: Readonly<Record<StoredSpan, number>> = { minute: 4, hour: 60, day: 1_826 }
/** Wished for again before this, it is still new enough. */
const AGAIN_SECONDS: Readonly<Record<StoredSpan, number>> = { minute: 60, hour: 600, day: 43_200 }

/** Asks for candles that a chart wants, to be fetched by a job. Cheap when they are new enough. */
export async function wishCandles(
  q: Queryable,
  wish: {
    readonly instrumentId: number
    readonly provider: string
    readonly span: StoredSpan
    readonly now: Date
  },
): Promise<void> {
  const { instrumentId, provider, span, now } = wish
  await q.query({
    name: 'wish-candles',
    text: `insert into market_data.candle_wishes as held (instrument_id, source, span, wanted_at)
           select $1, id, $3, $4 from market_data.stock_sources where provider = $2
               on conflict (instrument_id, source, span) do update
              set fetched_at = null, wanted_at = excluded.wanted_at, attempts = 0
            where held.fetched_at < $5`,
    values: [
      instrumentId,
      provider,
      STORED_SPANS[span],
      now,
      new Date(now.getTime() - AGAIN_SECONDS[span] * 1000),
    ],
  })
}

/** Of every instrument that has none yet. For a list that is short enough to be fetched one by one. */
export async function wishForAll(q: Queryable, sourceId: number, span: StoredSpan, now: Date): Promise<void> {
  await q.query(
    `insert into market_data.candle_wishes (instrument_id, source, span, wanted_at)
     select id, $1, $2, $3 from market_data.instruments where status = 'active' on conflict do nothing`,
    [sourceId, STORED_SPANS[span], now],
  )
}

/** Candles of a time that was missed: fetched again from that day (YYYY-MM-DD in New York) on, however new they are. */
export async function reopenWishes(
  q: Queryable,
  sourceId: number,
  gap: {
    readonly instrumentIds: readonly number[]
    readonly span: StoredSpan
    readonly since: string
    readonly now: Date
  },
): Promise<void> {
  await q.query(
    `insert into market_data.candle_wishes as held (instrument_id, source, span, wanted_at)
     select id, $2, $3, $4 from unnest($1::int[]) as wanted (id)
         on conflict (instrument_id, source, span) do update
        set fetched_at = null, fetched_to = least(held.fetched_to, $5), wanted_at = excluded.wanted_at, attempts = 0`,
    [[...gap.instrumentIds], sourceId, STORED_SPANS[gap.span], gap.now, gap.since],
  )
}

interface Claimed {
  readonly instrument_id: number
  readonly ticker: string
  readonly span: number
  readonly fetched_to: string | null
  readonly fetched_from: string | null
}

const CLAIMED_AT_ONCE = 8
const CLAIM_SECONDS = 120
const ATTEMPTS_MAX = 5
const RUN_MS = 40_000
/** Only if there is a request left now. */
const WAIT_SECONDS_MAX = 0

/** Fetches what was wished for, oldest wish first, as long as the run and the requests last. @returns candles stored */
export async function fulfilWishes(
  deps: StocksDeps,
  source: StockSource,
  signal: AbortSignal,
): Promise<number> {
  const startedMs = performance.now()
  let stored = 0
  for (;;) {
    const wishes = await claimWishes(deps, source.id)
    if (wishes.length === 0) return stored
    for (const wish of wishes) {
      if (signal.aborted || performance.now() - startedMs > RUN_MS) return stored
      const taken = await fulfil(deps, source, wish, signal)
      if (taken === 'no turn') return stored
      stored += taken
    }
  }
}

async function claimWishes(deps: StocksDeps, sourceId: number): Promise<Claimed[]> {
  const now = deps.clock()
  const { rows } = await deps.db.query<Claimed>(
    `update market_data.candle_wishes wish set not_before = $3, attempts = attempts + 1
       from market_data.instruments
      where instruments.id = wish.instrument_id
        and (wish.instrument_id, wish.source, wish.span) in (
          select instrument_id, source, span from market_data.candle_wishes
           where source = $1 and fetched_at is null and attempts < $5
             and (not_before is null or not_before <= $2)
           order by wanted_at, span desc limit $4 for update skip locked)
     returning wish.instrument_id, instruments.ticker, wish.span, wish.fetched_from, wish.fetched_to`,
    [sourceId, now, new Date(now.getTime() + CLAIM_SECONDS * 1000), CLAIMED_AT_ONCE, ATTEMPTS_MAX],
  )
  return rows
}

async function fulfil(
  deps: StocksDeps,
  source: StockSource,
  wish: Claimed,
  signal: AbortSignal,
): Promise<number | 'no turn'> {
  const span = spanOf(wish.span)
  const now = deps.clock()
  const today = newYorkDate(now.getTime())
  // A running day's bar would pass for the whole day's.
  const to = span === 'day' ? deps.hours.lastClosed('XNYS', now).date : today
  const first = dayAfter(today, -LOOK_BACK_DAYS[span])
  const from = wish.fetched_to !== null && wish.fetched_to > first ? wish.fetched_to : first
  try {
    const { bars } = await deps.provider.range(
      { ticker: wish.ticker, span, from, to },
      { signal, waitSecondsMax: WAIT_SECONDS_MAX },
    )
    const drafts = bars.map((bar) => ({ ...bar, instrumentId: wish.instrument_id }))
    const { stored } = await storeCandles(deps.db, source.id, span, drafts)
    await recordFetched(deps, source.id, wish, { from: wish.fetched_from ?? from, to })
    return stored
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    if (error.code === 'budget') return 'no turn'
    deps.log.warn({ instrumentId: wish.instrument_id, span, code: error.code }, 'candles not fetched')
    // Nothing will change by asking again soon: as if fetched, until somebody wishes for it anew.
    if (error.kind === 'plan' || error.kind === 'auth') await recordFetched(deps, source.id, wish, null)
    return 0
  }
}

async function recordFetched(
  { db, clock }: StocksDeps,
  sourceId: number,
  wish: Claimed,
  range: { readonly from: string; readonly to: string } | null,
): Promise<void> {
  await db.query(
    `update market_data.candle_wishes
        set fetched_at = $4, not_before = null, attempts = 0,
            fetched_from = coalesce($5, fetched_from), fetched_to = coalesce($6, fetched_to)
      where instrument_id = $1 and source = $2 and span = $3`,
    [wish.instrument_id, sourceId, wish.span, clock(), range?.from ?? null, range?.to ?? null],
  )
}

function spanOf(stored: number): StoredSpan {
  if (stored === STORED_SPANS.minute) return 'minute'
  return stored === STORED_SPANS.hour ? 'hour' : 'day'
}
