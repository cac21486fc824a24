import type { Queryable } from '#db'
import { takeTurns } from './providers/take-turns.ts'

/** Whose a ticker was on a day. */
export interface TickerIds {
  /** @param date YYYY-MM-DD; null where nobody of ours had it */
  idOf(ticker: string, date: string): number | null
}

const untilOf = ({ until_on: until }: Tenure): string => until ?? '9999-12-31'

interface Tenure {
  readonly instrument_id: number
  readonly ticker: string
  /** Exclusive; null: to this day. */
  readonly until_on: string | null
}

/** The driver reads an answer in one go, which of 12,000 rows would keep everything else waiting. */
const INSTRUMENTS_PER_PAGE = 1_000

/** Reads all names, 12,000 rows: a day of the whole market needs most of them. */
export async function readTickerIds(q: Queryable): Promise<TickerIds> {
  const tenures = new Map<string, Tenure[]>()
  const add = (row: Tenure) => {
    const held = tenures.get(row.ticker)
    if (held === undefined) tenures.set(row.ticker, [row])
    // Who gave it up first after that day had it then.
    else held.splice(held.findLastIndex((other) => untilOf(other) <= untilOf(row)) + 1, 0, row)
  }
  for (let page = await readPage(q, 0); page.length > 0;) {
    await takeTurns(page, add)
    page = await readPage(
      q,
      page.reduce((last, row) => Math.max(last, row.instrument_id), 0),
    )
  }
  return {
    idOf: (ticker, date) =>
      tenures.get(ticker)?.find(({ until_on: until }) => until === null || date < until)?.instrument_id ??
      null,
  }
}

async function readPage(q: Queryable, after: number): Promise<Tenure[]> {
  const { rows } = await q.query<Tenure>({
    name: 'tenures',
    text: `with page as materialized (
             select id, ticker, delisted_on from market_data.instruments where id > $1 order by id limit $2)
           select id as instrument_id, ticker, delisted_on + 1 as until_on from page
           union all
           select instrument_id, names.ticker, names.until_on
             from page join market_data.instrument_names names on names.instrument_id = page.id`,
    values: [after, INSTRUMENTS_PER_PAGE],
  })
  return rows
}
