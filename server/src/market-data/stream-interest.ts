import type { Queryable } from '#db'

/** Instruments that other rooms want prices of, the most urgent first, at most so many. */
export type InstrumentsOfInterest = (q: Queryable, limit: number) => Promise<readonly number[]>

export interface StreamInterest {
  /** By ticker, which is what a stream speaks of. */
  readonly ids: ReadonlyMap<string, number>
  readonly leftOut: number
}

/** Notes that somebody looks at it: once a minute, and not again before. */
export async function recordLook(q: Queryable, instrumentId: number, now: Date): Promise<void> {
  await q.query({
    name: 'record-look',
    text: `insert into market_data.instrument_looks as held (instrument_id, looked_at)
           select $1, $2::timestamptz
            where not exists (select from market_data.instrument_looks
                               where instrument_id = $1 and looked_at > $2::timestamptz - interval '1 minute')
               on conflict (instrument_id) do update set looked_at = excluded.looked_at`,
    values: [instrumentId, now],
  })
}

const LOOK_MINUTES = 15
/** Enough to see by how many the bound is passed, without reading the whole market. */
const READ_OVER_BOUND = 2

/** What is held, ordered and watched, then what was looked at in the last minutes, as far as the bound allows. */
export async function readInterest(
  q: Queryable,
  others: InstrumentsOfInterest,
  options: { readonly max: number; readonly now: Date },
): Promise<StreamInterest> {
  const limit = options.max * READ_OVER_BOUND
  const wanted = [...(await others(q, limit)), ...(await readLooks(q, options.now, limit))]
  const { rows } = await q.query<{ id: number; ticker: string }>(
    `select id, ticker from market_data.instruments
       join unnest($1::int[]) with ordinality as wanted (wanted_id, place) on wanted_id = id
      where status = 'active' group by id, ticker order by min(place)`,
    [wanted],
  )
  const taken = rows.slice(0, options.max)
  return {
    ids: new Map(taken.map(({ id, ticker }) => [ticker, id])),
    leftOut: rows.length - taken.length,
  }
}

async function readLooks(q: Queryable, now: Date, limit: number): Promise<number[]> {
  const { rows } = await q.query<{ instrument_id: number }>(
    `select instrument_id from market_data.instrument_looks
      where looked_at > $1 order by looked_at desc, instrument_id limit $2`,
    [new Date(now.getTime() - LOOK_MINUTES * 60_000), limit],
  )
  return rows.map(({ instrument_id: id }) => id)
}
