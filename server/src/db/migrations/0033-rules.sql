-- What customers told us to do later: by the clock (standing orders, recurring conversions) or when a rate or a price
-- gets somewhere (limit conversions, price alerts). One table for all kinds: the scheduler knows none of them.
create schema rules;
grant usage on schema rules to kantor_app;

create table rules.rules (
  -- UUIDv7: the order of lists.
  id uuid primary key,
  wallet_id bigint not null check (wallet_id >= 1000),
  kind text not null check (kind ~ '^[a-z][a-z-]{2,39}$'),
  -- Parsed by its kind's schema whenever it is read.
  definition jsonb not null,
  state text not null default 'active'
    check (state in ('active', 'paused', 'done', 'cancelled', 'failed', 'expired')),
  -- Why it is paused or failed, as a code of the error catalogue.
  reason text,
  -- How many runs have ended. The pending one is run + 1, whose key in the ledger is made of it.
  run integer not null default 0 check (run >= 0),
  -- How often the pending run was tried and refused for now, when last, and why.
  tries integer not null default 0 check (tries >= 0),
  tried_at timestamptz,
  tried_reason text,
  -- By the clock: the date of the pending run.
  planned_for timestamptz,
  -- Not looked at before; by the clock, when the pending run is tried next.
  wake_at timestamptz,
  -- By a value: whose, and where it has to be.
  topic text,
  at_or_above numeric check (at_or_above > 0 and at_or_above < 1e19),
  at_or_below numeric check (at_or_below > 0 and at_or_below < 1e19),
  expires_at timestamptz,
  -- Changes with the row: what was prepared for one version is not executed for another.
  version integer not null default 1,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  -- The request that made it, so that the same one again makes no second rule and is answered the same.
  request_key text not null,
  request_hash bytea not null check (length(request_hash) = 16),
  first_reply jsonb not null,
  constraint rules_request unique (wallet_id, request_key),
  -- Active by the clock has a date; by a value, one bound.
  constraint rules_timing check (
    case when topic is null then at_or_above is null and at_or_below is null
         else planned_for is null and (at_or_above is null) <> (at_or_below is null) end
  ),
  constraint rules_due check (
    state <> 'active' or topic is not null or (planned_for is not null and wake_at is not null)
  )
) with (fillfactor = 80);
create index rules_by_wallet on rules.rules (wallet_id, kind, id desc);
create index rules_due on rules.rules (wake_at, id) where state = 'active' and topic is null;
create index rules_watching on rules.rules (topic, id) where state = 'active' and topic is not null;
create index rules_expiring on rules.rules (expires_at) where expires_at is not null and state in ('active', 'paused');

-- How each run ended: once, by the key. Refused and missed runs are written down as well as those that were done.
create table rules.executions (
  rule_id uuid not null references rules.rules (id),
  run integer not null check (run >= 1),
  planned_for timestamptz,
  ended_at timestamptz not null,
  outcome text not null check (outcome in ('done', 'refused', 'missed')),
  reason text check ((reason is null) = (outcome = 'done')),
  -- Tries that were refused for now before it ended.
  tries integer not null check (tries >= 0),
  journal_id uuid,
  -- What its kind wants to remember of it.
  detail jsonb,
  primary key (rule_id, run)
);

create function rules.refuse() returns trigger language plpgsql as $$
begin
  raise exception '% of rules.% is refused: the table is append-only', tg_op, tg_table_name
    using errcode = 'restrict_violation';
end $$;
create trigger append_only before update or delete or truncate on rules.executions
  for each statement execute function rules.refuse();

grant select, insert on rules.rules, rules.executions to kantor_app;
grant update (
  definition, state, reason, run, tries, tried_at, tried_reason, planned_for, wake_at, topic, at_or_above, at_or_below,
  expires_at, version, changed_at
) on rules.rules to kantor_app;
