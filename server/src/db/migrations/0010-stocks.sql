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
