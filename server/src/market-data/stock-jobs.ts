import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { defineJob, type AnyJob, type ScheduleEntry } from '#jobs'
import { fulfilWishes, wishForAll } from './candle-wishes.ts'
import { ingestActions } from './ingest-actions.ts'
import { ingestNewDays, ingestPastDays } from './ingest-days.ts'
import { ingestHours } from './ingest-hours.ts'
import { pollLivePrices } from './poll-stock-prices.ts'
import { refreshInstruments, type RefreshInstrumentsDeps } from './refresh-instruments.ts'
import { runFeed } from './stock-feeds.ts'
import { ensureSource, recordEntitlement } from './stock-source.ts'
import { thinOutStocks } from './thin-out-stocks.ts'

const nothing = z.strictObject({})

export type StockJobsDeps = RefreshInstrumentsDeps

/** A list as short as this is fetched instrument by instrument, a longer one day by day. */
const FEW_INSTRUMENTS = 500
const PROBE_HOURS = 24
const POLL_MS = 50_000
const LOOK_EVERY_MS = 5_000

/** What seldom changes: what the key may see, the list of instruments, hours, splits and dividends. */
export async function refreshStockReference(deps: StockJobsDeps, signal: AbortSignal): Promise<void> {
  await runFeed(deps, 'entitlement', async (_record, source) => {
    const entitlement = await deps.provider.entitlement({ signal })
    await recordEntitlement(deps, source.id, entitlement)
    deps.log.info({ provider: deps.provider.name, timeliness: entitlement.timeliness }, 'stock data probed')
    return { nextAt: new Date(deps.clock().getTime() + PROBE_HOURS * 3_600_000), stored: 1, refused: 0 }
  })
  const listed = await runFeed(deps, 'instruments', (_record, source) =>
    refreshInstruments(deps, source, signal),
  )
  if (listed !== null && listed.stored > 0) {
    deps.log.info({ provider: deps.provider.name, instruments: listed.stored }, 'instruments stored')
    // A first start shows prices and charts at once, not at the next minute.
    await pollStockPrices(deps, signal)
    await ingestCandles(deps, signal)
  }
  await runFeed(deps, 'hours', (record) => ingestHours(deps, record, signal))
  await runFeed(deps, 'actions', (record, source) => ingestActions(deps, source, record.reachedOn, signal))
}

export async function pollStockPrices(deps: StockJobsDeps, signal: AbortSignal): Promise<void> {
  // Until the key was tried, nobody knows what may be asked.
  if ((await ensureSource(deps)).entitlement === null) return
  await runFeed(deps, 'prices', (record, source) => pollLivePrices(deps, source, record, signal))
}

/** New days, then charts that were opened, then the past. */
export async function ingestCandles(deps: StockJobsDeps, signal: AbortSignal): Promise<void> {
  await runFeed(deps, 'days', (record, source) => ingestNewDays(deps, source, record, signal))
  const source = await ensureSource(deps)
  const few = await hasFewInstruments(deps)
  if (few) await wishForAll(deps.db, source.id, 'day', deps.clock())
  await fulfilWishes(deps, source, signal)
  if (!few) await runFeed(deps, 'past', (record) => ingestPastDays(deps, source, record, signal))
}

async function hasFewInstruments({ db }: StockJobsDeps): Promise<boolean> {
  const { rows } = await db.query<{ few: boolean }>(
    `select count(*) < $1 as few from (
       select from market_data.instruments where status = 'active' limit $1) as counted`,
    [FEW_INSTRUMENTS],
  )
  return rows[0]?.few ?? true
}

/** This room's work on stocks for the durable queue. */
export function stockJobs(deps: StockJobsDeps): AnyJob[] {
  return [
    defineJob({
      name: 'refresh-stock-reference',
      payload: nothing,
      timeoutSeconds: 1_500,
      // The next tick is the retry, and the feeds' rows say what is due.
      attemptsMax: 1,
      run: (_payload, { signal }) => refreshStockReference(deps, signal),
    }),
    defineJob({
      name: 'poll-stock-prices',
      payload: nothing,
      timeoutSeconds: 120,
      attemptsMax: 1,
      run: (_payload, { signal }) => pollForAMinute(deps, signal),
    }),
    defineJob({
      name: 'ingest-candles',
      payload: nothing,
      timeoutSeconds: 300,
      attemptsMax: 1,
      run: (_payload, { signal }) => ingestCandles(deps, signal),
    }),
    defineJob({
      name: 'thin-out-stocks',
      payload: nothing,
      timeoutSeconds: 300,
      attemptsMax: 3,
      run: async (_payload, { signal }) => {
        await thinOutStocks(deps, signal)
      },
    }),
  ]
}

/** Cron knows minutes only; a live price is asked for more often, and who opened a chart is waiting for it. */
async function pollForAMinute(deps: StockJobsDeps, signal: AbortSignal): Promise<void> {
  const endMs = performance.now() + POLL_MS
  do {
    await pollStockPrices(deps, signal)
    await fulfilWishes(deps, await ensureSource(deps), signal)
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
  } while (performance.now() < endMs && !signal.aborted)
}

/** Every tick looks what is due; the feeds' rows decide. */
export const stockSchedule: readonly ScheduleEntry[] = [
  { job: 'refresh-stock-reference', cron: '*/10 * * * *', backfillMinutes: 60, atStart: true },
  { job: 'poll-stock-prices', cron: '* * * * *', backfillMinutes: 0, atStart: true },
  { job: 'ingest-candles', cron: '* * * * *', backfillMinutes: 0 },
  { job: 'thin-out-stocks', cron: '37 3 * * *', backfillMinutes: 1440 },
]
