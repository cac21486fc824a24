import type { Database, Queryable } from '#db'
import { deleteForgottenAttempts } from './limits.ts'

const DAY_MS = 24 * 3600 * 1000
/** Ended sessions and keys stay this long for whoever looks into what happened; the audit log stays for good. */
const KEEP_ENDED_DAYS = 90
/** As long as browsers keep the cookie. */
const KEEP_DEVICE_DAYS = 400

/** Deletes what can no longer matter to anybody, so that these tables grow with people and not with time. */
export async function sweep(db: Database, now: Date): Promise<void> {
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY_MS)
  await deleteForgottenAttempts(db, now)
  await deleteEndedSessions(db, daysAgo(KEEP_ENDED_DAYS))
  await deleteEndedApiKeys(db, daysAgo(KEEP_ENDED_DAYS))
  await deleteUnusedDevices(db, daysAgo(KEEP_DEVICE_DAYS))
}

async function deleteEndedSessions(q: Queryable, before: Date): Promise<void> {
  await q.query(
    'delete from identity.sessions where revoked_at < $1 or idle_expires_at < $1 or expires_at < $1',
    [before],
  )
}

async function deleteEndedApiKeys(q: Queryable, before: Date): Promise<void> {
  await q.query('delete from identity.api_keys where revoked_at < $1 or expires_at < $1', [before])
}

async function deleteUnusedDevices(q: Queryable, before: Date): Promise<void> {
  await q.query('delete from identity.devices where last_signed_in_at < $1', [before])
}
