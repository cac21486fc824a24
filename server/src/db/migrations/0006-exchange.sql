-- Conversion quotes: the house's firm offers, each good for seconds and for one conversion. What was dealt is in
-- the ledger's journals with all that explains it, so quotes may be cleared away a day after they expired.
create schema exchange;
grant usage on schema exchange to kantor_app;

create table exchange.quotes (
  id uuid primary key,
  wallet_id bigint not null check (wallet_id >= 1000),
  from_asset_id integer not null,
  to_asset_id integer not null,
  from_scale smallint not null,
  to_scale smallint not null,
  -- All that leaves the wallet, fee included; the fee is in the asset paid.
  from_minor bigint not null,
  fee_minor bigint not null check (fee_minor >= 0),
  to_minor bigint not null check (to_minor > 0),
  -- 1 from = mid to, in major units, exactly.
  mid_numerator numeric not null check (mid_numerator > 0),
  mid_denominator numeric not null check (mid_denominator > 0),
  -- The same, and the customer's rate, as they were shown.
  mid text not null,
  rate text not null,
  base_bps integer not null check (base_bps >= 1),
  weekend_bps integer not null check (weekend_bps >= 0),
  age_bps integer not null check (age_bps >= 0),
  rate_source text not null,
  rate_as_of timestamptz not null,
  rate_snapshots text[] not null check (cardinality(rate_snapshots) > 0),
  -- Quotes of one version were made of the same snapshots: what the caps on exposure are counted by.
  rate_version text not null,
  -- What rounding leaves with the house, in minor units of the asset received.
  rounding_numerator numeric not null check (rounding_numerator >= 0),
  rounding_denominator numeric not null check (rounding_denominator > 0),
  -- What is exchanged, in euro cents at mid, rounded up.
  exposure_minor bigint not null check (exposure_minor >= 0),
  outcome text not null default 'open' check (outcome in ('open', 'used', 'lapsed')),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  check (from_asset_id <> to_asset_id),
  check (from_minor > fee_minor),
  check (base_bps + weekend_bps + age_bps < 10000),
  check (expires_at > created_at),
  -- Nobody is ever offered mid or better, whatever the code believes.
  constraint quotes_below_mid check (
    to_minor * mid_denominator * 10::numeric ^ from_scale::int
      < (from_minor - fee_minor) * mid_numerator * 10::numeric ^ to_scale::int
  )
);
comment on column exchange.quotes.outcome is
  'for counting exposure only, settled after expiry; that a quote is used once, the ledger ensures';

create index quotes_live on exchange.quotes (wallet_id, expires_at);
create index quotes_open on exchange.quotes (from_asset_id, to_asset_id, rate_version) where outcome = 'open';
create index quotes_by_expiry on exchange.quotes (expires_at);

-- What was dealt of a pair, one way, at one version of its rate, by quotes that are settled. Wallet 0: by everybody.
create table exchange.exposures (
  from_asset_id integer not null,
  to_asset_id integer not null,
  rate_version text not null,
  wallet_id bigint not null,
  dealt_minor numeric not null check (dealt_minor >= 0),
  changed_at timestamptz not null,
  primary key (from_asset_id, to_asset_id, rate_version, wallet_id)
);
create index exposures_by_change on exchange.exposures (changed_at);

grant select, insert, delete, update (outcome) on exchange.quotes to kantor_app;
grant select, insert, delete, update (dealt_minor, changed_at) on exchange.exposures to kantor_app;
