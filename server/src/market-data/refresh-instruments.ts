import { insertActions, type ActionDraft } from './ingest-actions.ts'
import type { Instrument } from './instrument-book.ts'
import { readAllInstruments } from './instrument-queries.ts'
import { listingOf, planInstruments, type InstrumentPlan, type Listing } from './plan-instruments.ts'
import { newYorkDate } from './providers/new-york.ts'
import { ProviderError } from './providers/rate-provider.ts'
import { readPages } from './providers/read-pages.ts'
import type { StockTicker } from './providers/stock-provider.ts'
import type { FeedResult } from './stock-feeds.ts'
import { lockSource, type StockSource } from './stock-source.ts'
import type { StocksDeps } from './stocks-deps.ts'
import { markDelisted, storeInstruments, type DeclareInstruments } from './store-instruments.ts'

export interface RefreshInstrumentsDeps extends StocksDeps {
  readonly declareInstruments: DeclareInstruments
}

/** 1000 to a page: twice the 12,000 that there are. */
const PAGES_MAX = 40
const REFRESH_HOURS = 20
/** Asked for one by one: what is gone. The rest comes up at the next refresh. */
const GONE_CHECKS_MAX = 20
/** A list that lacks more than this of what we hold is rather a broken list than a crash of the market. */
const MISSING_SHARE_MAX = 0.1
const MISSING_ALWAYS_FINE = 5

/** Reads the provider's whole list and takes in what is new, renamed, changed and gone: all of it or nothing. */
export async function refreshInstruments(
  deps: RefreshInstrumentsDeps,
  source: StockSource,
  signal: AbortSignal,
): Promise<FeedResult> {
  const { tickers, refused } = await readTickers(deps, signal)
  const listings = tickers.map(listingOf).filter((listing): listing is Listing => listing !== null)
  const held = await readAllInstruments(deps.db)
  const { missing } = checkWhole(held, planInstruments(held, listings))
  const gone = await findGone(deps, missing, signal)
  const now = deps.clock()
  const today = newYorkDate(now.getTime())
  const stored = await deps.db.transaction(async (tx) => {
    await lockSource(tx, source.id)
    // Under the lock once more: another process may have been here since.
    const plan = planInstruments(await readAllInstruments(tx), listings)
    await markDelisted(tx, gone, now)
    const names = await storeInstruments(tx, plan, now, today)
    await insertActions(tx, source.id, [...renames(plan, today), ...(await delistings(deps, gone))], now)
    await deps.declareInstruments(tx, names)
    return names.length + gone.length
  })
  return {
    nextAt: new Date(now.getTime() + REFRESH_HOURS * 3_600_000),
    stored,
    refused: refused.length,
    lastRefusal: refused.length === 0 ? null : `${refused.length} tickers, such as ${refused[0]}.`,
  }
}

async function readTickers(
  { provider }: StocksDeps,
  signal: AbortSignal,
): Promise<{ tickers: StockTicker[]; refused: string[] }> {
  const tickers: StockTicker[] = []
  const refused: string[] = []
  const page = (cursor: string | undefined) =>
    provider.tickers({ active: true, ...(cursor === undefined ? {} : { cursor }) }, { signal })
  for await (const { items, refused: left } of readPages(page, PAGES_MAX)) {
    tickers.push(...items)
    refused.push(...left.map(({ ticker, why }) => `${ticker ?? 'one'} (${why})`))
  }
  return { tickers, refused }
}

function checkWhole(held: readonly Instrument[], plan: InstrumentPlan): InstrumentPlan {
  const active = held.filter(({ status }) => status === 'active').length
  const most = Math.max(MISSING_ALWAYS_FINE, active * MISSING_SHARE_MAX)
  if (plan.missing.length <= most) return plan
  throw new ProviderError(
    'bad_answer',
    'list_incomplete',
    `The list lacks ${plan.missing.length} of ${active} instruments that are held; it was not taken.`,
  )
}

/** A ticker that is not listed is gone only when the provider says so, with the day. */
async function findGone(
  { provider }: StocksDeps,
  missing: readonly Instrument[],
  signal: AbortSignal,
): Promise<{ id: number; on: string }[]> {
  const gone: { id: number; on: string }[] = []
  for (const instrument of missing.slice(0, GONE_CHECKS_MAX)) {
    const { items } = await provider.tickers({ active: false, search: instrument.ticker }, { signal })
    const found = items
      .filter(({ ticker, delistedOn }) => ticker === instrument.ticker && delistedOn !== null)
      .filter(({ figi }) => figi === null || instrument.figi === null || figi === instrument.figi)
      .toSorted((left, right) => ((left.delistedOn ?? '') < (right.delistedOn ?? '') ? 1 : -1))[0]
    if (found?.delistedOn != null) gone.push({ id: instrument.id, on: found.delistedOn })
  }
  return gone
}

function renames(plan: InstrumentPlan, today: string): ActionDraft[] {
  return plan.renamed.map(({ id, from, to }) => ({
    kind: 'rename',
    instrumentId: id,
    effectiveOn: today,
    sourceKey: `rename:${id}:${from}:${to.ticker}:${today}`,
    ticker: to.ticker,
  }))
}

async function delistings(
  { db, provider }: StocksDeps,
  gone: readonly { readonly id: number; readonly on: string }[],
): Promise<ActionDraft[]> {
  const { rows } = await db.query<{ instrument_id: number; close: string }>(
    `select distinct on (instrument_id) instrument_id, close from market_data.candles
      where instrument_id = any($1) and span = 3
        and source = (select id from market_data.stock_sources where provider = $2)
      order by instrument_id, at desc`,
    [gone.map(({ id }) => id), provider.name],
  )
  const closes = new Map(rows.map((row) => [row.instrument_id, row.close]))
  return gone.map(({ id, on }) => ({
    kind: 'delisting',
    instrumentId: id,
    effectiveOn: on,
    sourceKey: `delisting:${id}:${on}`,
    lastPrice: closes.get(id) ?? null,
  }))
}
