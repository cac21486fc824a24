import type { Queryable } from '#db'
import type { Instrument } from './instrument-book.ts'

export interface InstrumentRow {
  readonly id: number
  readonly code: string
  readonly ticker: string
  readonly mic: string
  readonly figi: string | null
  readonly name: string
  readonly type: Instrument['type']
  readonly currency: string
  readonly status: Instrument['status']
  readonly delisted_on: string | null
}

const COLUMNS = `instruments.id, instruments.code, instruments.ticker, instruments.mic, instruments.figi,
  instruments.name, instruments.type, instruments.currency, instruments.status, instruments.delisted_on`

export function instrumentOf({ delisted_on: delistedOn, ...row }: InstrumentRow): Instrument {
  return { ...row, delistedOn }
}

const first = (rows: readonly InstrumentRow[]): Instrument | null =>
  rows[0] === undefined ? null : instrumentOf(rows[0])

export async function readInstrumentById(q: Queryable, id: number): Promise<Instrument | null> {
  const { rows } = await q.query<InstrumentRow>({
    name: 'instrument-by-id',
    text: `select ${COLUMNS} from market_data.instruments where id = $1`,
    values: [id],
  })
  return first(rows)
}

/** By ticker or asset code; the active one, else the last that traded under it. */
export async function readInstrumentByTicker(q: Queryable, reference: string): Promise<Instrument | null> {
  const { rows } = await q.query<InstrumentRow>({
    name: 'instrument-by-ticker',
    text: `select ${COLUMNS} from market_data.instruments
            where ticker = $1 or ticker = upper($1) or code = upper($1)
            order by ticker = $1 desc, status = 'active' desc, delisted_on desc, id desc limit 1`,
    values: [reference],
  })
  return first(rows)
}

export async function readInstrumentByFormerTicker(q: Queryable, ticker: string): Promise<Instrument | null> {
  const { rows } = await q.query<InstrumentRow>(
    `select ${COLUMNS} from market_data.instrument_names
       join market_data.instruments on instruments.id = instrument_names.instrument_id
      where instrument_names.ticker = upper($1)
      order by until_on desc, instruments.id desc limit 1`,
    [ticker],
  )
  return first(rows)
}

/** Every instrument: about 12,000 rows. */
export async function readAllInstruments(q: Queryable): Promise<Instrument[]> {
  const { rows } = await q.query<InstrumentRow>(`select ${COLUMNS} from market_data.instruments order by id`)
  return rows.map(instrumentOf)
}

/** Sessions that count for what an instrument turns over: one alone may be a day of news, or half over. */
const TURNOVER_DAYS = 5

/** Active ones, by what was dealt in their last days, most first; those without a day and equals by ticker. */
export async function readInstrumentsByTurnover(
  q: Queryable,
  provider: string,
  limit: number,
): Promise<Instrument[]> {
  const { rows } = await q.query<InstrumentRow>({
    name: 'instruments-by-turnover',
    text: `select ${COLUMNS} from market_data.instruments
             left join lateral (
               select sum(close * volume) as turnover from (
                 select close, volume from market_data.candles
                  where instrument_id = instruments.id and span = 3
                    and source = (select id from market_data.stock_sources where provider = $1)
                  order by at desc limit ${TURNOVER_DAYS}) as days) as dealt on true
            where status = 'active' order by turnover desc nulls last, ticker, id limit $2`,
    values: [provider, limit],
  })
  return rows.map(instrumentOf)
}

/**
 * Every token must begin one of the instrument's words. A token's rank is the best of what it matches; an
 * instrument is ranked by its first token's best, then by the others', then active ones and shorter names first,
 * so that `apple` gives Apple Inc. before Apple Hospitality REIT. Each token is one range of the index.
 */
export async function searchInstruments(
  q: Queryable,
  search: { readonly text: string; readonly tokens: readonly string[]; readonly limit: number },
): Promise<Instrument[]> {
  const { rows } = await q.query<InstrumentRow>({
    name: 'search-instruments',
    text: `with hits as (
       select words.instrument_id, token.number,
              min(case when place = 0 and word = token.start then 0
                       when place = 100 and word = token.start then 2
                       when place = 0 then 3
                       when place = 1 and word = token.start then 4
                       when place = 1 then 5
                       when place < 100 and word = token.start then 6
                       when place < 100 then 7
                       else 8 end) as rank
         from unnest($1::text[]) with ordinality as token (start, number)
         join market_data.instrument_words words
           on words.word >= token.start collate "C" and words.word < (token.start || U&'\\+10FFFF') collate "C"
        group by words.instrument_id, token.number),
     found as (
       select instrument_id, min(rank) filter (where number = 1) as first_rank, sum(rank) as ranks
         from hits group by instrument_id having count(*) = cardinality($1::text[]))
     select ${COLUMNS} from found
       join market_data.instruments on instruments.id = found.instrument_id
      order by instruments.ticker = upper($2) desc, first_rank, ranks, status = 'active' desc,
               length(name), instruments.ticker
      limit $3`,
    values: [[...search.tokens], search.text, search.limit],
  })
  return rows.map(instrumentOf)
}
