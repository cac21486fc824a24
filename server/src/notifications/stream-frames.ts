import { streamEvents } from '@kantor/contract/api'
import type { StreamEventData, StreamEventName } from '@kantor/contract/api'
import type { EventParty, JournalEvent } from '@kantor/contract/events'
import { eventFrame } from '#http'

/** An event's data as it is sent: through its schema, so that nothing extra leaks. */
const encoded = <Name extends StreamEventName>(name: Name, data: StreamEventData<Name>): string =>
  JSON.stringify(streamEvents[name].parse(data))

export const frameOf = <Name extends StreamEventName>(
  name: Name,
  data: StreamEventData<Name>,
  id?: string,
): string => eventFrame(name, encoded(name, data), id)

/** A journal as one wallet's clients are told of it: encoded once, however many they are. */
export interface ToldOperation {
  readonly seq: bigint
  /** Whose state is told before the operation. */
  readonly orderId: string | null
  /**
   * The whole of it, the operation last and bearing the only id: a client that is cut off in between has not been
   * given the id and is told all of it again, of which balances and order are states and do no harm.
   */
  frames(id: string): string
}

export function toldOperation(event: JournalEvent, { amounts, balances }: EventParty): ToldOperation {
  const { id: operationId, seq, kind, at, detail } = event
  const orderId = typeof detail?.['orderId'] === 'string' ? detail['orderId'] : null
  const state = frameOf('balances', { balances })
  const operation = encoded('operation', {
    id: operationId,
    kind,
    at,
    amounts,
    ...(orderId === null ? {} : { orderId }),
  })
  return { seq: BigInt(seq), orderId, frames: (id) => state + eventFrame('operation', operation, id) }
}

/** What an event is to one wallet: nothing, if it is no party. */
export const operationsOf = (event: JournalEvent, walletId: bigint): ToldOperation[] =>
  event.parties
    .filter((party) => party.walletId === String(walletId))
    .map((party) => toldOperation(event, party))
