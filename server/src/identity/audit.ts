import type { Queryable } from '#db'
import type { ClientInfo } from '#http'

type Act =
  | 'signed_up'
  | 'signed_in'
  | 'sign_in_failed'
  | 'signed_out'
  | 'session_revoked'
  | 'api_key_created'
  | 'api_key_revoked'
  | 'profile_changed'
  | 'role_changed'
  | 'job_retried'
  | 'job_started'
  | 'dead_letter_replayed'
  | 'dead_letter_discarded'
  | 'webhook_created'
  | 'webhook_changed'
  | 'webhook_deleted'
  | 'webhook_secret_rotated'

export interface AuditEntry {
  readonly act: Act
  readonly at: Date
  /** Whose account, and who did it; null when nobody is known. */
  readonly customerId: string | null
  readonly actorId: string | null
  readonly client: ClientInfo
  readonly detail?: Readonly<Record<string, string | readonly string[]>>
}

const USER_AGENT_LENGTH_MAX = 300

/** As stored with sessions and in the audit log: what a stranger wrote into a header has a bound. */
export const storedUserAgent = (client: ClientInfo): string =>
  client.userAgent.slice(0, USER_AGENT_LENGTH_MAX)

/** Writes one line of the log, in the transaction of what it tells of. The table takes no changes. */
export async function recordAct(q: Queryable, entry: AuditEntry): Promise<void> {
  await q.query(
    `insert into identity.audit_log (at, act, customer_id, actor_id, ip, user_agent, detail)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      entry.at,
      entry.act,
      entry.customerId,
      entry.actorId,
      entry.client.ip,
      storedUserAgent(entry.client),
      JSON.stringify(entry.detail ?? {}),
    ],
  )
}
