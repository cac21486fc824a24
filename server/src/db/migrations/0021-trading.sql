-- Orders in instruments and their fills. Money and shares move in the ledger only; these rows commit with their journals.
create schema trading;
grant usage on schema trading to kantor_app;

create table trading.orders (
  -- UUIDv7: the order of lists.
  id uuid primary key,
  wallet_id bigint not null check (wallet_id >= 1000),
  instrument_id integer not null,
  -- The instrument's currency, and the one paid from or received in.
  currency_id integer not null,
  settle_id integer not null,
  side text not null check (side in ('buy', 'sell')),
  type text not null check (type in ('market', 'limit', 'stop')),
  time_in_force text not null check (time_in_force in ('day', 'gtc', 'ioc')),
  -- Shares, scale 9.
  quantity bigint check (quantity > 0),
  -- In the settling currency.
  notional_minor bigint check (notional_minor > 0),
  limit_price numeric check (limit_price > 0),
  stop_price numeric check (stop_price > 0),
  -- What was set aside: of the settling currency for a purchase, shares for a sale.
  reserve_minor bigint not null check (reserve_minor > 0),
  -- The schedule of fees at acceptance, in the instrument's currency.
  fee_bps integer not null check (fee_bps between 0 and 9999),
  fee_minimum_minor bigint not null check (fee_minimum_minor >= 0),
  accepted_at timestamptz not null,
  -- The newest price that could have been known: only later ones fill.
  accepted_seq bigint not null,
  queued_until timestamptz,
  expires_at timestamptz,
  -- When the clock may expire it: later than expires_at by what the feed is behind.
  sweep_at timestamptz,

  status text not null default 'new'
    check (status in ('new', 'partiallyFilled', 'filled', 'cancelled', 'expired')),
  filled_quantity bigint not null default 0 check (filled_quantity >= 0),
  -- Σ quantity · price, in 10^-27 of the currency's major unit, and what of it was charged or paid, in minor units.
  value_exact numeric not null default 0,
  value_minor bigint not null default 0,
  fee_minor bigint not null default 0,
  -- In the settling currency, fees included: what left (buy) or arrived (sell).
  settled_minor bigint not null default 0,
  -- What is still set aside.
  reserve_left_minor bigint not null,
  fills integer not null default 0,
  -- The last price that was held against it.
  last_seq bigint not null,
  triggered boolean not null default false,
  reason text,
  done_at timestamptz,

  check ((quantity is null) <> (notional_minor is null)),
  check ((type = 'limit') = (limit_price is not null)),
  check ((type = 'stop') = (stop_price is not null)),
  check (reserve_left_minor between 0 and reserve_minor),
  -- No order is ever filled beyond what was ordered.
  constraint orders_not_overfilled check (filled_quantity <= quantity),
  constraint orders_not_overspent check (side = 'sell' or settled_minor + reserve_left_minor <= reserve_minor),
  -- An order that is done holds nothing back.
  constraint orders_done_release check (
    (status in ('new', 'partiallyFilled')) = (done_at is null) and (done_at is null or reserve_left_minor = 0)
  )
);
create index orders_by_wallet on trading.orders (wallet_id, id desc);
create index orders_open_by_wallet on trading.orders (wallet_id, id desc) where done_at is null;
create index orders_open_by_instrument on trading.orders (instrument_id, id) where done_at is null;
create index orders_open_by_sweep on trading.orders (sweep_at) where done_at is null;

create table trading.fills (
  order_id uuid not null,
  number integer not null check (number >= 1),
  quantity bigint not null check (quantity > 0),
  price numeric not null check (price > 0),
  value_minor bigint not null check (value_minor >= 0),
  fee_minor bigint not null check (fee_minor >= 0),
  settled_minor bigint not null check (settled_minor >= 0),
  price_seq bigint not null,
  price_as_of timestamptz not null,
  filled_at timestamptz not null,
  -- One working day after the trade, the custom of US markets since 2024. Balances move at the trade.
  settles_on date not null,
  primary key (order_id, number),
  -- One price fills an order once.
  unique (order_id, price_seq)
);

-- How far the prices of a source have been held against the orders. Its lock makes one worker at a time the engine.
create table trading.price_cursors (
  source text primary key,
  seq bigint not null
);

grant select, insert on trading.orders, trading.fills to kantor_app;
grant update (
  status, filled_quantity, value_exact, value_minor, fee_minor, settled_minor, reserve_left_minor, fills, last_seq,
  triggered, reason, done_at
) on trading.orders to kantor_app;
grant select, insert, update (seq) on trading.price_cursors to kantor_app;
