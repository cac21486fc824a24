import type { Queryable } from '#db'

/** A name is in full here: it is masked before it leaves the room. */
export interface PersonRow {
  number: bigint
  handle: string
  name: string
}

/**
 * Payees by handle and payers by wallet, as they are now, many at once: two index look-ups, so that the plan cannot
 * depend on how the planner weighs an `or`.
 */
export async function readPeople(
  q: Queryable,
  handles: readonly string[],
  walletIds: readonly bigint[],
): Promise<PersonRow[]> {
  const { rows } = await q.query<PersonRow>({
    name: 'transfers.people',
    text: `select number, handle, name from identity.public_customers where handle = any($1::text[])
           union all
           select number, handle, name from identity.public_customers where number = any($2::bigint[])`,
    values: [handles, walletIds],
  })
  return rows
}
