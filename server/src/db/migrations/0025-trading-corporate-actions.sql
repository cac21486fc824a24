-- Corporate actions that are posted again as trades of before their day come in, in more than one asset, and that may
-- fail without stopping others.

alter table trading.corporate_actions
  -- Who held when this day began in New York is entitled.
  add column ex_on date,
  -- How often something that entitles was recorded since it was due: it is only done if that stays as it was read.
  add column reopened integer not null default 0,
  -- Open orders, which were in old shares, are ended once.
  add column orders_ended_at timestamptz,
  -- What it failed with, how often, and when it is tried again. Null: it has not failed since it last went well.
  add column failure text,
  add column attempts integer not null default 0,
  add column retry_at timestamptz;
update trading.corporate_actions set
  ex_on = coalesce((select effective_on from market_data.corporate_actions known where known.id = action_id), due_on),
  orders_ended_at = done_at;
alter table trading.corporate_actions alter column ex_on set not null;
create index corporate_actions_by_day on trading.corporate_actions (instrument_id, ex_on);
grant update (done_at, reopened, orders_ended_at, failure, attempts, retry_at) on trading.corporate_actions
  to kantor_app;

alter table trading.corporate_action_postings
  -- From 1: the journals of one action for one holder.
  add column number smallint not null default 1,
  -- What `amount` and `withheld` are of: shares, or the money that was paid.
  add column asset_id integer,
  -- Of the amount, what was kept back as tax.
  add column withheld bigint not null default 0;
update trading.corporate_action_postings posting
  set asset_id = case known.kind
    when 'dividend' then (select id from ledger.assets where code = known.currency and kind <> 'instrument')
    else known.instrument_id end
  from market_data.corporate_actions known where known.id = posting.action_id;
alter table trading.corporate_action_postings
  alter column asset_id set not null,
  drop constraint corporate_action_postings_pkey,
  add primary key (root_id, wallet_id, action_id, number, asset_id);

-- `found`: shares that the ledger has and no lot accounted for.
alter table trading.lots drop constraint lots_origin_check,
  add constraint lots_origin_check check (origin in ('trade', 'transfer', 'split', 'found'));
