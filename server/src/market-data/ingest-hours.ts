import type { Queryable } from '#db'
import { newYorkDate } from './providers/new-york.ts'
import type { MarketHoliday, MarketStatus } from './providers/stock-provider.ts'
import type { FeedRecord, FeedResult } from './stock-feeds.ts'
import type { StocksDeps } from './stocks-deps.ts'

/** How often it is looked whether the market is open when it should be. */
const IN_SESSION_MINUTES = 30
/** Right at the opening the status may lag. */
const AFTER_OPENING_MINUTES = 10
const EXCHANGES = [
  { mic: 'XNYS', name: 'nyse' },
  { mic: 'XNAS', name: 'nasdaq' },
] as const

/** Announced holidays and early closes once a day, and in the session whether the market really is open. */
export async function ingestHours(
  deps: StocksDeps,
  record: FeedRecord,
  signal: AbortSignal,
): Promise<FeedResult> {
  const now = deps.clock()
  const today = newYorkDate(now.getTime())
  let stored = 0
  if (record.reachedOn !== today) {
    const holidays = await deps.provider.upcoming({ signal })
    stored += await recordHolidays(deps.db, holidays.filter(isUseful), now)
  }
  const { open, opensAt } = deps.hours.session('XNYS', now)
  const settled = open && now.getTime() - opensAt.getTime() > AFTER_OPENING_MINUTES * 60_000
  const known = await closedByStatus(deps.db, today)
  if (settled || known.size > 0) {
    const status = await deps.provider.marketStatus({ signal })
    stored += await recordStatus(deps.db, { status, today, now, known })
  }
  if (stored > 0) await deps.hours.refresh()
  const soon = now.getTime() + IN_SESSION_MINUTES * 60_000
  const atOpening = opensAt.getTime() + (AFTER_OPENING_MINUTES + 1) * 60_000
  const nextAt = new Date(open && !settled ? atOpening : Math.min(soon, open ? soon : atOpening))
  return { nextAt, stored, refused: 0, reachedOn: today }
}

function isUseful({ mic, status, opensAt, closesAt }: MarketHoliday): boolean {
  const known = EXCHANGES.some((exchange) => exchange.mic === mic)
  return known && (status === 'closed' || (opensAt !== null && closesAt !== null && closesAt > opensAt))
}

async function recordHolidays(q: Queryable, holidays: readonly MarketHoliday[], now: Date): Promise<number> {
  if (holidays.length === 0) return 0
  const { rowCount } = await q.query(
    `insert into market_data.market_days as held
            (mic, on_date, status, name, opens_at, closes_at, said_by, recorded_at)
     select distinct on (mic, on_date) *, 'upcoming', $7::timestamptz
       from unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
            as new (mic, on_date, status, name, opens_at, closes_at)
      order by mic, on_date
         on conflict (mic, on_date) do update
        set status = excluded.status, name = excluded.name, opens_at = excluded.opens_at,
            closes_at = excluded.closes_at, said_by = 'upcoming', recorded_at = excluded.recorded_at
      where (held.status, held.opens_at, held.closes_at)
            is distinct from (excluded.status, excluded.opens_at, excluded.closes_at)`,
    [
      holidays.map(({ mic }) => mic),
      holidays.map(({ date }) => date),
      holidays.map(({ status }) => status),
      holidays.map(({ name }) => name),
      holidays.map(({ opensAt }) => opensAt),
      holidays.map(({ closesAt }) => closesAt),
      now,
    ],
  )
  return rowCount ?? 0
}

async function closedByStatus(q: Queryable, today: string): Promise<ReadonlySet<string>> {
  const { rows } = await q.query<{ mic: string }>(
    `select mic from market_data.market_days where on_date = $1 and said_by = 'status'`,
    [today],
  )
  return new Set(rows.map(({ mic }) => mic))
}

interface StatusSeen {
  readonly status: MarketStatus
  readonly today: string
  readonly now: Date
  /** Exchanges that were found closed before. */
  readonly known: ReadonlySet<string>
}

/** A market that is closed when it should be open is closed for us too, until it says otherwise. */
async function recordStatus(q: Queryable, { status, today, now, known }: StatusSeen): Promise<number> {
  let changes = 0
  for (const { mic, name } of EXCHANGES) {
    const state = status.exchanges.get(name) ?? status.market
    if (state === 'closed' && !known.has(mic)) {
      await q.query(
        `insert into market_data.market_days (mic, on_date, status, name, said_by, recorded_at)
         values ($1, $2, 'closed', 'Closed, as the market says', 'status', $3) on conflict do nothing`,
        [mic, today, now],
      )
      changes += 1
    }
    if (state === 'open' && known.has(mic)) {
      await q.query(
        `delete from market_data.market_days where mic = $1 and on_date = $2 and said_by = 'status'`,
        [mic, today],
      )
      changes += 1
    }
  }
  return changes
}
