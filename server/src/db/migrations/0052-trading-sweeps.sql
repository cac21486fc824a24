-- The end of an order can be put off: one that cannot be ended now keeps no other waiting.
grant update (sweep_at) on trading.orders to kantor_app;
