import { rateOf } from '@kantor/contract/money'
import type { Queryable } from '#db'
import type { HeldPrice } from './judge-price.ts'
import { newYorkDate } from './providers/new-york.ts'
import { storedRate } from './stock-prices.ts'

/**
 * Brings held prices to today's shares: on the first day after a 4-for-1 split a price of a quarter is no jump.
 * @param today YYYY-MM-DD in New York
 */
export async function pricesAfterSplits<Held extends HeldPrice>(
  q: Queryable,
  held: ReadonlyMap<number, Held>,
  today: string,
): Promise<ReadonlyMap<number, Held>> {
  const splits = await recentSplits(q, [...held.keys()], today)
  if (splits.length === 0) return held
  const adjusted = new Map(held)
  for (const split of splits) {
    const price = adjusted.get(split.instrument_id)
    if (price === undefined || newYorkDate(price.asOf.getTime()) >= split.effective_on) continue
    const [from, to] = [storedRate(split.split_from), storedRate(split.split_to)]
    const last = rateOf(
      price.last.numerator * from.numerator * to.denominator,
      price.last.denominator * from.denominator * to.numerator,
    )
    adjusted.set(split.instrument_id, { ...price, last })
  }
  return adjusted
}

/** A price older than this is compared as it is: the next one has to be confirmed anyhow. */
const SPLIT_DAYS = 30

async function recentSplits(
  q: Queryable,
  ids: readonly number[],
  today: string,
): Promise<{ instrument_id: number; effective_on: string; split_from: string; split_to: string }[]> {
  const { rows } = await q.query<{
    instrument_id: number
    effective_on: string
    split_from: string
    split_to: string
  }>(
    `select distinct on (source, source_key) instrument_id, effective_on, split_from, split_to
       from market_data.corporate_actions
      where kind = 'split' and instrument_id = any($1) and effective_on <= $2::date
        and effective_on > $2::date - $3::int
      order by source, source_key, revision desc`,
    [[...ids], today, SPLIT_DAYS],
  )
  return rows
}
