import type { Queryable } from '#db'

/** A name is in full here: it is masked before it leaves the room. */
export interface PersonRow {
  number: bigint
  handle: string
  name: string
}

/** Payees by handle, as they are now, many at once. */
export async function readPayees(q: Queryable, handles: readonly string[]): Promise<PersonRow[]> {
  const { rows } = await q.query<PersonRow>({
    name: 'transfers.payees',
    text: 'select number, handle, name from identity.public_customers where handle = any($1::text[])',
    values: [handles],
  })
  return rows
}
