import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database, Queryable } from '#db'
import type { StockPrices } from './providers/stock-provider.ts'

/** The spans that are stored; the others are rolled up from these. */
export const STORED_SPANS = { minute: 1, hour: 2, day: 3 } as const
export type StoredSpan = keyof typeof STORED_SPANS

export interface CandleDraft extends StockPrices {
  readonly instrumentId: number
  readonly startAt: Date
}

export interface CandlesTaken {
  readonly stored: number
  readonly refused: number
  readonly lastRefusal: string | null
}

/** A quarter of a day of the whole market: customers' statements get their turns between the four. */
const ROWS_PER_STATEMENT = 3_000
/** Reading so many takes about 5 ms: other requests are answered in between. */
const ROWS_AT_ONCE = 1_000

/**
 * Stores candles; those that are held already take the new values (a provider corrected itself), and the same
 * ones again change nothing. A row that makes no sense is left out and counted.
 */
export async function storeCandles(
  db: Database,
  sourceId: number,
  span: StoredSpan,
  drafts: readonly CandleDraft[],
): Promise<CandlesTaken> {
  let stored = 0
  let refused = 0
  let firstRefused: CandleDraft | null = null
  for (let first = 0; first < drafts.length; first += ROWS_PER_STATEMENT) {
    const batch = new CandleArrays()
    const rows = drafts.slice(first, first + ROWS_PER_STATEMENT)
    for (const [index, draft] of rows.entries()) {
      if (index > 0 && index % ROWS_AT_ONCE === 0) await nextTurn()
      if (!isSane(draft) || !batch.add(draft)) {
        refused += 1
        firstRefused ??= draft
      }
    }
    stored += await insertCandles(db, sourceId, span, batch)
  }
  const lastRefusal =
    firstRefused === null ? null : `${refused} bars, such as of instrument ${firstRefused.instrumentId}.`
  return { stored, refused, lastRefusal }
}

/** Feeds write doubles, so a price may be `28.445999999999998`; the reader of providers bounds its digits. */
const PLAIN_DECIMAL = /^(?=[\d.]{1,40}$)(?:0|[1-9]\d*)(?:\.\d+)?$/
/** 15 significant digits: so far, comparing them as doubles is exact. */
const DOUBLE_CHARS_MAX = 16
const PRICE_MAX = 1e12
const VOLUME_MAX = 1e15

function isSane({ open, high, low, close, volume, startAt }: CandleDraft): boolean {
  if (![open, high, low, close].every((text) => PLAIN_DECIMAL.test(text))) return false
  return (
    Number(low) > 0 &&
    [open, close].every((price) => isAtMost(low, price) && isAtMost(price, high)) &&
    Number(high) < PRICE_MAX &&
    isVolume(volume) &&
    !Number.isNaN(startAt.getTime())
  )
}

/** The database compares every digit and refuses a whole batch for one wrong row, so all of them are compared here. */
function isAtMost(low: string, high: string): boolean {
  if (low.length <= DOUBLE_CHARS_MAX && high.length <= DOUBLE_CHARS_MAX) return Number(low) <= Number(high)
  const [lowWhole = '', lowDecimals = ''] = low.split('.')
  const [highWhole = '', highDecimals = ''] = high.split('.')
  const digits = Math.max(lowDecimals.length, highDecimals.length)
  return (
    BigInt(lowWhole + lowDecimals.padEnd(digits, '0')) <= BigInt(highWhole + highDecimals.padEnd(digits, '0'))
  )
}

function isVolume(text: string): boolean {
  return text.length <= 40 && /^\d+(?:\.\d+)?$/.test(text) && Number(text) < VOLUME_MAX
}

/** Minutes since 1970 stay below it for a century; ids are below 2^20, so keys are safe integers. */
const KEYS_PER_INSTRUMENT = 2 ** 27

/**
 * Columns as PostgreSQL array text. All of it matched a grammar of digits and points, so it is joined as it is:
 * the driver's own writing of arrays quotes each element, which took 60 ms for 12,000 rows against 6.
 */
class CandleArrays {
  count = 0
  private readonly keys = new Set<number>()
  private readonly columns: [string[], string[], string[], string[], string[], string[], string[]] = [
    [],
    [],
    [],
    [],
    [],
    [],
    [],
  ]

  /** @returns false where the batch has one of that minute already: a statement may not change a row twice */
  add(draft: CandleDraft): boolean {
    const key = draft.instrumentId * KEYS_PER_INSTRUMENT + Math.floor(draft.startAt.getTime() / 60_000)
    if (this.keys.has(key)) return false
    this.keys.add(key)
    const [at, ids, open, high, low, close, volume] = this.columns
    at.push(`${draft.startAt.getTime()}`)
    ids.push(`${draft.instrumentId}`)
    open.push(draft.open)
    high.push(draft.high)
    low.push(draft.low)
    close.push(draft.close)
    volume.push(draft.volume)
    this.count += 1
    return true
  }

  texts(): string[] {
    return this.columns.map((column) => `{${column.join(',')}}`)
  }
}

async function insertCandles(
  q: Queryable,
  sourceId: number,
  span: StoredSpan,
  batch: CandleArrays,
): Promise<number> {
  if (batch.count === 0) return 0
  const { rowCount } = await q.query({
    name: 'insert-candles',
    text: `insert into market_data.candles (at, instrument_id, source, span, open, high, low, close, volume)
           select to_timestamp(new.at_ms::float8 / 1000), new.instrument_id,
                  $1::smallint, $2::smallint, new.open, new.high, new.low, new.close, new.volume
             from unnest($3::bigint[], $4::int[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[],
                         $9::numeric[]) as new (at_ms, instrument_id, open, high, low, close, volume)
            -- One order for all, so that two writers never wait for each other in a circle.
            order by new.instrument_id, new.at_ms
               on conflict (instrument_id, span, source, at) do update
              set open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
                  volume = excluded.volume
            where (candles.open, candles.high, candles.low, candles.close, candles.volume)
                  is distinct from
                  (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume)`,
    values: [sourceId, STORED_SPANS[span], ...batch.texts()],
  })
  return rowCount ?? 0
}
