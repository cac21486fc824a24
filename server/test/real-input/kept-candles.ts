import type { Queryable } from '#db'
import { trimmed } from './exact.ts'
import type { SampleDay } from './stocks-sample.ts'

/** Every daily candle that is kept, as lines of decimal text. */
export async function keptCandles(q: Queryable): Promise<string[]> {
  const { rows } = await q.query<
    Record<'ticker' | 'date' | 'open' | 'high' | 'low' | 'close' | 'volume', string>
  >(
    `select ticker, (at at time zone 'America/New_York')::date as date, open, high, low, close, volume
       from market_data.candles join market_data.instruments on id = instrument_id
      where span = 3 order by at, ticker`,
  )
  return rows.map(lineOf)
}

export function writtenCandles(sample: readonly SampleDay[]): string[] {
  return sample.map(lineOf)
}

const lineOf = ({ ticker, date, open, high, low, close, volume }: Omit<SampleDay, 'dividend'>): string =>
  [ticker, date, ...[open, high, low, close, volume].map(trimmed)].join(' ')
