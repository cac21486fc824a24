import type { Me, UpdateMeRequest } from '@kantor/contract/api'
import type { Database } from '#db'
import type { ClientInfo, Principal } from '#http'
import { recordAct } from './audit.ts'
import { refuseReserved, refuseUnlessOffered, updateCustomer } from './customers.ts'

/** Changes the given fields of the customer's own profile. The audit log says which, not what they said. */
export async function updateMe(
  deps: { db: Database; clock: () => Date },
  principal: Principal,
  change: UpdateMeRequest,
  client: ClientInfo,
): Promise<Me> {
  if (change.handle !== undefined) refuseReserved(change.handle)
  if (change.baseCurrency !== undefined) refuseUnlessOffered(change.baseCurrency, 'baseCurrency')
  return deps.db.transaction(async (tx) => {
    const now = deps.clock()
    const me = await updateCustomer(tx, principal.customerId, change, now)
    await recordAct(tx, {
      act: 'profile_changed',
      at: now,
      customerId: principal.customerId,
      actorId: principal.customerId,
      client,
      detail: { fields: Object.keys(change) },
    })
    return me
  })
}
