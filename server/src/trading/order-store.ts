import type { Queryable, Tx } from '#db'
import type { Order } from './order.ts'
import type { FillDraft } from './order-state.ts'
import { price18OfText, textOfPrice } from './price18.ts'

type OrderRow = Omit<Order, 'limit18' | 'stop18' | 'valueExact'> & {
  readonly limitPrice: string | null
  readonly stopPrice: string | null
  readonly valueExact: string
}

const COLUMNS = `
  o.id, o.wallet_id as "walletId", o.instrument_id as "instrumentId", o.currency_id as "currencyId",
  (select scale::int from ledger.assets where assets.id = o.currency_id) as "currencyScale",
  o.settle_id as "settleId",
  (select scale::int from ledger.assets where assets.id = o.settle_id) as "settleScale",
  o.side, o.type, o.time_in_force as "timeInForce", o.quantity, o.notional_minor as "notionalMinor",
  o.limit_price as "limitPrice", o.stop_price as "stopPrice", o.reserve_minor as "reserveMinor",
  o.fee_bps as "feeBps", o.fee_minimum_minor as "feeMinimumMinor", o.accepted_at as "acceptedAt",
  o.accepted_seq as "acceptedSeq", o.queued_until as "queuedUntil", o.expires_at as "expiresAt",
  o.sweep_at as "sweepAt", o.status, o.filled_quantity as "filledQuantity", o.value_exact as "valueExact",
  o.value_minor as "valueMinor", o.fee_minor as "feeMinor", o.settled_minor as "settledMinor",
  o.reserve_left_minor as "reserveLeftMinor", o.fills, o.last_seq as "lastSeq", o.triggered, o.reason,
  o.cancel_asked_at as "cancelAskedAt", o.done_at as "doneAt"`

function orderOf({ limitPrice, stopPrice, valueExact, ...rest }: OrderRow): Order {
  return {
    ...rest,
    limit18: limitPrice === null ? null : price18OfText(limitPrice),
    stop18: stopPrice === null ? null : price18OfText(stopPrice),
    valueExact: BigInt(valueExact),
  }
}

const price = (price18: bigint | null): string | null => (price18 === null ? null : textOfPrice(price18))

/** Many at once: acceptances come in batches. */
export async function insertOrders(tx: Tx, orders: readonly Order[]): Promise<void> {
  const rows = orders.map((order) => ({
    id: order.id,
    wallet_id: `${order.walletId}`,
    instrument_id: order.instrumentId,
    currency_id: order.currencyId,
    settle_id: order.settleId,
    side: order.side,
    type: order.type,
    time_in_force: order.timeInForce,
    quantity: order.quantity?.toString() ?? null,
    notional_minor: order.notionalMinor?.toString() ?? null,
    limit_price: price(order.limit18),
    stop_price: price(order.stop18),
    reserve_minor: `${order.reserveMinor}`,
    fee_bps: order.feeBps,
    fee_minimum_minor: `${order.feeMinimumMinor}`,
    accepted_at: order.acceptedAt,
    accepted_seq: `${order.acceptedSeq}`,
    queued_until: order.queuedUntil,
    expires_at: order.expiresAt,
    sweep_at: order.sweepAt,
  }))
  await tx.query({
    name: 'trading.insert_orders',
    text: `
      insert into trading.orders (
        id, wallet_id, instrument_id, currency_id, settle_id, side, type, time_in_force, quantity, notional_minor,
        limit_price, stop_price, reserve_minor, fee_bps, fee_minimum_minor, accepted_at, accepted_seq, queued_until,
        expires_at, sweep_at, reserve_left_minor, last_seq
      )
      select *, reserve_minor, accepted_seq from json_to_recordset($1::json) accepted (
        id uuid, wallet_id bigint, instrument_id integer, currency_id integer, settle_id integer, side text, type text,
        time_in_force text, quantity bigint, notional_minor bigint, limit_price numeric, stop_price numeric,
        reserve_minor bigint, fee_bps integer, fee_minimum_minor bigint, accepted_at timestamptz,
        accepted_seq bigint, queued_until timestamptz, expires_at timestamptz, sweep_at timestamptz
      )`,
    values: [JSON.stringify(rows)],
  })
}

