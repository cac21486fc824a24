import type { Queryable } from '#db'

/** What others may learn of a customer; mask the name before showing it to a stranger. */
export interface PublicCustomer {
  readonly id: string
  /** Also the id of their wallet. */
  readonly number: bigint
  readonly handle: string
  readonly name: string
  readonly baseCurrency: string
  readonly frozen: boolean
}

const HANDLE = /^@?([a-z][a-z0-9_]{2,23})$/i

/** One spelling for each e-mail: compatibility characters folded (NFKC), lower case. */
export const emailKeyOf = (email: string): string => email.normalize('NFKC').toLowerCase().normalize('NFKC')

interface PublicCustomerRow {
  id: string
  number: bigint
  handle: string
  name: string
  base_currency: string
  frozen: boolean
}

function toPublicCustomer(row: PublicCustomerRow): PublicCustomer {
  return {
    id: row.id,
    number: row.number,
    handle: row.handle,
    name: row.name,
    baseCurrency: row.base_currency,
    frozen: row.frozen,
  }
}

/** Whom `text` names exactly: `@handle`, `handle` or an e-mail address, in any case; null when nobody. */
export async function findCustomerByHandleOrEmail(
  q: Queryable,
  text: string,
): Promise<PublicCustomer | null> {
  const handle = HANDLE.exec(text)?.[1]
  const found =
    handle === undefined ? await selectByEmail(q, text) : await selectByHandle(q, handle.toLowerCase())
  return found === undefined ? null : toPublicCustomer(found)
}

async function selectByHandle(q: Queryable, handle: string): Promise<PublicCustomerRow | undefined> {
  const { rows } = await q.query<PublicCustomerRow>(
    `select id, number, handle, name, base_currency, frozen from identity.public_customers where handle = $1`,
    [handle],
  )
  return rows[0]
}

async function selectByEmail(q: Queryable, email: string): Promise<PublicCustomerRow | undefined> {
  const { rows } = await q.query<PublicCustomerRow>(
    `select p.id, p.number, p.handle, p.name, p.base_currency, p.frozen
     from identity.public_customers p join identity.customers c on c.id = p.id where c.email_key = $1`,
    [emailKeyOf(email)],
  )
  return rows[0]
}

/** The customers of these numbers (wallet ids), by number; a number without a customer is absent. */
export async function customersByNumbers(
  q: Queryable,
  numbers: readonly bigint[],
): Promise<Map<bigint, PublicCustomer>> {
  if (numbers.length === 0) return new Map()
  const { rows } = await q.query<PublicCustomerRow>(
    `select id, number, handle, name, base_currency, frozen
     from identity.public_customers where number = any ($1::bigint[])`,
    [numbers],
  )
  return new Map(rows.map((row) => [row.number, toPublicCustomer(row)]))
}

/** How the customer of this number was called at that moment; null when there is none. */
export async function customerNameAt(
  q: Queryable,
  number: bigint,
  at: Date,
): Promise<{ handle: string; name: string } | null> {
  const { rows } = await q.query<{ handle: string; name: string }>(
    `select coalesce(former.handle, now.handle) as handle, coalesce(former.name, now.name) as name
     from identity.public_customers now left join lateral (
       select handle, name from identity.former_names
       where former_names.number = now.number and until > $2 order by until limit 1
     ) former on true
     where now.number = $1`,
    [number, at],
  )
  return rows[0] ?? null
}

/** How to write to a customer. Of whoever they are themselves told only: no other customer may see it. */
export interface Contact {
  readonly email: string
  readonly locale: 'en' | 'pl'
}

/** Null when this number has no customer. */
export async function contactOf(q: Queryable, number: bigint): Promise<Contact | null> {
  const { rows } = await q.query<{ email: string; locale: Contact['locale'] }>(
    'select email, locale from identity.customers where number = $1',
    [number],
  )
  return rows[0] ?? null
}
