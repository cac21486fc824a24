-- The costs of both methods stand in the position's own row: each fill read and wrote three rows where one does.
alter table trading.positions
  -- Of what is still held.
  add column fifo_cost_minor bigint check (fifo_cost_minor >= 0),
  add column fifo_fee_minor bigint check (fifo_fee_minor >= 0),
  -- Null together: a rate was not known when some of it was bought.
  add column fifo_cost_base_minor bigint,
  add column fifo_fee_base_minor bigint,
  -- Of what was sold. Fees are above zero.
  add column fifo_realised_price_minor bigint,
  add column fifo_realised_fees_minor bigint,
  add column fifo_realised_price_base_minor bigint,
  add column fifo_realised_currency_base_minor bigint,
  add column fifo_realised_fees_base_minor bigint,
  add column average_cost_minor bigint check (average_cost_minor >= 0),
  add column average_fee_minor bigint check (average_fee_minor >= 0),
  add column average_cost_base_minor bigint,
  add column average_fee_base_minor bigint,
  add column average_realised_price_minor bigint,
  add column average_realised_fees_minor bigint,
  add column average_realised_price_base_minor bigint,
  add column average_realised_currency_base_minor bigint,
  add column average_realised_fees_base_minor bigint;

update trading.positions set
  fifo_cost_minor = fifo.cost_minor,
  fifo_fee_minor = fifo.fee_minor,
  fifo_cost_base_minor = fifo.cost_base_minor,
  fifo_fee_base_minor = fifo.fee_base_minor,
  fifo_realised_price_minor = fifo.realised_price_minor,
  fifo_realised_fees_minor = fifo.realised_fees_minor,
  fifo_realised_price_base_minor = fifo.realised_price_base_minor,
  fifo_realised_currency_base_minor = fifo.realised_currency_base_minor,
  fifo_realised_fees_base_minor = fifo.realised_fees_base_minor,
  average_cost_minor = average.cost_minor,
  average_fee_minor = average.fee_minor,
  average_cost_base_minor = average.cost_base_minor,
  average_fee_base_minor = average.fee_base_minor,
  average_realised_price_minor = average.realised_price_minor,
  average_realised_fees_minor = average.realised_fees_minor,
  average_realised_price_base_minor = average.realised_price_base_minor,
  average_realised_currency_base_minor = average.realised_currency_base_minor,
  average_realised_fees_base_minor = average.realised_fees_base_minor
from trading.position_costs fifo, trading.position_costs average
where (fifo.wallet_id, fifo.instrument_id, fifo.method) = (positions.wallet_id, positions.instrument_id, 'fifo')
  and (average.wallet_id, average.instrument_id, average.method)
    = (positions.wallet_id, positions.instrument_id, 'average');

-- A position that had no costs stops the migration here.
alter table trading.positions
  alter column fifo_cost_minor set not null,
  alter column fifo_fee_minor set not null,
  alter column fifo_realised_price_minor set not null,
  alter column fifo_realised_fees_minor set not null,
  alter column average_cost_minor set not null,
  alter column average_fee_minor set not null,
  alter column average_realised_price_minor set not null,
  alter column average_realised_fees_minor set not null,
  add check ((fifo_cost_base_minor is null) = (fifo_fee_base_minor is null)),
  add check ((average_cost_base_minor is null) = (average_fee_base_minor is null)),
  add check ((fifo_realised_price_base_minor is null) = (fifo_realised_currency_base_minor is null)
    and (fifo_realised_price_base_minor is null) = (fifo_realised_fees_base_minor is null)),
  add check ((average_realised_price_base_minor is null) = (average_realised_currency_base_minor is null)
    and (average_realised_price_base_minor is null) = (average_realised_fees_base_minor is null)),
  -- A fill changes nothing that is indexed: with room left on its page it touches no index.
  set (fillfactor = 70);

drop table trading.position_costs;
