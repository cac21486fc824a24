import { crossRate, rateOf } from '@kantor/contract/money'
import type { Rate } from '@kantor/contract/money'
import type { Queryable } from '#db'
import { heldValue } from './held-value.ts'
import type { RateProvider } from './providers/rate-provider.ts'
import { preferredHistory } from './rate-history.ts'

/** 1 base = rate counter as a provider had it, exactly: both legs are of one snapshot. */
export interface PastRate {
  readonly asOf: Date
  readonly rate: Rate
}

export interface PairPast {
  /** The one provider that all rates come from. */
  readonly source: string
  readonly simulated: boolean
  /** The last of each hour that has any, oldest first. */
  readonly rates: readonly PastRate[]
}

const HOUR_MS = 3_600_000
/** A year by the hour, with a week to spare. */
const RATES_MAX = 373 * 24

export interface PairRange {
  readonly base: string
  readonly counter: string
  readonly from: Date
  readonly to: Date
}

/**
 * The rates of a pair that are stored of a time, to reckon with; null where there are none. Charts have `rateHistory`,
 * whose figures are rounded for show.
 * @throws RangeError for a range of more than RATES_MAX hours
 */
export async function pairPast(
  q: Queryable,
  providers: readonly RateProvider[],
  range: PairRange,
): Promise<PairPast | null> {
  if (range.to.getTime() - range.from.getTime() > RATES_MAX * HOUR_MS) {
    throw new RangeError(`more than ${RATES_MAX} hours`)
  }
  const found: { source: string; simulated: boolean; points: PastRate[] }[] = []
  for (const { name, simulated } of providers) {
    found.push({ source: name, simulated, points: await selectRates(q, name, range) })
  }
  const chosen = preferredHistory(found)
  if (chosen === undefined) return null
  return { source: chosen.source, simulated: chosen.simulated, rates: chosen.points }
}

type PastRow = {
  as_of: Date
  base_rate: string | null
  base_per: string | null
  counter_rate: string | null
  counter_per: string | null
}

async function selectRates(q: Queryable, provider: string, range: PairRange): Promise<PastRate[]> {
  const { rows } = await q.query<PastRow>({
    name: 'market-data.pair-past',
    text: `
      select distinct on (date_trunc('hour', snapshots.as_of, 'UTC')) snapshots.as_of,
             base.rate::text as base_rate, base.per::text as base_per,
             counter.rate::text as counter_rate, counter.per::text as counter_per
        from market_data.rate_snapshots as snapshots
        left join market_data.rates as base on base.snapshot_id = snapshots.id and base.code = $2
        left join market_data.rates as counter on counter.snapshot_id = snapshots.id and counter.code = $3
       where snapshots.provider = $1 and snapshots.as_of >= $4 and snapshots.as_of < $5
         and ($2 = 'EUR' or base.rate is not null) and ($3 = 'EUR' or counter.rate is not null)
       order by date_trunc('hour', snapshots.as_of, 'UTC'), snapshots.as_of desc, snapshots.fetched_at desc
       limit $6`,
    values: [provider, range.base, range.counter, range.from, range.to, RATES_MAX + 1],
  })
  return rows.map((row) => ({
    asOf: row.as_of,
    rate: crossRate(valueOf(row.base_rate, row.base_per), valueOf(row.counter_rate, row.counter_per)),
  }))
}

/** EUR has no row, being what all are against. */
function valueOf(rate: string | null, per: string | null): Rate {
  return rate === null || per === null ? rateOf(1n, 1n) : heldValue({ rate, per })
}
