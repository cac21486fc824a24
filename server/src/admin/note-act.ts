import type { Tx } from '#db'
import type { ClientInfo, Principal } from '#http'
import { recordAct } from '#identity'

type BackOfficeAct = Extract<
  Parameters<typeof recordAct>[1]['act'],
  'job_retried' | 'job_started' | 'dead_letter_replayed' | 'dead_letter_discarded'
>

/** Writes down what somebody of the back office does, in the transaction that does it. It concerns no one customer. */
export function noteAct(
  tx: Tx,
  by: { readonly principal: Principal; readonly client: ClientInfo },
  act: BackOfficeAct,
  detail: Readonly<Record<string, string>>,
  at: Date,
): Promise<void> {
  const { principal, client } = by
  return recordAct(tx, { act, at, customerId: null, actorId: principal.customerId, client, detail })
}
