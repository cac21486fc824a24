import type { Database, Queryable } from '#db'
import { recordAct } from './audit.ts'
import { findCustomerByHandleOrEmail } from './find-customer.ts'

export interface StaffMember {
  readonly handle: string
  readonly email: string
  readonly role: 'support' | 'admin'
}

/** Everybody who may see the back office, admins first; there are few. */
export async function listStaff(q: Queryable): Promise<StaffMember[]> {
  const { rows } = await q.query<StaffMember>(
    `select handle, email, role from identity.customers where role <> 'customer' order by role, handle`,
  )
  return rows
}

export interface RoleChange {
  /** Handle or e-mail. */
  readonly who: string
  readonly role: 'admin' | 'customer'
  readonly now: Date
  /** Who ordered it, as the machine knows them: nobody is signed in on a command line. */
  readonly by: string
}

/**
 * Gives or takes the role of admin, audited; their sessions have it, or lose it, with the next request. Null when
 * nobody is called so.
 *
 * @param ownerDb as the database's owner: the application's role may change no role, so that no hole in it can
 */
export async function changeRole(
  ownerDb: Database,
  change: RoleChange,
): Promise<{ handle: string; changed: boolean } | null> {
  return ownerDb.transaction(async (tx) => {
    const customer = await findCustomerByHandleOrEmail(tx, change.who)
    if (customer === null) return null
    const { rows } = await tx.query<{ former: string }>(
      `update identity.customers as now set role = $2
         from (select id, role from identity.customers where id = $1 for update) as before
        where now.id = before.id and before.role <> $2 returning before.role as former`,
      [customer.id, change.role],
    )
    const [changed] = rows
    if (changed !== undefined)
      await recordAct(tx, {
        act: 'role_changed',
        at: change.now,
        customerId: customer.id,
        actorId: null,
        client: { ip: 'command line', userAgent: change.by },
        detail: { from: changed.former, to: change.role },
      })
    return { handle: customer.handle, changed: changed !== undefined }
  })
}
