import { hash, randomUUID } from 'node:crypto'
import type { Database } from '../server/src/db/index.ts'

export interface BenchCustomer {
  readonly handle: string
  readonly key: string
}

/**
 * Customers with one API key each, written by SQL: signing up that many over HTTP would measure the password hash,
 * 34 a second. Their password hash is of no password. Keys are of the real form, so the server checks them as any.
 */
export async function seedCustomers(owner: Database, count: number): Promise<BenchCustomer[]> {
  const customers = Array.from({ length: count }, (_, index) => {
    const secret = hash('sha256', `bench ${index} ${randomUUID()}`, 'base64url')
    return {
      id: randomUUID(),
      handle: `bench_${index}`,
      key: `kantor_${index.toString(16).padStart(12, '0')}_${secret}`,
    }
  })
  const ids = customers.map(({ id }) => id)
  await owner.query(
    `insert into identity.customers (id, email, email_key, handle, name, password_hash, base_currency, created_at)
     select id, handle || '@bench.example', handle || '@bench.example', handle, 'Bench ' || handle, '$argon2id$none', 'EUR', now()
     from unnest($1::uuid[], $2::text[]) customer (id, handle)`,
    [ids, customers.map(({ handle }) => handle)],
  )
  await owner.query(
    `insert into identity.api_keys (id, customer_id, name, prefix, key_hash, scopes, created_at)
     select gen_random_uuid(), id, 'bench', left(key, 19), sha256(convert_to(key, 'UTF8')), '{read,trade,transfer}', now()
     from unnest($1::uuid[], $2::text[]) customer (id, key)`,
    [ids, customers.map(({ key }) => key)],
  )
  await owner.query('analyze identity.customers, identity.api_keys')
  return customers
}
