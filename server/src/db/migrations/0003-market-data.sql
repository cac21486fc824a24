-- What the world says money is worth: snapshots of rates as providers gave them, never changed afterwards,
-- and what is known about the providers themselves. Everything is against EUR: 1 EUR = rate / per of code.

create schema market_data;
grant usage on schema market_data to kantor_app;

create table market_data.rate_snapshots (
  id bigint generated always as identity primary key,
  provider text not null check (provider ~ '^[a-z][a-z0-9-]{0,31}$'),
  -- The moment the provider says its prices are of, and the moment we had them.
  as_of timestamptz not null,
  fetched_at timestamptz not null,
  base text not null check (base = 'EUR'),
  -- Backfilled history is never counted as a poll.
  origin text not null check (origin in ('poll', 'history')),
  unique (provider, as_of, fetched_at)
);

-- `rate / per` is a quotient of two exact decimals, because a feed quoted in another currency (NBP in PLN)
-- gives a cross that no finite decimal can hold. For most feeds `per` is 1.
create table market_data.rates (
  snapshot_id bigint not null references market_data.rate_snapshots (id) on delete cascade,
  code text not null check (code ~ '^[A-Z0-9]{2,12}$' and code <> 'EUR'),
  -- numeric accepts 'NaN' and, since 14, 'Infinity', and NaN > 0 is true there: hence both bounds.
  rate numeric not null check (rate > 0 and rate < 1e15),
  per numeric not null default 1 check (per > 0 and per < 1e15),
  primary key (snapshot_id, code)
);
-- The history of a pair reads two codes over many snapshots.
create index rates_by_code on market_data.rates (code, snapshot_id) include (rate, per);

-- One row for each provider: when it may be asked again (shared by all processes), and how it has been doing.
create table market_data.providers (
  provider text primary key check (provider ~ '^[a-z][a-z0-9-]{0,31}$'),
  -- Which address and key the rest of this row is about, as a fingerprint.
  configured_as text not null,
  next_poll_at timestamptz,
  last_attempt_at timestamptz,
  last_success_at timestamptz,
  last_as_of timestamptz,
  failures_in_a_row integer not null default 0,
  last_error_code text,
  last_error text,
  last_error_at timestamptz,
  polls bigint not null default 0,
  failed bigint not null default 0,
  refused bigint not null default 0,
  quarantined bigint not null default 0,
  -- The monthly budget of a metered provider. Null: not metered. It ends at quota_resets_at.
  quota_limit integer check (quota_limit >= 0),
  quota_remaining integer check (quota_remaining >= 0),
  quota_resets_at timestamptz,
  history_loaded_at timestamptz
);

-- Snapshots that jumped too far to be believed at once, kept until something agrees with them or they are dropped.
create table market_data.quarantine (
  id bigint generated always as identity primary key,
  provider text not null,
  as_of timestamptz not null,
  fetched_at timestamptz not null,
  -- [{code, rate, per}] as decimal text.
  rates jsonb not null,
  -- [{code, held, offered, moveBps, limitBps}]
  jumps jsonb not null,
  outcome text not null default 'waiting' check (outcome in ('waiting', 'agreed', 'dropped')),
  resolved_at timestamptz
);
create unique index quarantine_waiting on market_data.quarantine (provider) where outcome = 'waiting';
create index quarantine_by_time on market_data.quarantine (fetched_at);

-- Two providers that say different things of one currency. One row each, counted, so that it stays bounded.
create table market_data.divergences (
  code text not null,
  provider text not null,
  other_provider text not null,
  apart_bps integer not null,
  limit_bps integer not null,
  times bigint not null default 1,
  first_at timestamptz not null,
  last_at timestamptz not null,
  primary key (code, provider, other_provider)
);

-- Snapshots are evidence: the application adds them and thins out old ones, and never changes one.
grant select, insert, delete on market_data.rate_snapshots, market_data.rates to kantor_app;
grant select, insert, update on market_data.providers to kantor_app;
grant select, insert, update, delete on market_data.quarantine, market_data.divergences to kantor_app;
