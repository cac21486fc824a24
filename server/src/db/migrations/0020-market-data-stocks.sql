-- provider budget

-- Requests that a provider allows in any window of time, shared by all processes. One row for each address and
-- key (a fingerprint), so that another key starts with a budget of its own. granted_at holds the latest grants,
-- oldest first, also those of callers who still wait for theirs: a log, since a bucket that refills while it
-- empties would let nearly twice the limit through in one minute.
create table market_data.provider_budgets (
  budget text primary key check (budget ~ '^[a-z][a-z0-9-]{0,31}:[0-9a-f]{16}$'),
  requests_max integer not null check (requests_max between 1 and 1000),
  window_seconds integer not null check (window_seconds between 1 and 3600),
  granted_at timestamptz[] not null default '{}',
  -- After the provider itself said "too many": nobody asks before.
  blocked_until timestamptz,
  blocks_in_a_row integer not null default 0,
  granted bigint not null default 0,
  turned_away bigint not null default 0
);
grant select, insert, update on market_data.provider_budgets to kantor_app;

-- instruments

-- Where stock data comes from. Its number is in every row that it gave: made-up prices never mix with real ones.
create table market_data.stock_sources (
  id smallint generated always as identity primary key,
  provider text not null unique check (provider ~ '^[a-z][a-z0-9-]{0,31}$'),
  simulated boolean not null,
  -- Which address and key the entitlement is about, as a fingerprint.
  configured_as text not null,
  -- What the key may see, as it was found by asking: StockProvider's `Entitlement`.
  entitlement jsonb,
  probed_at timestamptz
);

-- One row for each kind of work of a source: when it is due (shared by all processes), and how it has been doing.
create table market_data.stock_feeds (
  source smallint not null references market_data.stock_sources (id),
  feed text not null check (feed in ('entitlement', 'instruments', 'hours', 'actions', 'prices', 'days', 'past')),
  next_at timestamptz,
  -- How far the feed has come: the newest day for `days`, the oldest for `past`.
  reached_on date,
  last_attempt_at timestamptz,
  last_success_at timestamptz,
  failures_in_a_row integer not null default 0,
  last_error_code text,
  last_error text,
  last_error_at timestamptz,
  stored bigint not null default 0,
  refused bigint not null default 0,
  -- Which rows were refused last, in one sentence.
  last_refusal text,
  primary key (source, feed)
);

create sequence market_data.instrument_ids as integer minvalue 10000 maxvalue 1048575;

-- The id is ours and for ever; it is the asset's id in the ledger. Tickers are renamed and used again.
create table market_data.instruments (
  id integer primary key default nextval('market_data.instrument_ids') check (id between 10000 and 1048575),
  -- The asset code: the ticker, unless a currency or another instrument has it.
  code text not null unique check (code ~ '^[A-Z0-9][A-Z0-9.]{0,11}$'),
  ticker text not null check (ticker <> '' and length(ticker) <= 20),
  mic text not null check (mic ~ '^[A-Z0-9]{4}$'),
  figi text,
  name text not null,
  type text not null check (type in ('stock', 'etf', 'adr')),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  status text not null default 'active' check (status in ('active', 'delisted')),
  delisted_on date,
  first_seen_at timestamptz not null,
  changed_at timestamptz not null,
  check ((status = 'delisted') = (delisted_on is not null))
);
create unique index instruments_active_ticker on market_data.instruments (ticker) where status = 'active';
create index instruments_ticker on market_data.instruments (ticker);
create index instruments_figi on market_data.instruments (figi) where figi is not null;

-- Tickers that an instrument had, and until when (the first day without it).
create table market_data.instrument_names (
  instrument_id integer not null references market_data.instruments (id),
  ticker text not null,
  until_on date not null,
  primary key (instrument_id, ticker, until_on)
);
create index instrument_names_ticker on market_data.instrument_names (ticker, until_on);

-- What a search finds: lower-case words, in byte order so that a prefix is a range of the index.
-- Place 0 is the ticker, 1 and up the words of the name in order, 100 a former ticker.
create table market_data.instrument_words (
  word text collate "C" not null,
  instrument_id integer not null references market_data.instruments (id),
  place smallint not null,
  primary key (word, instrument_id, place)
);
create index instrument_words_instrument on market_data.instrument_words (instrument_id);

-- candles

-- Raw, as traded on that day: a split changes what is shown, never what is stored. at is the beginning; a day's
-- is midnight in New York. Spans: 1 minute, 2 hour, 3 day; others are rolled up when read.
create table market_data.candles (
  at timestamptz not null,
  instrument_id integer not null,
  source smallint not null,
  span smallint not null check (span between 1 and 3),
  open numeric not null,
  high numeric not null,
  low numeric not null check (low > 0 and low <= open and low <= close),
  -- numeric knows NaN and Infinity, and both are greater than any number: hence the upper bound.
  close numeric not null check (high >= open and high >= close and high < 1e12),
  volume numeric not null check (volume >= 0 and volume < 1e15),
  primary key (instrument_id, span, source, at)
);
-- A whole day of the market (ingested in one go, and looked at when a day is corrected) and retention.
create index candles_by_time on market_data.candles using brin (at) with (pages_per_range = 32);

