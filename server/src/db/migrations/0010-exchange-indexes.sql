-- Settling a pair's quotes must find them by pair, whatever the planner thinks of expiry: with an index on expiry
-- alone it may read every quote of the day for each new one. Clearing away once a day can read the whole table.
drop index exchange.quotes_by_expiry;
drop index exchange.quotes_open;
create index quotes_open on exchange.quotes (from_asset_id, to_asset_id, rate_version, expires_at)
  where outcome = 'open';
