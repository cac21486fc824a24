import type { Queryable, Tx } from '#db'
import type { Book, CostBasisMethod, Lot, Position } from './position.ts'
import { disposalColumns, lotColumns, lotOf, positionColumns, positionOf } from './position-rows.ts'
import type { LotRow, PositionRow } from './position-rows.ts'

/** A wallet's holding of an instrument, and of how many of its oldest shares the lots are needed. */
export interface BookWanted {
  readonly walletId: bigint
  readonly instrumentId: number
  readonly shares: bigint
}

export const bookKey = (walletId: bigint, instrumentId: number): string => `${walletId}/${instrumentId}`

/** All that a wallet ever held, what it holds now first. */
export async function readPositions(q: Queryable, walletId: bigint): Promise<Position[]> {
  const { rows } = await q.query<PositionRow>(
    `select * from trading.positions where wallet_id = $1 order by quantity = 0, instrument_id`,
    [walletId],
  )
  return rows.map(positionOf)
}

/** Those that exist, by `bookKey`. Their accounts are locked, so nobody else changes them meanwhile. */
export async function readHeld(
  q: Queryable,
  wanted: readonly Pick<BookWanted, 'walletId' | 'instrumentId'>[],
): Promise<Map<string, Position>> {
  const { rows } = await q.query<PositionRow>({
    name: 'trading_positions',
    text: `select positions.*
             from unnest($1::bigint[], $2::int[]) wanted (wallet_id, instrument_id)
             join trading.positions on (positions.wallet_id, positions.instrument_id)
               = (wanted.wallet_id, wanted.instrument_id)`,
    values: [wanted.map(({ walletId }) => walletId), wanted.map(({ instrumentId }) => instrumentId)],
  })
  return new Map(rows.map((row) => [bookKey(row.wallet_id, row.instrument_id), positionOf(row)]))
}

/** The oldest open lots of each, until they come to the shares wanted. */
export async function readOldestLots(
  q: Queryable,
  wanted: readonly BookWanted[],
): Promise<Map<string, Lot[]>> {
  const lots = new Map<string, Lot[]>()
  if (wanted.length === 0) return lots
  const { rows } = await q.query<LotRow>({
    name: 'trading_oldest_lots',
    text: `select lot.* from unnest($1::bigint[], $2::int[], $3::numeric[]) wanted (wallet_id, instrument_id, shares)
             cross join lateral (
               select lots.*, sum(quantity) over (order by opened_at, number) - quantity as shares_before
                 from trading.lots
                where lots.wallet_id = wanted.wallet_id and lots.instrument_id = wanted.instrument_id
                  and quantity > 0
             ) lot
            where lot.shares_before < wanted.shares
            order by lot.wallet_id, lot.instrument_id, lot.opened_at, lot.number`,
    values: [
      wanted.map(({ walletId }) => walletId),
      wanted.map(({ instrumentId }) => instrumentId),
      wanted.map(({ shares }) => `${shares}`),
    ],
  })
  for (const row of rows) {
    const key = bookKey(row.wallet_id, row.instrument_id)
    const known = lots.get(key)
    if (known === undefined) lots.set(key, [lotOf(row)])
    else known.push(lotOf(row))
  }
  return lots
}

/** Oldest first, which is the order in which fifo sells them. */
export async function readOpenLots(
  q: Queryable,
  walletId: bigint,
  instrumentId: number,
  limit: number,
  after: Pick<Lot, 'openedAt' | 'number'> = { openedAt: new Date(0), number: 0 },
): Promise<Lot[]> {
  const { rows } = await q.query<LotRow>(
    `select * from trading.lots
      where wallet_id = $1 and instrument_id = $2 and quantity > 0 and (opened_at, number) > ($4, $5)
      order by opened_at, number limit $3`,
    [walletId, instrumentId, limit, after.openedAt, after.number],
  )
  return rows.map(lotOf)
}

/** @param read the books as they were read: only what is different is written */
export async function writeBooks(
  tx: Tx,
  books: readonly Book[],
  read: ReadonlyMap<string, Book>,
): Promise<void> {
  const changed = books.flatMap((book) => {
    const before = read.get(bookKey(book.position.walletId, book.position.instrumentId))
    const unchanged = new Set(before?.lots)
    return [...book.lots, ...book.closed]
      .filter((lot) => !unchanged.has(lot))
      .map((lot) => lotColumns(book, lot))
  })
  const disposals = books.flatMap((book) => book.disposals.map((each) => disposalColumns(book, each)))
  await Promise.all([
    upsertPositions(tx, books.map(positionColumns)),
    ...(changed.length > 0 ? [upsertLots(tx, changed)] : []),
    ...(disposals.length > 0 ? [insertDisposals(tx, disposals)] : []),
  ])
}