-- Candles that somebody wants and that are not stored: a new instrument's past, a chart that was opened.
create table market_data.candle_wishes (
  instrument_id integer not null references market_data.instruments (id),
  source smallint not null references market_data.stock_sources (id),
  span smallint not null check (span between 1 and 3),
  wanted_at timestamptz not null,
  -- Null: not yet. Wished again later, only what is newer is fetched.
  fetched_at timestamptz,
  fetched_from date,
  fetched_to date,
  attempts integer not null default 0,
  not_before timestamptz,
  primary key (instrument_id, source, span)
);
create index candle_wishes_open on market_data.candle_wishes (source, wanted_at) where fetched_at is null;

-- Splits, dividends, renames and delistings. A row is never changed: a correction is a new row that names the
-- one it corrects. Written under the lock of its source, so that ids are in the order of commit.
create table market_data.corporate_actions (
  id bigint generated always as identity primary key,
  instrument_id integer not null references market_data.instruments (id),
  kind text not null check (kind in ('split', 'dividend', 'rename', 'delisting')),
  -- The ex-date, or the first day of a new ticker, or the last day of trading.
  effective_on date not null,
  source smallint not null references market_data.stock_sources (id),
  -- What makes it the same action when it comes again; with revision, what makes it stored once.
  source_key text not null,
  revision integer not null default 1 check (revision > 0),
  corrects bigint references market_data.corporate_actions (id),
  split_from numeric check (split_from > 0 and split_from < 1e9),
  split_to numeric check (split_to > 0 and split_to < 1e9),
  amount numeric check (amount > 0 and amount < 1e9),
  currency text check (currency ~ '^[A-Z]{3}$'),
  pay_on date,
  ticker text,
  last_price numeric check (last_price > 0 and last_price < 1e12),
  recorded_at timestamptz not null,
  unique (source, source_key, revision),
  check ((kind = 'split') = (split_from is not null and split_to is not null)),
  check ((kind = 'dividend') = (amount is not null and currency is not null)),
  check ((kind = 'rename') = (ticker is not null)),
  check ((revision = 1) = (corrects is null))
);
create index corporate_actions_instrument on market_data.corporate_actions (instrument_id, effective_on);

-- prices

-- Every price in the order in which it became known: what orders are filled at. Written under the lock of its
-- source, so that seq is in the order of commit and a reader who goes on after the last seq misses none.
create table market_data.price_observations (
  seq bigint generated always as identity primary key,
  as_of timestamptz not null,
  fetched_at timestamptz not null,
  instrument_id integer not null,
  source smallint not null,
  timeliness smallint not null check (timeliness between 1 and 3),
  last numeric not null check (last > 0 and last < 1e12),
  bid numeric check (bid > 0),
  ask numeric check (ask >= bid and ask < 1e12),
  check ((bid is null) = (ask is null))
);
create index price_observations_newest on market_data.price_observations (instrument_id, source, seq desc);
create index price_observations_by_time on market_data.price_observations using brin (fetched_at);

-- Prices that jumped too far to be believed at once; the next that agrees with it lets it in.
create table market_data.price_doubts (
  instrument_id integer not null,
  source smallint not null,
  last numeric not null,
  as_of timestamptz not null,
  first_at timestamptz not null,
  primary key (instrument_id, source)
);

-- market hours

-- Days that are not as the built-in calendar has them, as the provider announced them or the market showed.
create table market_data.market_days (
  mic text not null,
  on_date date not null,
  status text not null check (status in ('closed', 'earlyClose')),
  name text not null,
  opens_at timestamptz,
  closes_at timestamptz,
  -- `upcoming`: announced. `status`: the market was closed when it should have been open.
  said_by text not null check (said_by in ('upcoming', 'status')),
  recorded_at timestamptz not null,
  primary key (mic, on_date),
  check (status = 'closed' or closes_at > opens_at)
);

grant select, insert, update on market_data.stock_sources, market_data.stock_feeds, market_data.instruments,
  market_data.candle_wishes to kantor_app;
grant usage on sequence market_data.instrument_ids to kantor_app;
grant select, insert on market_data.instrument_names, market_data.corporate_actions to kantor_app;
grant select, insert, delete on market_data.instrument_words, market_data.price_observations to kantor_app;
grant select, insert, update, delete on market_data.candles, market_data.price_doubts, market_data.market_days
  to kantor_app;
