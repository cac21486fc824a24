import type { Order } from '@kantor/contract/api'
import type { JournalEvent } from '@kantor/contract/events'
import type { EventStream } from '#http'
import { createReread } from './reread.ts'
import { frameOf, operationsOf, type ToldOperation } from './stream-frames.ts'
import { positionText, type StreamPosition } from './stream-position.ts'
import type { PlacedNotice } from './read-notices.ts'

/** What a client is told from when it was not told live. Each reads the database, a bounded number at a time. */
export interface StreamReads {
  /** One wallet's events behind this seq, oldest first. */
  eventsAfter(walletId: bigint, seq: bigint, limit: number): Promise<readonly JournalEvent[]>
  noticesAfter(walletId: bigint, position: bigint, limit: number): Promise<readonly PlacedNotice[]>
  /** The end of the ledger and of the wallet's notices. */
  newest(walletId: bigint): Promise<StreamPosition>
  /** Null for an order that the wallet does not have. */
  orderOf(walletId: bigint, orderId: string): Promise<Order | null>
}

export interface StreamClientOptions {
  readonly walletId: bigint
  readonly stream: EventStream
  readonly position: StreamPosition
  readonly reads: StreamReads
  /** Called when it cannot be told what it missed; its stream is ended then. */
  readonly failed: (error: unknown) => void
}

/** One client and how far it has been told. Whatever it is told comes through here, in order. */
export interface StreamClient {
  readonly stream: EventStream
  readonly position: StreamPosition
  /** Something that is sealed just now. */
  offer(operation: ToldOperation): void
  /** Tells what the ledger has behind the client's position. */
  catchUp(): void
  /** Tells what notices there are behind it. */
  catchUpNotices(): void
}

const PAGE = 100
/** More than this and the client does better to read everything anew. */
const PAGES_MAX = 10

export function createStreamClient(options: StreamClientOptions): StreamClient {
  const { walletId, stream, reads } = options
  let position = options.position

  const moveTo = (next: Partial<StreamPosition>) => (position = { ...position, ...next })
  const tell = (operation: ToldOperation, order = '') => {
    // Told live and read as well, or read twice.
    if (operation.seq <= position.seq) return
    moveTo({ seq: operation.seq })
    stream.write(order + operation.frames(positionText(position)))
  }
  const orderFrame = async (orderId: string | null): Promise<string> => {
    const order = orderId === null ? null : await reads.orderOf(walletId, orderId)
    return order === null ? '' : frameOf('order', order)
  }
  const tellEvents = async (): Promise<boolean> => {
    const events = await reads.eventsAfter(walletId, position.seq, PAGE)
    for (const operation of events.flatMap((event) => operationsOf(event, walletId))) {
      tell(operation, await orderFrame(operation.orderId))
      if (stream.isBehind) await stream.taken()
    }
    return events.length === PAGE
  }
  const tellNotices = async (): Promise<boolean> => {
    const notices = await reads.noticesAfter(walletId, position.notice, PAGE)
    for (const { position: place, notice } of notices) {
      if (place <= position.notice) continue
      moveTo({ notice: place })
      stream.write(frameOf('notice', notice, positionText(position)))
      if (stream.isBehind) await stream.taken()
    }
    return notices.length === PAGE
  }
  const inPages = (tellPage: () => Promise<boolean>) => {
    let pages = 0
    return async (): Promise<boolean> => {
      await stream.taken()
      if (stream.ended !== null) return false
      const more = await tellPage()
      pages = more ? pages + 1 : 0
      if (pages < PAGES_MAX) return more
      pages = 0
      moveTo(await reads.newest(walletId))
      stream.write(frameOf('reset', { reason: 'too_much' }, positionText(position)))
      return false
    }
  }
  const events = createReread({ read: inPages(tellEvents), failed: options.failed })
  const notices = createReread({ read: inPages(tellNotices), failed: options.failed })
  return {
    stream,
    get position() {
      return position
    },
    offer: (operation) => {
      // While it reads or has not taken what it was told, and where an order's state has to be read, the ledger tells
      // it: one source at a time keeps the order, and nothing is kept for later.
      if (events.busy || stream.isBehind || operation.orderId !== null) events.wake()
      else tell(operation)
    },
    catchUp: events.wake,
    catchUpNotices: notices.wake,
  }
}
