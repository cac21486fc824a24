import type { EventParty, JournalEvent } from '@kantor/contract/events'
import type { Queryable, Tx } from '#db'
import { customersByNumbers, maskName } from '#identity'
import { storeNotices } from './notify.ts'
import type { NoticeToTell, NotifyDeps } from './notify.ts'
import { noticesOf, sayingsOf } from './read-event.ts'
import type { Sender } from './read-event.ts'
import { tellReceivers, walletsWithReceivers } from './webhook-messages.ts'

/** What one party of an event is to be told in words. */
interface Side {
  readonly event: JournalEvent
  readonly party: EventParty
  readonly walletId: bigint
  readonly notices: readonly NoticeToTell[]
}

/** A consumer of journal events; the name stays for ever, since what was seen is kept under it. */
export function notificationsConsumer(deps: NotifyDeps) {
  return {
    name: 'notifications',
    handle: (tx: Tx, events: readonly JournalEvent[]) => tellOfEvents(tx, deps, events),
  }
}

/**
 * Tells every party of its own side. As many statements for a hundred events as for one: event by event these were
 * four in ten of all that a busy server sent to the database.
 */
async function tellOfEvents(tx: Tx, deps: NotifyDeps, events: readonly JournalEvent[]): Promise<void> {
  const parties = events.flatMap(({ parties }) => parties.map(({ walletId }) => BigInt(walletId)))
  const [receiving, senders] = await Promise.all([walletsWithReceivers(tx, parties), sendersOf(tx, events)])
  const sides = events.flatMap((event) =>
    event.parties.map((party) => sideOf(event, party, senders.get(event.id) ?? null)),
  )
  const told = await storeNotices(
    tx,
    deps,
    sides.flatMap(({ notices }) => notices),
  )
  const tellings = sides
    .filter(({ walletId }) => receiving.has(walletId))
    .flatMap(({ event, party, walletId, notices }) => [
      ...sayingsOf(event, party).map((saying) => ({ walletId, at: new Date(event.at), saying })),
      ...notices.flatMap((notice) => told.get(notice) ?? []),
    ])
  await tellReceivers(tx, deps, tellings)
}

function sideOf(event: JournalEvent, party: EventParty, sender: Sender): Side {
  const walletId = BigInt(party.walletId)
  const notices = noticesOf(event, party, sender).map((content, index) => ({
    ...content,
    walletId,
    dedupeKey: index === 0 ? `journal ${event.id}` : `journal ${event.id} ${index}`,
  }))
  return { event, party, walletId, notices }
}

/** By event: whom a transfer came from, with the name masked as everywhere. */
async function sendersOf(
  q: Queryable,
  events: readonly JournalEvent[],
): Promise<ReadonlyMap<string, Sender>> {
  const payers = events.flatMap(({ id, kind, parties }) => {
    const payer = kind === 'transfer' ? parties.find(isPaying) : undefined
    return payer === undefined ? [] : [{ id, number: BigInt(payer.walletId) }]
  })
  const customers = await customersByNumbers(q, [...new Set(payers.map(({ number }) => number))])
  return new Map(
    payers.map(({ id, number }) => {
      const customer = customers.get(number)
      return [id, customer === undefined ? null : { handle: customer.handle, name: maskName(customer.name) }]
    }),
  )
}

const isPaying = ({ amounts }: EventParty): boolean => amounts.some(({ amount }) => amount.startsWith('-'))