/** Stores states. The rows are locked by this tx. */
export async function updateOrders(tx: Tx, orders: readonly Order[]): Promise<void> {
  const rows = orders.map((order) => ({
    id: order.id,
    status: order.status,
    filled_quantity: `${order.filledQuantity}`,
    value_exact: `${order.valueExact}`,
    value_minor: `${order.valueMinor}`,
    fee_minor: `${order.feeMinor}`,
    settled_minor: `${order.settledMinor}`,
    reserve_left_minor: `${order.reserveLeftMinor}`,
    fills: order.fills,
    last_seq: `${order.lastSeq}`,
    triggered: order.triggered,
    reason: order.reason,
    done_at: order.doneAt,
  }))
  await tx.query({
    name: 'trading.update_orders',
    text: `
      update trading.orders set
        status = new.status, filled_quantity = new.filled_quantity, value_exact = new.value_exact,
        value_minor = new.value_minor, fee_minor = new.fee_minor, settled_minor = new.settled_minor,
        reserve_left_minor = new.reserve_left_minor, fills = new.fills, last_seq = new.last_seq,
        triggered = new.triggered, reason = new.reason, done_at = new.done_at
      from json_to_recordset($1::json) new (
        id uuid, status text, filled_quantity bigint, value_exact numeric, value_minor bigint, fee_minor bigint,
        settled_minor bigint, reserve_left_minor bigint, fills integer, last_seq bigint, triggered boolean,
        reason text, done_at timestamptz
      )
      where orders.id = new.id`,
    values: [JSON.stringify(rows)],
  })
}

export interface FilledOrder {
  readonly orderId: string
  readonly fill: FillDraft
  /** YYYY-MM-DD */
  readonly settlesOn: string
}

export async function insertFills(tx: Tx, fills: readonly FilledOrder[]): Promise<void> {
  const rows = fills.map(({ orderId, fill, settlesOn }) => ({
    order_id: orderId,
    number: fill.number,
    quantity: `${fill.quantity}`,
    price: textOfPrice(fill.price18),
    value_minor: `${fill.valueMinor}`,
    fee_minor: `${fill.feeMinor}`,
    settled_minor: `${fill.settledMinor}`,
    price_seq: `${fill.seq}`,
    price_as_of: fill.asOf,
    filled_at: fill.at,
    settles_on: settlesOn,
  }))
  await tx.query({
    name: 'trading.insert_fills',
    text: `
      insert into trading.fills (
        order_id, number, quantity, price, value_minor, fee_minor, settled_minor, price_seq, price_as_of, filled_at,
        settles_on
      )
      select * from json_to_recordset($1::json) fill (
        order_id uuid, number integer, quantity bigint, price numeric, value_minor bigint, fee_minor bigint,
        settled_minor bigint, price_seq bigint, price_as_of timestamptz, filled_at timestamptz, settles_on date
      )`,
    values: [JSON.stringify(rows)],
  })
}

/** The customer's own order; another's is as good as missing. */
export async function readOrder(q: Queryable, walletId: bigint, id: string): Promise<Order | null> {
  const { rows } = await q.query<OrderRow>({
    name: 'trading.order',
    text: `select ${COLUMNS} from trading.orders o where o.id = $1 and o.wallet_id = $2`,
    values: [id, walletId],
  })
  const [row] = rows
  return row === undefined ? null : orderOf(row)
}

/** Of one wallet, newest first. */
export async function listOrders(
  q: Queryable,
  wanted: { walletId: bigint; status: 'open' | 'done' | undefined; before: string | null; limit: number },
): Promise<Order[]> {
  const which =
    wanted.status === undefined ? '' : `and o.done_at is ${wanted.status === 'open' ? '' : 'not'} null`
  const { rows } = await q.query<OrderRow>({
    name: `trading.orders_${wanted.status ?? 'all'}`,
    text: `
      select ${COLUMNS} from trading.orders o
      where o.wallet_id = $1 and ($2::uuid is null or o.id < $2) ${which} order by o.id desc limit $3`,
    values: [wanted.walletId, wanted.before, wanted.limit],
  })
  return rows.map(orderOf)
}

