import { rateOf, type Rate } from '@kantor/contract/money'
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

interface SplitRow {
  readonly instrument_id: number
  readonly effective_on: string
  readonly split_from: string
  readonly split_to: string
}

async function recentSplits(q: Queryable, ids: readonly number[], today: string): Promise<SplitRow[]> {
  const { rows } = await q.query<SplitRow>(
    `select * from (
       select distinct on (source, source_key) instrument_id, effective_on, split_from, split_to, withdrawn
         from market_data.corporate_actions
        where kind = 'split' and instrument_id = any($1) and effective_on <= $2::date
          and effective_on > $2::date - $3::int
        order by source, source_key, revision desc) newest
      where not withdrawn`,
    [[...ids], today, SPLIT_DAYS],
  )
  return rows
}

/** A new day needs no new look. */
const DAYS_AHEAD = 3

interface Split {
  readonly effectiveOn: string
  readonly from: Rate
  readonly to: Rate
}

/** Splits that prices may date from before, by instrument. */
export type Splits = ReadonlyMap<number, readonly Split[]>

/** One provider's of the last month and the next days. */
export async function readSplitsAround(q: Queryable, provider: string, today: string): Promise<Splits> {
  const { rows } = await q.query<SplitRow>({
    name: 'splits-around',
    text: `select * from (
             select distinct on (source_key) instrument_id, effective_on, split_from, split_to, withdrawn
               from market_data.corporate_actions
              where kind = 'split' and effective_on between $2::date - $3::int and $2::date + $4::int
                and source = (select id from market_data.stock_sources where provider = $1)
              order by source_key, revision desc) newest
            where not withdrawn`,
    values: [provider, today, SPLIT_DAYS, DAYS_AHEAD],
  })
  const splits = new Map<number, Split[]>()
  for (const { instrument_id: id, effective_on: effectiveOn, split_from, split_to } of rows) {
    const split = { effectiveOn, from: storedRate(split_from), to: storedRate(split_to) }
    splits.set(id, [...(splits.get(id) ?? []), split])
  }
  return splits
}

/** New shares for an old one since that time, exactly: 1 where there was no split. */
export function splitsSince(splits: readonly Split[], asOf: Date, today: string): Rate {
  const day = newYorkDate(asOf.getTime())
  const passed = splits.filter(({ effectiveOn }) => day < effectiveOn && effectiveOn <= today)
  return passed.reduce(
    (made, { from, to }) =>
      rateOf(
        made.numerator * to.numerator * from.denominator,
        made.denominator * to.denominator * from.numerator,
      ),
    rateOf(1n, 1n),
  )
}
