import type { ApiKey, CreateApiKeyRequest, CreatedApiKey, Scope } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import type { Queryable, Tx } from '#db'
import type { ClientInfo, Principal } from '#http'
import { recordAct } from './audit.ts'
import { newApiKey, tokenHash } from './tokens.ts'
import type { IdentityDeps } from './types.ts'

const KEYS_MAX = 20

interface ApiKeyRow {
  id: string
  name: string
  prefix: string
  scopes: Scope[]
  created_at: Date
  last_used_at: Date | null
  expires_at: Date | null
}

function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    expiresAt: row.expires_at?.toISOString() ?? null,
  }
}

/** The customer's keys that hold now, newest first; at most 20 by construction. */
export async function listApiKeys(q: Queryable, principal: Principal, now: Date): Promise<ApiKey[]> {
  const { rows } = await q.query<ApiKeyRow>(
    `select id, name, prefix, scopes, created_at, last_used_at, expires_at from identity.api_keys
     where customer_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)
     order by created_at desc, id desc`,
    [principal.customerId, now],
  )
  return rows.map(toApiKey)
}

/** Makes a key. The reply is the only place where it is ever written out. */
export async function createApiKey(
  deps: Pick<IdentityDeps, 'db' | 'clock' | 'newId' | 'randomBytes'>,
  principal: Principal,
  request: CreateApiKeyRequest,
  client: ClientInfo,
): Promise<CreatedApiKey> {
  const now = deps.clock()
  const expiresAt = futureOrRefuse(request.expiresAt, now)
  const { key, prefix } = newApiKey(deps.randomBytes)
  const row: ApiKeyRow = {
    id: deps.newId(),
    name: request.name,
    prefix,
    scopes: request.scopes,
    created_at: now,
    last_used_at: null,
    expires_at: expiresAt,
  }
  await deps.db.transaction(async (tx) => {
    await refuseBeyondMax(tx, principal.customerId, now)
    await insertApiKey(tx, principal.customerId, row, tokenHash(key))
    await recordAct(tx, {
      act: 'api_key_created',
      at: now,
      customerId: principal.customerId,
      actorId: principal.customerId,
      client,
      detail: { apiKeyId: row.id, scopes: row.scopes },
    })
  })
  return { ...toApiKey(row), key }
}

function futureOrRefuse(text: string | undefined, now: Date): Date | null {
  if (text === undefined) return null
  const moment = new Date(text)
  if (moment > now) return moment
  throw new Problem('invalid_request', { errors: [{ path: 'expiresAt', message: 'must be in the future' }] })
}

/** The customer's row is locked, so that two requests cannot both find room for the last one. */
async function refuseBeyondMax(tx: Tx, customerId: string, now: Date): Promise<void> {
  await tx.query('select from identity.customers where id = $1 for no key update', [customerId])
  const { rows } = await tx.query<{ live: bigint }>(
    `select count(*) as live from identity.api_keys
     where customer_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)`,
    [customerId, now],
  )
  if ((rows[0]?.live ?? 0n) >= BigInt(KEYS_MAX)) throw new Problem('too_many_keys')
}

async function insertApiKey(tx: Tx, customerId: string, row: ApiKeyRow, keyHash: string): Promise<void> {
  await tx.query(
    `insert into identity.api_keys (id, customer_id, name, prefix, key_hash, scopes, created_at, expires_at)
     values ($1, $2, $3, $4, $5::bytea, $6, $7, $8)`,
    [row.id, customerId, row.name, row.prefix, keyHash, row.scopes, row.created_at, row.expires_at],
  )
}

/** Ends one of the customer's own keys, at once and everywhere; any other id is `not_found`. */
export async function revokeApiKey(
  deps: Pick<IdentityDeps, 'db' | 'clock'>,
  principal: Principal,
  apiKeyId: string,
  client: ClientInfo,
): Promise<void> {
  const now = deps.clock()
  await deps.db.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      'update identity.api_keys set revoked_at = $3 where id = $1 and customer_id = $2 and revoked_at is null',
      [apiKeyId, principal.customerId, now],
    )
    if (rowCount !== 1) throw new Problem('not_found')
    await recordAct(tx, {
      act: 'api_key_revoked',
      at: now,
      customerId: principal.customerId,
      actorId: principal.customerId,
      client,
      detail: { apiKeyId },
    })
  })
}
