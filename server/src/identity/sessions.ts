import type { Session } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import type { Database, Queryable, Tx } from '#db'
import type { ClientInfo, Principal } from '#http'
import { recordAct, storedUserAgent } from './audit.ts'
import type { SessionCookies } from './cookies.ts'
import { isToken, newToken, tokenHash } from './tokens.ts'
import type { IdentityDeps } from './types.ts'

/** What a browser presented when it signed in, to be replaced or renewed. */
export interface PresentedTokens {
  readonly sessionHash: string | null
  readonly deviceHash: string | null
}

type Cookies = Readonly<Record<string, string | undefined>>

const hashIfToken = (token: string | undefined) =>
  token !== undefined && isToken(token) ? tokenHash(token) : null

export function presentedTokens(cookies: Cookies, names: SessionCookies): PresentedTokens {
  return {
    sessionHash: hashIfToken(cookies[names.sessionName]),
    deviceHash: hashIfToken(cookies[names.deviceName]),
  }
}

/** More than anybody has browsers; the one used longest ago is revoked beyond it. */
const SESSIONS_MAX = 50
const DEVICES_MAX = 50

export interface OpenedSession {
  readonly token: string
  /** Null when the browser's own mark was renewed. */
  readonly newDeviceToken: string | null
}

/**
 * Opens a session with a new token and revokes the one that was presented, whosever it was: a token that was
 * planted before sign-in is worth nothing after it.
 */
export async function openSession(
  tx: Tx,
  deps: Pick<IdentityDeps, 'clock' | 'newId' | 'randomBytes' | 'config'>,
  of: { customerId: string; client: ClientInfo; presented: PresentedTokens; deviceKnown: boolean },
): Promise<OpenedSession> {
  const now = deps.clock()
  const token = newToken(deps.randomBytes)
  if (of.presented.sessionHash !== null) await revokeByToken(tx, of.presented.sessionHash, now)
  const after = (seconds: number) => new Date(now.getTime() + seconds * 1000)
  await insertSession(tx, [
    deps.newId(),
    of.customerId,
    tokenHash(token),
    now,
    after(deps.config.sessionIdleSeconds),
    after(deps.config.sessionLifeSeconds),
    of.client.ip,
    storedUserAgent(of.client),
  ])
  await revokeBeyondMax(tx, of.customerId, now)
  if (of.deviceKnown) {
    await renewDevice(tx, of.presented.deviceHash, now)
    return { token, newDeviceToken: null }
  }
  const newDeviceToken = newToken(deps.randomBytes)
  await insertDevice(tx, tokenHash(newDeviceToken), of.customerId, now)
  return { token, newDeviceToken }
}

/** The `Set-Cookie` values of a browser that has just signed in. */
export function cookiesOf(opened: OpenedSession, cookies: SessionCookies): string[] {
  const session = cookies.setSession(opened.token)
  return opened.newDeviceToken === null ? [session] : [session, cookies.setDevice(opened.newDeviceToken)]
}

async function insertSession(tx: Tx, values: unknown[]): Promise<void> {
  await tx.query(
    `insert into identity.sessions
       (id, customer_id, token_hash, created_at, last_seen_at, idle_expires_at, expires_at, ip, user_agent)
     values ($1, $2, $3::bytea, $4, $4, $5, $6, $7, $8)`,
    values,
  )
}

async function revokeByToken(tx: Tx, hash: string, now: Date): Promise<void> {
  await tx.query(
    'update identity.sessions set revoked_at = $2 where token_hash = $1::bytea and revoked_at is null',
    [hash, now],
  )
}

async function revokeBeyondMax(tx: Tx, customerId: string, now: Date): Promise<void> {
  await tx.query(
    `update identity.sessions set revoked_at = $2 where id in (
       select id from identity.sessions where customer_id = $1 and revoked_at is null
       order by last_seen_at desc, id desc offset $3)`,
    [customerId, now, SESSIONS_MAX],
  )
}

async function renewDevice(tx: Tx, hash: string | null, now: Date): Promise<void> {
  await tx.query('update identity.devices set last_signed_in_at = $2 where token_hash = $1::bytea', [
    hash,
    now,
  ])
}

async function insertDevice(tx: Tx, hash: string, customerId: string, now: Date): Promise<void> {
  await tx.query(
    'insert into identity.devices (token_hash, customer_id, last_signed_in_at) values ($1::bytea, $2, $3)',
    [hash, customerId, now],
  )
  await tx.query(
    `delete from identity.devices where token_hash in (
       select token_hash from identity.devices where customer_id = $1
       order by last_signed_in_at desc, token_hash offset $2)`,
    [customerId, DEVICES_MAX],
  )
}

interface SessionRow {
  id: string
  created_at: Date
  last_seen_at: Date
  ends_at: Date
  ip: string
  user_agent: string
}

/** The customer's sessions that hold now, the one used last first; at most 50 by construction. */
export async function listSessions(q: Queryable, principal: Principal, now: Date): Promise<Session[]> {
  const { rows } = await q.query<SessionRow>(
    `select id, created_at, last_seen_at, least(idle_expires_at, expires_at) as ends_at, ip, user_agent
     from identity.sessions
     where customer_id = $1 and revoked_at is null and idle_expires_at > $2 and expires_at > $2
     order by last_seen_at desc, id desc`,
    [principal.customerId, now],
  )
  return rows.map((row) => ({
    id: row.id,
    createdAt: row.created_at.toISOString(),
    lastSeenAt: row.last_seen_at.toISOString(),
    expiresAt: row.ends_at.toISOString(),
    userAgent: row.user_agent,
    ip: row.ip,
    current: row.id === principal.credentialId,
  }))
}

/** Ends one of the customer's own sessions, at once and everywhere; any other id is `not_found`. */
export async function revokeSession(
  deps: { db: Database; clock: () => Date },
  principal: Principal,
  sessionId: string,
  of: { act: 'signed_out' | 'session_revoked'; client: ClientInfo },
): Promise<void> {
  const now = deps.clock()
  await deps.db.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      `update identity.sessions set revoked_at = $3 where id = $1 and customer_id = $2
         and revoked_at is null and idle_expires_at > $3 and expires_at > $3`,
      [sessionId, principal.customerId, now],
    )
    if (rowCount !== 1) throw new Problem('not_found')
    await recordAct(tx, {
      act: of.act,
      at: now,
      customerId: principal.customerId,
      actorId: principal.customerId,
      client: of.client,
      detail: { sessionId },
    })
  })
}
