import type { Scope } from '@kantor/contract/api'
import { SCOPES } from '@kantor/contract/api'
import type { Queryable } from '#db'
import type { Asking } from '#http'
import type { LiveCredential } from './types.ts'

const ALL_SCOPES: ReadonlySet<Scope> = new Set(SCOPES)

/** Use is written down once a minute, not at each request: a read stays a read. */
const NOTE_USE_SECONDS = 60

interface CredentialRow {
  hash: string
  id: string
  customer_id: string
  number: bigint
  role: LiveCredential['role']
  frozen: boolean
  scopes: Scope[] | null
  used_long_ago: boolean
}

function toLiveCredential(row: CredentialRow): LiveCredential {
  return {
    id: row.id,
    customerId: row.customer_id,
    number: row.number,
    role: row.role,
    frozen: row.frozen,
    scopes: row.scopes === null ? ALL_SCOPES : new Set(row.scopes),
  }
}

const secondsAfter = (moment: Date, seconds: number) => new Date(moment.getTime() + seconds * 1000)

/** The sessions of these token hashes that hold now, by hash; and notes that they were used, if they are. */
export async function liveSessions(
  q: Queryable,
  hashes: readonly string[],
  now: Date,
  idleSeconds: number,
  asking: Asking,
): Promise<Map<string, LiveCredential>> {
  const { rows } = await q.query<CredentialRow>({
    name: 'identity.live_sessions',
    text: `select '\\x' || encode(s.token_hash, 'hex') as hash, s.id, c.id as customer_id, c.number, c.role,
             c.frozen_at is not null as frozen, null as scopes, s.last_seen_at <= $3 as used_long_ago
           from identity.sessions s join identity.customers c on c.id = s.customer_id
           where s.token_hash = any ($1::bytea[])
             and s.revoked_at is null and s.idle_expires_at > $2 and s.expires_at > $2`,
    values: [hashes, now, secondsAfter(now, -NOTE_USE_SECONDS)],
  })
  const unnoted = rows.filter((row) => row.used_long_ago).map((row) => row.id)
  if (asking === 'request' && unnoted.length > 0)
    await noteSessionsSeen(q, unnoted, now, secondsAfter(now, idleSeconds))
  return new Map(rows.map((row) => [row.hash, toLiveCredential(row)]))
}

/** Whether a session holds now: it was not ended by anybody, nor by time. */
export async function sessionHolds(q: Queryable, sessionId: string, now: Date): Promise<boolean> {
  const { rowCount } = await q.query(
    `select from identity.sessions
      where id = $1 and revoked_at is null and idle_expires_at > $2 and expires_at > $2`,
    [sessionId, now],
  )
  return rowCount === 1
}

/** Rows that another process has locked are left to it: it is noting the same, or revoking. */
async function noteSessionsSeen(q: Queryable, ids: string[], now: Date, idleExpiresAt: Date): Promise<void> {
  await q.query(
    `update identity.sessions set last_seen_at = $2, idle_expires_at = $3
     where id in (
       select id from identity.sessions where id = any ($1::uuid[]) and revoked_at is null
       for no key update skip locked)`,
    [ids, now, idleExpiresAt],
  )
}

/** The API keys of these hashes that hold now, by hash; and notes that they were used, if they are. */
export async function liveApiKeys(
  q: Queryable,
  hashes: readonly string[],
  now: Date,
  asking: Asking,
): Promise<Map<string, LiveCredential>> {
  const { rows } = await q.query<CredentialRow>({
    name: 'identity.live_api_keys',
    text: `select '\\x' || encode(k.key_hash, 'hex') as hash, k.id, c.id as customer_id, c.number, c.role,
             c.frozen_at is not null as frozen, k.scopes, coalesce(k.last_used_at <= $3, true) as used_long_ago
           from identity.api_keys k join identity.customers c on c.id = k.customer_id
           where k.key_hash = any ($1::bytea[])
             and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)`,
    values: [hashes, now, secondsAfter(now, -NOTE_USE_SECONDS)],
  })
  const unnoted = rows.filter((row) => row.used_long_ago).map((row) => row.id)
  if (asking === 'request' && unnoted.length > 0) await noteApiKeysUsed(q, unnoted, now)
  return new Map(rows.map((row) => [row.hash, toLiveCredential(row)]))
}

async function noteApiKeysUsed(q: Queryable, ids: string[], now: Date): Promise<void> {
  await q.query(
    `update identity.api_keys set last_used_at = $2
     where id in (
       select id from identity.api_keys where id = any ($1::uuid[]) and revoked_at is null
       for no key update skip locked)`,
    [ids, now],
  )
}
