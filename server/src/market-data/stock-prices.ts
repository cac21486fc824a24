import { parseRate, type Rate } from '@kantor/contract/money'
import type { Queryable } from '#db'
import type { Timeliness } from './providers/stock-provider.ts'

/** One price of one instrument as it became known: USD (the instrument's currency) for 1 share, exactly. */
export interface PriceObservation {
  readonly instrumentId: number
  readonly last: Rate
  /** The same as text, for showing. */
  readonly lastText: string
  /** Both or neither. */
  readonly bid: Rate | null
  readonly ask: Rate | null
  readonly asOf: Date
  readonly fetchedAt: Date
  readonly source: string
  readonly timeliness: Timeliness
  readonly simulated: boolean
  /** Grows in the order of commit: whoever goes on after the last one seen misses none. */
  readonly seq: bigint
}

export const TIMELINESS = ['realTime', 'delayed', 'endOfDay'] as const satisfies readonly Timeliness[]

export const timelinessNumber = (timeliness: Timeliness): number => TIMELINESS.indexOf(timeliness) + 1

interface ObservationRow {
  readonly seq: bigint
  readonly instrument_id: number
  readonly last: string
  readonly bid: string | null
  readonly ask: string | null
  readonly as_of: Date
  readonly fetched_at: Date
  readonly timeliness: number
  readonly provider: string
  readonly simulated: boolean
}

const COLUMNS = `seq, instrument_id, last, bid, ask, as_of, fetched_at, timeliness, provider, simulated`

/**
 * Every price ingested after `afterSeq`, in order: what orders are filled at.
 * @param provider only of this source, which is the configured one
 */
export async function pricesSince(
  q: Queryable,
  afterSeq: bigint,
  limit: number,
  provider: string,
): Promise<PriceObservation[]> {
  const { rows } = await q.query<ObservationRow>({
    name: 'prices-since',
    text: `select ${COLUMNS} from market_data.price_observations
             join market_data.stock_sources on stock_sources.id = price_observations.source
            where seq > $1 and provider = $3 order by seq limit $2`,
    values: [afterSeq, limit, provider],
  })
  return rows.map(observationOf)
}

/** The newest seq of all, 0 when there is none: what an order that is accepted now already could have known. */
export async function newestPriceSeq(q: Queryable): Promise<bigint> {
  const { rows } = await q.query<{ seq: bigint }>({
    name: 'newest-price-seq',
    text: 'select coalesce(max(seq), 0::bigint) as seq from market_data.price_observations',
  })
  return rows[0]?.seq ?? 0n
}

/** The newest price of each instrument: one index look-up each. */
export async function newestPrices(q: Queryable, provider: string): Promise<PriceObservation[]> {
  const { rows } = await q.query<ObservationRow>(
    `select ${COLUMNS} from market_data.stock_sources, market_data.instruments,
            lateral (select seq, instrument_id, last, bid, ask, as_of, fetched_at, timeliness
                       from market_data.price_observations
                      where instrument_id = instruments.id and source = stock_sources.id
                      order by seq desc limit 1) newest
      where provider = $1`,
    [provider],
  )
  return rows.map(observationOf)
}

function observationOf(row: ObservationRow): PriceObservation {
  const timeliness = TIMELINESS[row.timeliness - 1]
  if (timeliness === undefined) throw new Error(`a stored price of timeliness ${row.timeliness}`)
  return {
    seq: row.seq,
    instrumentId: row.instrument_id,
    last: storedRate(row.last),
    lastText: row.last,
    bid: row.bid === null ? null : storedRate(row.bid),
    ask: row.ask === null ? null : storedRate(row.ask),
    asOf: row.as_of,
    fetchedAt: row.fetched_at,
    source: row.provider,
    timeliness,
    simulated: row.simulated,
  }
}

/** The exact value of a stored price. What is stored was judged, so anything unreadable is a broken invariant. */
export function storedRate(text: string): Rate {
  const read = parseRate(text)
  if (!read.ok) throw new Error('a stored price cannot be read')
  return read.rate
}
