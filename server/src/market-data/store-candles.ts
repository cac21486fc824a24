import type { Database, Queryable } from '#db'
import { copyCandles, type CopiedCandles } from './copy-candles.ts'
import { isSane, keyOf, type CandleDraft } from './judge-candle.ts'
import { takeTurns } from './providers/take-turns.ts'

/** The spans that are stored; the others are rolled up from these. */
export const STORED_SPANS = { minute: 1, hour: 2, day: 3 } as const
export type StoredSpan = keyof typeof STORED_SPANS

export interface CandlesTaken {
  readonly stored: number
  readonly refused: number
  readonly lastRefusal: string | null
}

/** Takes a tenth of a second, of the fifteen that a statement may take. */
const ROWS_PER_COPY = 20_000

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
  const source = { id: sourceId, span: STORED_SPANS[span] }
  let stored = 0
  const refused: CandleDraft[] = []
  for (let first = 0; first < drafts.length; first += ROWS_PER_COPY) {
    const some = drafts.slice(first, first + ROWS_PER_COPY)
    const taken = (await copyCandles(db, source, some)) ?? (await upsertCandles(db, source, some))
    stored += taken.stored
    refused.push(...taken.refused)
  }
  const [one] = refused
  const lastRefusal =
    one === undefined ? null : `${refused.length} bars, such as of instrument ${one.instrumentId}.`
  return { stored, refused: refused.length, lastRefusal }
}

/** A quarter of a day of the whole market: customers' statements get their turns between the four. */
const ROWS_PER_STATEMENT = 3_000

/** While the database stores a batch, the next one is read. */
async function upsertCandles(
  q: Queryable,
  source: { readonly id: number; readonly span: number },
  drafts: readonly CandleDraft[],
): Promise<CopiedCandles> {
  let stored = 0
  const refused: CandleDraft[] = []
  let storing: Promise<number> = Promise.resolve(0)
  for (let first = 0; first < drafts.length; first += ROWS_PER_STATEMENT) {
    const batch = new CandleBatch()
    await takeTurns(drafts.slice(first, first + ROWS_PER_STATEMENT), (draft) => {
      if (isSane(draft) && batch.add(draft)) return
      refused.push(draft)
    })
    stored += await storing
    storing = upsertBatch(q, source, batch)
    // Looked at when the next batch is read; until then a failure must not count as nobody's.
    storing.catch(() => {})
  }
  stored += await storing
  return { stored, refused }
}

/**
 * Columns as PostgreSQL array text. All of it matched a grammar of digits and points, so it is joined as it is:
 * the driver's own writing of arrays quotes each element, which took 60 ms for 12,000 rows against 6.
 */
class CandleBatch {
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
    const key = keyOf(draft)
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

async function upsertBatch(
  q: Queryable,
  source: { readonly id: number; readonly span: number },
  batch: CandleBatch,
): Promise<number> {
  if (batch.count === 0) return 0
  const values = [source.id, source.span, ...batch.texts()]
  return (await q.query({ name: 'upsert-candles', text: UPSERT, values })).rowCount ?? 0
}

const UPSERT = `insert into market_data.candles (at, instrument_id, source, span, open, high, low, close, volume)
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
         (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume)`
