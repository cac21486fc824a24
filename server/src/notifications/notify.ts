import { NOTICE_CHANNELS, noticeDetails } from '@kantor/contract/api'
import type { Notice, NoticeChannel, NoticeContent } from '@kantor/contract/api'
import type { Tx } from '#db'
import { insertMessages } from './message-store.ts'
import type { NewMessage } from './message-store.ts'
import { insertNotices, lockInboxes } from './notice-queries.ts'
import { readChannels } from './preferences.ts'
import { tellReceivers, walletsWithReceivers } from './webhook-messages.ts'
import type { Telling } from './webhook-messages.ts'

/** Something to be told to the owner of a wallet. */
export type NoticeToTell = NoticeContent & {
  readonly walletId: bigint
  /** Names what happened: a notice of this wallet with the same key is told once. Without one, each is told. */
  readonly dedupeKey?: string
}

/**
 * Tells within the caller's tx: what is rolled back was never told. Holds the wallet's list until the tx ends, so
 * who tells several wallets in one tx does so in ascending order.
 */
export type Notify = (tx: Tx, notice: NoticeToTell) => Promise<void>

/** The job that sends one message, and the way it goes. */
export const MESSAGE_JOBS = { mail: 'send-mail', push: 'send-push' } as const

export interface NotifyDeps {
  readonly clock: () => Date
  /** UUIDv7. */
  readonly newId: () => string
  /** Queues a job in the tx. */
  readonly enqueue: (tx: Tx, job: string, payload: { messageId: string }) => Promise<void>
  /** Whether there is anything to send mail, and to push, with. */
  readonly available: { readonly mail: boolean; readonly push: boolean }
}

interface Draft {
  readonly given: NoticeToTell
  readonly id: string
  readonly walletId: bigint
  readonly content: NoticeContent
  readonly dedupeKey: string
  readonly createdAt: Date
}

export function createNotify(deps: NotifyDeps): Notify {
  return async (tx, notice) => {
    const told = await storeNotices(tx, deps, [notice])
    const receiving = await walletsWithReceivers(tx, [notice.walletId])
    await tellReceivers(
      tx,
      deps,
      [...told.values()].filter(({ walletId }) => receiving.has(walletId)),
    )
  }
}

/**
 * Writes notices and queues them by mail and push, in the order in which they are given, with the same few statements
 * however many. @returns what the receivers of each are to be told; nothing for one that was told before
 */
export async function storeNotices(
  tx: Tx,
  deps: NotifyDeps,
  notices: readonly NoticeToTell[],
): Promise<ReadonlyMap<NoticeToTell, Telling>> {
  if (notices.length === 0) return new Map()
  const createdAt = deps.clock()
  const drafts = notices.map((notice) => draftOf(deps, notice, createdAt))
  const [, channelsFor] = await Promise.all([
    lockInboxes(
      tx,
      drafts.map(({ walletId }) => walletId),
    ),
    readChannels(
      tx,
      drafts.map(({ walletId }) => walletId),
    ),
  ])
  const wanted = drafts.map((draft) => {
    const channels = channelsFor(draft.walletId, draft.content.kind)
    return { ...draft, channels, inApp: channels.has('inApp') }
  })
  const fresh = await insertNotices(tx, wanted)
  const told = wanted.filter(({ id }) => fresh.has(id))
  await queueMessages(tx, deps, told)
  return new Map(told.map((draft) => [draft.given, tellingOf(draft)]))
}

/** Parsed so that what is stored is what readers know; a mistake in it is the teller's, and fails its tests. */
function draftOf({ newId }: NotifyDeps, given: NoticeToTell, createdAt: Date): Draft {
  const { walletId, kind, detail, dedupeKey } = given
  const id = newId()
  const content = { kind, detail: noticeDetails[kind].parse(detail) } as NoticeContent
  return { given, id, walletId, content, dedupeKey: dedupeKey ?? id, createdAt }
}

function tellingOf({ id, walletId, content, createdAt }: Draft): Telling {
  const data = { id, ...content, at: createdAt.toISOString(), read: false } as Notice
  return { walletId, at: createdAt, saying: { type: 'notice.created', data } }
}

async function queueMessages(
  tx: Tx,
  { available, enqueue, newId }: NotifyDeps,
  told: readonly (Draft & { readonly channels: ReadonlySet<NoticeChannel> })[],
): Promise<void> {
  const ways = NOTICE_CHANNELS.filter((channel) => channel !== 'inApp').filter((way) => available[way])
  const messages = told.flatMap(({ id, walletId, channels }) =>
    ways.filter((way) => channels.has(way)).map((way): NewMessage => ({ noticeId: id, walletId, way })),
  )
  const queued = await insertMessages(tx, messages, newId)
  // Sent together: they wait for no answer of one another.
  await Promise.all(queued.map(({ messageId, way }) => enqueue(tx, MESSAGE_JOBS[way], { messageId })))
}
