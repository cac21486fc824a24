import type { Queryable } from '#db'

/**
 * Instruments whose price somebody waits for: those with open orders, then what is held, then what is watched; at
 * most so many. Watchlists are hashed as a whole: they have no index by instrument, and this runs every ten seconds.
 */
export async function instrumentsOfInterest(q: Queryable, limit: number): Promise<number[]> {
  const { rows } = await q.query<{ id: number }>({
    name: 'instruments-of-interest',
    text: `select id from (
             select id, case
               when exists (select from trading.orders
                             where instrument_id = instruments.id and done_at is null) then 1
               when exists (select from trading.positions
                             where instrument_id = instruments.id and quantity > 0) then 2
               when id in (select instrument_id from trading.watchlist) then 3
               end as urgency
               from market_data.instruments where status = 'active') as judged
            where urgency is not null order by urgency, id limit $1`,
    values: [limit],
  })
  return rows.map(({ id }) => id)
}
