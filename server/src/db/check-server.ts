import type { Queryable } from './queryable.ts'

const VERSION_MIN = 150_000

/** Throws, with a sentence for the operator, when this server is too old to hold the schema. */
export async function checkVersion(q: Queryable): Promise<void> {
  const { rows } = await q.query<{ number: string; name: string }>(
    `select current_setting('server_version_num') as number, current_setting('server_version') as name`,
  )
  const row = rows[0]
  if (row === undefined || Number(row.number) < VERSION_MIN) {
    throw new Error(`PostgreSQL 15 or later is needed; this server says ${row?.name ?? 'nothing'}.`)
  }
}

/**
 * Throws unless an acknowledged COMMIT survives a power cut. Not asked of the embedded server, which is
 * started with these on; asked of any other, since one line in its configuration loses money in silence.
 */
export async function checkDurability(q: Queryable): Promise<void> {
  const { rows } = await q.query<{ name: string }>(
    `select name from pg_settings
      where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off' order by name`,
  )
  if (rows.length === 0) return
  const names = rows.map((row) => row.name).join(', ')
  throw new Error(
    `PostgreSQL runs with ${names} off: a power cut could lose acknowledged money. Turn it on to start Kantor.`,
  )
}

/** Throws when statements would run under another role than the one that cannot alter history. */
export async function checkRole(q: Queryable): Promise<void> {
  const { rows } = await q.query<{ role: string }>('select current_user::text as role')
  if (rows[0]?.role === 'kantor_app') return
  throw new Error(
    `Statements run as ${rows[0]?.role ?? 'nobody'}, not as kantor_app. A pooler that drops startup options ` +
      `needs: alter role <login> in database <name> set role = kantor_app`,
  )
}
