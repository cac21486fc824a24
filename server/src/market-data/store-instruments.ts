import type { Queryable, Tx } from '#db'
import { instrumentWords } from './instrument-words.ts'
import type { InstrumentPlan, Listing } from './plan-instruments.ts'

/** Makes assets of them in the ledger, which this room may not know. */
export type DeclareInstruments = (
  q: Queryable,
  instruments: readonly { readonly id: number; readonly code: string; readonly name: string }[],
) => Promise<void>

export interface StoredNames {
  readonly id: number
  readonly code: string
  readonly ticker: string
  readonly name: string
}

/** Writes the plan: a few statements however long the list is. @returns those whose code or name is new */
export async function storeInstruments(
  tx: Tx,
  plan: InstrumentPlan,
  now: Date,
  today: string,
): Promise<StoredNames[]> {
  const added = await insertInstruments(tx, plan.added, now)
  // Two that swap tickers would collide halfway.
  await tx.query(`update market_data.instruments set ticker = '#' || id where id = any($1)`, [
    plan.renamed.map(({ id }) => id),
  ])
  await insertFormerNames(tx, plan.renamed, today)
  const moved = await updateInstruments(
    tx,
    [
      ...plan.renamed.map(({ id, to, code }) => ({ id, to, code })),
      ...plan.relisted,
      ...plan.changed.map(({ id, to }) => ({ id, to, code: null })),
    ],
    now,
  )
  const touched = [...added, ...moved]
  await indexWords(tx, touched)
  return touched
}

async function insertInstruments(tx: Tx, added: InstrumentPlan['added'], now: Date): Promise<StoredNames[]> {
  if (added.length === 0) return []
  const { rows } = await tx.query<StoredNames>(
    `insert into market_data.instruments
            (code, ticker, mic, figi, name, type, currency, first_seen_at, changed_at)
     select new.code, new.ticker, new.mic, new.figi, new.name, new.type, new.currency, $2, $2
       from jsonb_to_recordset($1::jsonb)
            as new (code text, ticker text, mic text, figi text, name text, type text, currency text)
     returning id, code, ticker, name`,
    [JSON.stringify(added), now],
  )
  return rows
}

async function insertFormerNames(tx: Tx, renamed: InstrumentPlan['renamed'], today: string): Promise<void> {
  await tx.query(
    `insert into market_data.instrument_names (instrument_id, ticker, until_on)
     select *, $3::date from unnest($1::int[], $2::text[]) on conflict do nothing`,
    [renamed.map(({ id }) => id), renamed.map(({ from }) => from), today],
  )
}

async function updateInstruments(
  tx: Tx,
  updates: readonly { readonly id: number; readonly to: Listing; readonly code: string | null }[],
  now: Date,
): Promise<StoredNames[]> {
  if (updates.length === 0) return []
  const { rows } = await tx.query<StoredNames>(
    `update market_data.instruments
        set code = coalesce(new.code, instruments.code), ticker = new.ticker, mic = new.mic,
            figi = coalesce(new.figi, instruments.figi), name = new.name, type = new.type,
            status = 'active', delisted_on = null, changed_at = $2
       from jsonb_to_recordset($1::jsonb)
            as new (id int, code text, ticker text, mic text, figi text, name text, type text)
      where instruments.id = new.id
     returning instruments.id, instruments.code, instruments.ticker, instruments.name`,
    [JSON.stringify(updates.map(({ id, to, code }) => ({ ...to, id, code }))), now],
  )
  return rows
}

async function indexWords(tx: Tx, touched: readonly StoredNames[]): Promise<void> {
  if (touched.length === 0) return
  const ids = touched.map(({ id }) => id)
  const { rows } = await tx.query<{ instrument_id: number; ticker: string }>(
    'select instrument_id, ticker from market_data.instrument_names where instrument_id = any($1)',
    [ids],
  )
  const formerTickers = Map.groupBy(rows, (row) => row.instrument_id)
  const words = touched.flatMap((one) =>
    instrumentWords({
      ...one,
      formerTickers: formerTickers.get(one.id)?.map(({ ticker }) => ticker) ?? [],
    }).map((word) => ({ ...word, id: one.id })),
  )
  await tx.query('delete from market_data.instrument_words where instrument_id = any($1)', [ids])
  await tx.query(
    `insert into market_data.instrument_words (word, instrument_id, place)
     select * from unnest($1::text[], $2::int[], $3::smallint[])`,
    [words.map(({ word }) => word), words.map(({ id }) => id), words.map(({ place }) => place)],
  )
}

export async function markDelisted(
  tx: Tx,
  delisted: readonly { readonly id: number; readonly on: string }[],
  now: Date,
): Promise<void> {
  await tx.query(
    `update market_data.instruments
        set status = 'delisted', delisted_on = gone.delisted_on, changed_at = $3
       from unnest($1::int[], $2::date[]) as gone (id, delisted_on)
      where instruments.id = gone.id and status = 'active'`,
    [delisted.map(({ id }) => id), delisted.map(({ on }) => on), now],
  )
}