/** Locks rows, after their accounts, and reads them as they now are. Ascending, so that two who lock cannot cross. */
export async function lockOrders(tx: Tx, ids: readonly string[]): Promise<Order[]> {
  const { rows } = await tx.query<OrderRow>({
    name: 'trading.lock_orders',
    text: `select ${COLUMNS} from trading.orders o where o.id = any ($1::uuid[]) order by o.id for update of o`,
    values: [ids],
  })
  return rows.map(orderOf)
}

/** Open orders whose time is over by the clock, the longest over first. */
export async function readOverdue(q: Queryable, now: Date, limit: number): Promise<Order[]> {
  const { rows } = await q.query<OrderRow>({
    name: 'trading.overdue',
    text: `
      select ${COLUMNS} from trading.orders o where o.done_at is null and o.sweep_at <= $1
      order by o.sweep_at limit $2`,
    values: [now, limit],
  })
  return rows.map(orderOf)
}

export async function storeCancelWish(tx: Tx, { id, cancelAskedAt, sweepAt }: Order): Promise<void> {
  await tx.query('update trading.orders set cancel_asked_at = $2, sweep_at = $3 where id = $1', [
    id,
    cancelAskedAt,
    sweepAt,
  ])
}

export async function putOffSweep(q: Queryable, id: string, until: Date): Promise<void> {
  await q.query('update trading.orders set sweep_at = $2 where id = $1 and done_at is null', [id, until])
}

/** Everybody's of the instrument, or one wallet's. */
export async function readOpenOf(
  q: Queryable,
  { instrumentId, walletId }: { readonly instrumentId: number; readonly walletId?: bigint },
  limit: number,
): Promise<Order[]> {
  const { rows } = await q.query<OrderRow>({
    name: 'trading.open_of_instrument',
    text: `
      select ${COLUMNS} from trading.orders o
      where o.done_at is null and o.instrument_id = $1 and ($3::bigint is null or o.wallet_id = $3)
      order by o.id limit $2`,
    values: [instrumentId, limit, walletId ?? null],
  })
  return rows.map(orderOf)
}

/** The prices that an instrument had within a stretch of observations, at their extremes. */
export interface PriceReach {
  readonly instrumentId: number
  readonly leastToPay18: bigint
  readonly mostToGet18: bigint
  readonly leastLast18: bigint
  readonly mostLast18: bigint
}

/** As much of an order as has to be known before it is locked, and then read as it is. */
export type Candidate = Pick<
  Order,
  'id' | 'walletId' | 'instrumentId' | 'currencyId' | 'settleId' | 'side' | 'reserveLeftMinor'
>

/** Open orders that some price within the stretch may concern: those that merely wait are not read. */
export async function readCandidates(
  q: Queryable,
  reaches: readonly PriceReach[],
  endSeq: bigint,
  limit: number,
): Promise<Candidate[]> {
  const { rows } = await q.query<Candidate>({
    name: 'trading.candidates',
    text: `
      select o.id, o.wallet_id as "walletId", o.instrument_id as "instrumentId", o.currency_id as "currencyId",
        o.settle_id as "settleId", o.side, o.reserve_left_minor as "reserveLeftMinor"
      from unnest($1::int[], $2::numeric[], $3::numeric[], $4::numeric[], $5::numeric[])
        reach (instrument_id, least_to_pay, most_to_get, least_last, most_last)
      join trading.orders o on o.instrument_id = reach.instrument_id and o.done_at is null
      where o.last_seq < $6 and (
        o.type = 'market' or o.triggered or o.time_in_force = 'ioc'
        or (o.type = 'limit' and o.side = 'buy' and o.limit_price >= least_to_pay)
        or (o.type = 'limit' and o.side = 'sell' and o.limit_price <= most_to_get)
        or (o.type = 'stop' and o.side = 'buy' and o.stop_price <= most_last)
        or (o.type = 'stop' and o.side = 'sell' and o.stop_price >= least_last)
      )
      order by o.id limit $7`,
    values: [
      reaches.map(({ instrumentId }) => instrumentId),
      reaches.map(({ leastToPay18 }) => textOfPrice(leastToPay18)),
      reaches.map(({ mostToGet18 }) => textOfPrice(mostToGet18)),
      reaches.map(({ leastLast18 }) => textOfPrice(leastLast18)),
      reaches.map(({ mostLast18 }) => textOfPrice(mostLast18)),
      endSeq,
      limit,
    ],
  })
  return rows
}
