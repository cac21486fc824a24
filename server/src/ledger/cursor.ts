import type { Queryable } from '#db'
import type { QueryResultRow } from 'pg'

const ROWS_PER_FETCH = 5_000

/** Rows of a query one after the other, in bounded memory; inside a transaction only. `name` is ours, never input. */
export async function* rowsOf<Row extends QueryResultRow>(
  q: Queryable,
  name: string,
  query: string,
): AsyncGenerator<Row, undefined> {
  await q.query(`declare ${name} no scroll cursor for ${query}`)
  for (;;) {
    const { rows } = await q.query<Row>(`fetch ${ROWS_PER_FETCH} from ${name}`)
    yield* rows
    if (rows.length < ROWS_PER_FETCH) break
  }
  await q.query(`close ${name}`)
}
