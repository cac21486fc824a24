-- A company's act that its provider no longer announces: a last revision of it, with the values that it had.
alter table market_data.corporate_actions
  add column withdrawn boolean not null default false,
  add check (not withdrawn or revision > 1);

-- The price book looks for the splits of these weeks every minute, among years of dividends.
create index corporate_actions_splits on market_data.corporate_actions (effective_on) where kind = 'split';
