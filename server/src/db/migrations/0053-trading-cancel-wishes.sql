-- Since when its owner wants it back: on a feed that is behind, prices of before may still come and fill it.
alter table trading.orders add column cancel_asked_at timestamptz;
grant update (cancel_asked_at) on trading.orders to kantor_app;
