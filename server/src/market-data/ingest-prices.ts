import type { Database, Tx } from '#db'
import { judgePrice, type Doubt, type HeldPrice, type PriceDraft } from './judge-price.ts'
import { newYorkDate } from './providers/new-york.ts'
import { takeTurns } from './providers/take-turns.ts'
import { lockSource } from './stock-source.ts'
import { storedRate, timelinessNumber } from './stock-prices.ts'
import { pricesAfterSplits } from './split-held-prices.ts'

export interface PricesTaken {
  readonly stored: number
  /** Known already, or something newer is. */
  readonly unchanged: number
  readonly doubted: number
  readonly refused: number
  /** For the operations page; null when all was taken. */
  readonly lastRefusal: string | null
}

interface Judged {
  readonly believed: PriceDraft[]
  readonly doubted: PriceDraft[]
  readonly refused: { readonly price: PriceDraft; readonly why: string }[]
  unchanged: number
}

/**
 * The one door through which prices come in. Each is judged by itself: one broken price does not cost the
 * others, and the last good one stays. Numbered in the order of commit.
 */
export async function ingestPrices(
  deps: { readonly db: Database; readonly clock: () => Date },
  sourceId: number,
  drafts: readonly PriceDraft[],
): Promise<PricesTaken> {
  const ids = drafts.map(({ instrumentId }) => instrumentId)
  return deps.db.transaction(async (tx) => {
    await lockSource(tx, sourceId)
    const now = deps.clock()
    const held = await pricesAfterSplits(tx, await heldPrices(tx, sourceId, ids), newYorkDate(now.getTime()))
    const doubts = await readDoubts(tx, sourceId, ids)
    const judged = await judgeAll(drafts, held, doubts, now)
    await insertPrices(tx, sourceId, judged.believed, now)
    await settleDoubts(tx, sourceId, judged, now)
    return summary(judged)
  })
}

async function judgeAll(
  drafts: readonly PriceDraft[],
  held: ReadonlyMap<number, HeldPrice>,
  doubts: ReadonlyMap<number, Doubt>,
  now: Date,
): Promise<Judged> {
  const judged: Judged = { believed: [], doubted: [], refused: [], unchanged: 0 }
  await takeTurns(drafts, (draft) => {
    const { instrumentId: id } = draft
    const verdict = judgePrice(draft, held.get(id) ?? null, doubts.get(id) ?? null, now)
    if (verdict.outcome === 'believed') judged.believed.push(verdict.price)
    else if (verdict.outcome === 'doubted') judged.doubted.push(verdict.price)
    // Two feeds of the same market, polled and streamed, overtake each other.
    else if (verdict.outcome === 'refused' && verdict.why !== 'older')
      judged.refused.push({ price: draft, why: verdict.why })
    else judged.unchanged += 1
  })
  return judged
}

function summary(judged: Judged): PricesTaken {
  const [refused] = judged.refused
  const [doubted] = judged.doubted
  const words = [
    refused && `Instrument ${refused.price.instrumentId}: refused, ${refused.why}.`,
    doubted && `Instrument ${doubted.instrumentId}: jumped to ${doubted.last}, waits for a second price.`,
  ].filter((word) => word !== undefined)
  return {
    stored: judged.believed.length,
    unchanged: judged.unchanged,
    doubted: judged.doubted.length,
    refused: judged.refused.length,
    lastRefusal: words.length === 0 ? null : words.join(' '),
  }
}

async function heldPrices(
  tx: Tx,
  sourceId: number,
  ids: readonly number[],
): Promise<ReadonlyMap<number, HeldPrice>> {
  const { rows } = await tx.query<{
    instrument_id: number
    last: string
    bid: string | null
    ask: string | null
    as_of: Date
    fetched_at: Date
  }>({
    name: 'held-stock-prices',
    text: `select newest.* from unnest($2::int[]) as wanted (id),
                  lateral (select instrument_id, last, bid, ask, as_of, fetched_at
                             from market_data.price_observations
                            where instrument_id = wanted.id and source = $1 order by seq desc limit 1) newest`,
    values: [sourceId, [...ids]],
  })
  const held = new Map<number, HeldPrice>()
  await takeTurns(rows, (row) =>
    held.set(row.instrument_id, {
      last: storedRate(row.last),
      lastText: row.last,
      bid: row.bid,
      ask: row.ask,
      asOf: row.as_of,
      fetchedAt: row.fetched_at,
    }),
  )
  return held
}

async function readDoubts(tx: Tx, sourceId: number, ids: readonly number[]): Promise<Map<number, Doubt>> {
  const { rows } = await tx.query<{ instrument_id: number; last: string; as_of: Date }>(
    `select instrument_id, last, as_of from market_data.price_doubts
      where source = $1 and instrument_id = any($2)`,
    [sourceId, [...ids]],
  )
  return new Map(rows.map((row) => [row.instrument_id, { last: storedRate(row.last), asOf: row.as_of }]))
}

/** What was just taken from a decimal grammar of digits and a point: safe to write as an array's text. */
const arrayText = (values: readonly (string | number | null)[]): string =>
  `{${values.map((value) => value ?? 'null').join(',')}}`

async function insertPrices(
  tx: Tx,
  sourceId: number,
  prices: readonly PriceDraft[],
  now: Date,
): Promise<void> {
  if (prices.length === 0) return
  await tx.query(
    `insert into market_data.price_observations
            (as_of, fetched_at, instrument_id, source, timeliness, last, bid, ask)
     select to_timestamp(new.as_of_ms / 1000.0), $1, new.instrument_id, $2, new.timeliness,
            new.last, new.bid, new.ask
       from unnest($3::bigint[], $4::int[], $5::smallint[], $6::numeric[], $7::numeric[], $8::numeric[])
            with ordinality as new (as_of_ms, instrument_id, timeliness, last, bid, ask, number)
      order by new.number`,
    [
      now,
      sourceId,
      arrayText(prices.map(({ asOf }) => asOf.getTime())),
      arrayText(prices.map(({ instrumentId }) => instrumentId)),
      arrayText(prices.map(({ timeliness }) => timelinessNumber(timeliness))),
      arrayText(prices.map(({ last }) => last)),
      arrayText(prices.map(({ bid }) => bid)),
      arrayText(prices.map(({ ask }) => ask)),
    ],
  )
}

async function settleDoubts(tx: Tx, sourceId: number, judged: Judged, now: Date): Promise<void> {
  await tx.query(
    `delete from market_data.price_doubts where source = $1 and instrument_id = any($2::int[])`,
    [sourceId, arrayText(judged.believed.map(({ instrumentId }) => instrumentId))],
  )
  if (judged.doubted.length === 0) return
  await tx.query(
    `insert into market_data.price_doubts (instrument_id, source, last, as_of, first_at)
     select id, $1, last, to_timestamp(as_of_ms / 1000.0), $2
       from unnest($3::int[], $4::numeric[], $5::bigint[]) as doubt (id, last, as_of_ms)
         on conflict (instrument_id, source) do update
        set last = excluded.last, as_of = excluded.as_of`,
    [
      sourceId,
      now,
      arrayText(judged.doubted.map(({ instrumentId }) => instrumentId)),
      arrayText(judged.doubted.map(({ last }) => last)),
      arrayText(judged.doubted.map(({ asOf }) => asOf.getTime())),
    ],
  )
}
