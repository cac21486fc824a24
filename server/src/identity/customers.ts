import type { Me, UpdateMeRequest } from '@kantor/contract/api'
import { isOffered } from '@kantor/contract/money'
import { Problem } from '@kantor/contract/errors'
import type { Queryable, Tx } from '#db'

interface CustomerRow {
  id: string
  email: string
  name: string
  handle: string
  role: Me['role']
  base_currency: string
  locale: Me['locale']
  theme: Me['theme']
  frozen_at: Date | null
  created_at: Date
}

const MINE = 'id, email, name, handle, role, base_currency, locale, theme, frozen_at, created_at'

function toMe(row: CustomerRow): Me {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    handle: row.handle,
    role: row.role,
    baseCurrency: row.base_currency,
    locale: row.locale,
    theme: row.theme,
    frozen: row.frozen_at !== null,
    createdAt: row.created_at.toISOString(),
  }
}

function only<Row>(rows: readonly Row[]): Row {
  const [row] = rows
  if (row === undefined) throw new Error('a customer that was there has gone, which the database refuses')
  return row
}

export async function selectMe(q: Queryable, customerId: string): Promise<Me> {
  const { rows } = await q.query<CustomerRow>(`select ${MINE} from identity.customers where id = $1`, [
    customerId,
  ])
  return toMe(only(rows))
}

export interface NewCustomer {
  readonly id: string
  readonly email: string
  readonly emailKey: string
  readonly handle: string
  readonly name: string
  readonly passwordHash: string
  readonly baseCurrency: string
  readonly createdAt: Date
}

/** Throws `email_taken` or `handle_taken`, also when another took it in this very moment. */
export async function insertCustomer(tx: Tx, customer: NewCustomer): Promise<{ number: bigint; me: Me }> {
  const { rows } = await tx
    .query<CustomerRow & { number: bigint }>(
      `insert into identity.customers
         (id, email, email_key, handle, name, password_hash, base_currency, created_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8) returning number, ${MINE}`,
      [
        customer.id,
        customer.email,
        customer.emailKey,
        customer.handle,
        customer.name,
        customer.passwordHash,
        customer.baseCurrency,
        customer.createdAt,
      ],
    )
    .catch(refuseTaken)
  const row = only(rows)
  return { number: row.number, me: toMe(row) }
}

/**
 * Changes what is given and leaves the rest. A handle or name that ends is kept, with the moment until which it held.
 * @throws Problem handle_taken
 */
export async function updateCustomer(
  tx: Tx,
  customerId: string,
  change: UpdateMeRequest,
  now: Date,
): Promise<Me> {
  await tx.query(
    `insert into identity.former_names (number, until, handle, name)
     select number, $4, handle, name from identity.customers
     where id = $1 and (handle, name) is distinct from (coalesce($2, handle), coalesce($3, name))
     for update
     on conflict (number, until) do nothing`,
    [customerId, change.handle, change.name, now],
  )
  const { rows } = await tx
    .query<CustomerRow>(
      `update identity.customers set name = coalesce($2, name), handle = coalesce($3, handle),
         base_currency = coalesce($4, base_currency), locale = coalesce($5, locale), theme = coalesce($6, theme)
       where id = $1 returning ${MINE}`,
      [customerId, change.name, change.handle, change.baseCurrency, change.locale, change.theme],
    )
    .catch(refuseTaken)
  return toMe(only(rows))
}

const TAKEN = { customers_email_taken: 'email_taken', customers_handle_taken: 'handle_taken' } as const

function refuseTaken(error: unknown): never {
  const constraint = error instanceof Error && 'constraint' in error ? error.constraint : undefined
  if (constraint === 'customers_email_taken' || constraint === 'customers_handle_taken') {
    throw new Problem(TAKEN[constraint], { cause: error })
  }
  throw error
}

/** The same refusals before any costly work; the constraints stay the judge. */
export async function refuseKnown(q: Queryable, emailKey: string, handle: string): Promise<void> {
  const { rows } = await q.query<{ email_taken: boolean }>(
    'select email_key = $1 as email_taken from identity.customers where email_key = $1 or handle = $2',
    [emailKey, handle],
  )
  if (rows.length > 0) throw new Problem(rows.some((row) => row.email_taken) ? 'email_taken' : 'handle_taken')
}

/** Names that would pass for the house's own. */
const RESERVED_HANDLES: ReadonlySet<string> = new Set([
  'admin',
  'administrator',
  'house',
  'kantor',
  'official',
  'security',
  'support',
  'system',
])

export function refuseReserved(handle: string): void {
  if (RESERVED_HANDLES.has(handle)) throw new Problem('handle_taken')
}

export function refuseUnlessOffered(code: string, path: string): void {
  if (isOffered(code)) return
  throw new Problem('unknown_asset', {
    errors: [{ path, message: 'must be a currency that is offered here' }],
  })
}

export interface SignInCustomer {
  readonly id: string
  readonly number: bigint
  readonly passwordHash: string
  /** True when the device token presented is one of this customer's. */
  readonly deviceKnown: boolean
}

export async function selectForSignIn(
  q: Queryable,
  emailKey: string,
  deviceHash: string | null,
): Promise<SignInCustomer | null> {
  const { rows } = await q.query<{
    id: string
    number: bigint
    password_hash: string
    device_known: boolean
  }>(
    `select c.id, c.number, c.password_hash, d.token_hash is not null as device_known
     from identity.customers c
     left join identity.devices d on d.customer_id = c.id and d.token_hash = $2::bytea
     where c.email_key = $1`,
    [emailKey, deviceHash],
  )
  const [row] = rows
  return row === undefined
    ? null
    : { id: row.id, number: row.number, passwordHash: row.password_hash, deviceKnown: row.device_known }
}

/** Only over the hash that was verified, so that a password changed meanwhile is not brought back. */
export async function replacePasswordHash(
  tx: Tx,
  customerId: string,
  hashes: { verified: string; stronger: string },
): Promise<void> {
  await tx.query('update identity.customers set password_hash = $3 where id = $1 and password_hash = $2', [
    customerId,
    hashes.verified,
    hashes.stronger,
  ])
}
