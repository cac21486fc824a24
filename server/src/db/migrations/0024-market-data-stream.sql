-- Who listens to a source's live prices, and how that goes. One row for each source: whose lease it is may connect,
-- since a provider lets a key in once. By the database's clock, which all processes share.
create table market_data.stock_streams (
  source smallint primary key references market_data.stock_sources (id),
  holder uuid not null,
  lease_until timestamptz not null,
  -- `quiet`: connected and nothing comes, so polling does not rely on it.
  state text not null check (state in ('connecting', 'live', 'quiet', 'waiting', 'ended')),
  sentence text not null,
  -- Instruments that are listened to, and how many more are wanted than may be.
  instruments integer not null default 0,
  left_out integer not null default 0,
  -- Of the present connection's owner.
  reconnects integer not null default 0,
  dropped integer not null default 0,
  refused integer not null default 0,
  -- Since the first start.
  prices bigint not null default 0,
  -- What came after it may have been missed by whoever listens next.
  last_event_at timestamptz
);
grant select, insert, update on market_data.stock_streams to kantor_app;

-- Which instruments somebody has just looked at, to the minute: their prices are worth listening to.
create table market_data.instrument_looks (
  instrument_id integer primary key references market_data.instruments (id),
  looked_at timestamptz not null
);
grant select, insert, update on market_data.instrument_looks to kantor_app;