async function upsertPositions(tx: Tx, rows: readonly object[]): Promise<void> {
  await tx.query({
    name: 'trading_upsert_positions',
    text: `insert into trading.positions select * from json_populate_recordset(null::trading.positions, $1::json)
           on conflict (wallet_id, instrument_id) do update set
             base_currency = excluded.base_currency, approximate = excluded.approximate,
             quantity = excluded.quantity, last_lot = excluded.last_lot, last_disposal = excluded.last_disposal,
             dividends_minor = excluded.dividends_minor, dividends_base_minor = excluded.dividends_base_minor,
             fifo_cost_minor = excluded.fifo_cost_minor,
             fifo_fee_minor = excluded.fifo_fee_minor,
             fifo_cost_base_minor = excluded.fifo_cost_base_minor,
             fifo_fee_base_minor = excluded.fifo_fee_base_minor,
             fifo_realised_price_minor = excluded.fifo_realised_price_minor,
             fifo_realised_fees_minor = excluded.fifo_realised_fees_minor,
             fifo_realised_price_base_minor = excluded.fifo_realised_price_base_minor,
             fifo_realised_currency_base_minor = excluded.fifo_realised_currency_base_minor,
             fifo_realised_fees_base_minor = excluded.fifo_realised_fees_base_minor,
             average_cost_minor = excluded.average_cost_minor,
             average_fee_minor = excluded.average_fee_minor,
             average_cost_base_minor = excluded.average_cost_base_minor,
             average_fee_base_minor = excluded.average_fee_base_minor,
             average_realised_price_minor = excluded.average_realised_price_minor,
             average_realised_fees_minor = excluded.average_realised_fees_minor,
             average_realised_price_base_minor = excluded.average_realised_price_base_minor,
             average_realised_currency_base_minor = excluded.average_realised_currency_base_minor,
             average_realised_fees_base_minor = excluded.average_realised_fees_base_minor`,
    values: [JSON.stringify(rows)],
  })
}

async function upsertLots(tx: Tx, rows: readonly object[]): Promise<void> {
  await tx.query({
    name: 'trading_upsert_lots',
    text: `insert into trading.lots select * from json_populate_recordset(null::trading.lots, $1::json)
           on conflict (wallet_id, instrument_id, number) do update set
             quantity = excluded.quantity, cost_minor = excluded.cost_minor, fee_minor = excluded.fee_minor,
             cost_base_minor = excluded.cost_base_minor, fee_base_minor = excluded.fee_base_minor`,
    values: [JSON.stringify(rows)],
  })
}

async function insertDisposals(tx: Tx, rows: readonly object[]): Promise<void> {
  await tx.query({
    name: 'trading_insert_disposals',
    text: `insert into trading.disposals
             select * from json_populate_recordset(null::trading.disposals, $1::json)`,
    values: [JSON.stringify(rows)],
  })
}

export async function readMethod(q: Queryable, walletId: bigint): Promise<CostBasisMethod> {
  const { rows } = await q.query<{ method: CostBasisMethod }>(
    `select method from trading.position_settings where wallet_id = $1`,
    [walletId],
  )
  return rows[0]?.method ?? 'fifo'
}

export async function writeMethod(q: Queryable, walletId: bigint, method: CostBasisMethod): Promise<void> {
  await q.query(
    `insert into trading.position_settings (wallet_id, method) values ($1, $2)
     on conflict (wallet_id) do update set method = excluded.method`,
    [walletId, method],
  )
}

/** The code of what an instrument is dealt in. Read in the tx: a second connection could be waited for in a ring. */
export async function readCurrency(tx: Tx, instrumentId: number): Promise<string> {
  const { rows } = await tx.query<{ currency: string }>(
    `select currency from market_data.instruments where id = $1`,
    [instrumentId],
  )
  const [row] = rows
  if (row === undefined) throw new Error(`instrument ${instrumentId} is held and unknown`)
  return row.currency
}
