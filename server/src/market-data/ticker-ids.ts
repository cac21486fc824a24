import type { Queryable } from '#db'

/** Whose a ticker was on a day. */
export interface TickerIds {
  /** @param date YYYY-MM-DD; null where nobody of ours had it */
  idOf(ticker: string, date: string): number | null
}

interface Tenure {
  readonly instrument_id: number
  readonly ticker: string
  /** Exclusive; null: to this day. */
  readonly until_on: string | null
}

/** Reads all names, 12,000 rows: a day of the whole market needs most of them. */
export async function readTickerIds(q: Queryable): Promise<TickerIds> {
  const { rows } = await q.query<Tenure>(
    `select id as instrument_id, ticker, delisted_on + 1 as until_on from market_data.instruments
     union all
     select instrument_id, ticker, until_on from market_data.instrument_names`,
  )
  const tenures = new Map<string, Tenure[]>()
  for (const row of rows) {
    const held = tenures.get(row.ticker)
    if (held === undefined) tenures.set(row.ticker, [row])
    else held.push(row)
  }
  // Who gave it up first after that day had it then.
  const END = '9999-12-31'
  for (const list of tenures.values()) {
    list.sort((left, right) => ((left.until_on ?? END) < (right.until_on ?? END) ? -1 : 1))
  }
  return {
    idOf: (ticker, date) =>
      tenures.get(ticker)?.find(({ until_on: until }) => until === null || date < until)?.instrument_id ??
      null,
  }
}
