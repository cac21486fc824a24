-- What is held of instruments: lots with their cost, profits made, and what companies did with them. The shares
-- themselves are in the ledger only; each row here commits with the journal that moved them.

-- One row for each wallet and instrument ever held. Its lots add up to `quantity`, which is the ledger's balance.
create table trading.positions (
  wallet_id bigint not null check (wallet_id >= 1000),
  instrument_id integer not null,
  -- The instrument's currency; amounts without `base` in their name are in its minor units.
  currency_id integer not null,
  -- What the amounts called base are in; null until a rate was known.
  base_currency text,
  -- The base currency was changed: older amounts were converted at the rate of that day.
  approximate boolean not null default false,
  quantity bigint not null check (quantity >= 0),
  last_lot integer not null default 0,
  last_disposal integer not null default 0,
  dividends_minor bigint not null default 0,
  dividends_base_minor bigint,
  primary key (wallet_id, instrument_id)
);
create index positions_by_instrument on trading.positions (instrument_id, wallet_id);

-- Both methods are kept at all times, so that a customer may switch between them at once.
create table trading.position_costs (
  wallet_id bigint not null,
  instrument_id integer not null,
  method text not null check (method in ('fifo', 'average')),
  -- Of what is still held.
  cost_minor bigint not null check (cost_minor >= 0),
  fee_minor bigint not null check (fee_minor >= 0),
  -- Null together: a rate was not known when some of it was bought.
  cost_base_minor bigint,
  fee_base_minor bigint,
  -- Of what was sold. Fees are above zero.
  realised_price_minor bigint not null,
  realised_fees_minor bigint not null,
  realised_price_base_minor bigint,
  realised_currency_base_minor bigint,
  realised_fees_base_minor bigint,
  primary key (wallet_id, instrument_id, method),
  check ((cost_base_minor is null) = (fee_base_minor is null)),
  check ((realised_price_base_minor is null) = (realised_currency_base_minor is null)
    and (realised_price_base_minor is null) = (realised_fees_base_minor is null))
);

create table trading.lots (
  wallet_id bigint not null,
  instrument_id integer not null,
  number integer not null check (number >= 1),
  -- When it was acquired, by whoever did: a transfer keeps it.
  opened_at timestamptz not null,
  origin text not null check (origin in ('trade', 'transfer', 'split')),
  journal_key text not null,
  -- What is left of it, and its cost.
  quantity bigint not null check (quantity >= 0),
  cost_minor bigint not null check (cost_minor >= 0),
  fee_minor bigint not null check (fee_minor >= 0),
  cost_base_minor bigint,
  fee_base_minor bigint,
  -- 1 of the instrument's currency in the base currency when it was acquired, exactly, and where that is from.
  base_currency text,
  rate_numerator numeric,
  rate_denominator numeric,
  rate_snapshots text[] not null default '{}',
  primary key (wallet_id, instrument_id, number),
  check ((cost_base_minor is null) = (fee_base_minor is null))
);
create index lots_open on trading.lots (wallet_id, instrument_id, opened_at, number) where quantity > 0;

-- Each sale, with what was made by it under both methods and the rate it was reckoned at. Never changed.
create table trading.disposals (
  wallet_id bigint not null,
  instrument_id integer not null,
  number integer not null check (number >= 1),
  journal_key text not null,
  at timestamptz not null,
  quantity bigint not null check (quantity > 0),
  cash_minor bigint not null check (cash_minor >= 0),
  fee_minor bigint not null check (fee_minor >= 0),
  base_currency text,
  rate_numerator numeric,
  rate_denominator numeric,
  rate_snapshots text[] not null default '{}',
  -- Which lots it came from under fifo, and how much of each.
  lot_numbers integer[] not null,
  lot_quantities bigint[] not null,
  fifo_price_minor bigint not null,
  fifo_fees_minor bigint not null,
  fifo_price_base_minor bigint,
  fifo_currency_base_minor bigint,
  fifo_fees_base_minor bigint,
  average_price_minor bigint not null,
  average_fees_minor bigint not null,
  average_price_base_minor bigint,
  average_currency_base_minor bigint,
  average_fees_base_minor bigint,
  primary key (wallet_id, instrument_id, number)
);

-- Fifo where there is no row.
create table trading.position_settings (
  wallet_id bigint primary key,
  method text not null check (method in ('fifo', 'average'))
);

-- corporate actions

-- Those known, and whether they are done. `root_id` is the first of a chain of corrections.
create table trading.corporate_actions (
  action_id bigint primary key,
  root_id bigint not null,
  corrects bigint,
  instrument_id integer not null,
  kind text not null check (kind in ('split', 'dividend', 'rename', 'delisting')),
  -- The day, in New York, from which it is to be posted.
  due_on date not null,
  done_at timestamptz
);
create index corporate_actions_due on trading.corporate_actions (due_on, action_id) where done_at is null;
create index corporate_actions_chain on trading.corporate_actions (root_id, action_id);

-- What an action posted for a holder: one row each, also when that was nothing. Commits with its journal.
create table trading.corporate_action_postings (
  root_id bigint not null,
  action_id bigint not null,
  wallet_id bigint not null,
  -- What the holder had at the start of the ex-date.
  entitled bigint not null,
  -- Shares (split) or minor units of money (dividend) that this journal gave, less than zero when it took.
  amount bigint not null,
  at timestamptz not null,
  primary key (root_id, wallet_id, action_id)
);

-- watchlist and worth

create table trading.watchlist (
  wallet_id bigint not null,
  instrument_id integer not null,
  added_at timestamptz not null,
  primary key (wallet_id, instrument_id)
);

-- A wallet's worth at full hours; those of past days are thinned out to one a day.
create table trading.worth_points (
  wallet_id bigint not null,
  at timestamptz not null,
  base_currency text not null,
  worth_minor bigint not null,
  -- Something was held whose worth was not known, and is left out.
  incomplete boolean not null,
  primary key (wallet_id, at)
);
create index worth_points_by_time on trading.worth_points (at);

grant select, insert, update on trading.positions, trading.position_costs, trading.lots,
  trading.position_settings to kantor_app;
grant select, insert on trading.disposals, trading.corporate_action_postings to kantor_app;
grant select, insert, update (done_at) on trading.corporate_actions to kantor_app;
grant select, insert, delete on trading.watchlist to kantor_app;
grant select, insert, update, delete on trading.worth_points to kantor_app;
