import type { Queryable } from '#db'
import { heightOf, lastSeqOf } from '#ledger'
import type { Log } from '#telemetry'
import type { Head } from './head.ts'
import type { Item } from './handle-events.ts'
import type { Mailbox } from './mailbox.ts'
import { readSlice } from './read-events.ts'

/** What comes next in the stream. */
export interface Stretch {
  readonly items: readonly Item[]
  /** Everything up to this seq is in it. */
  readonly upTo: bigint
  /** The broker gives the stream to this process, and so to no other. */
  readonly isOurs: boolean
}

export interface Source {
  /** Behind this seq, in order and without gaps; else how long to wait, in milliseconds. */
  next(after: bigint, limit: number): Promise<Stretch | number>
  /** Done: what was delivered of it is acknowledged. */
  done(upTo: bigint): void
}

export interface SourceDeps {
  readonly db: Queryable
  readonly log: Log
  readonly head: Head
  /** Null without a broker. */
  readonly delivery: { readonly mailbox: Mailbox; isUp(): boolean } | null
  /** How long a broker that is there may deliver nothing, while the ledger goes on, until the ledger itself is read. */
  readonly patienceMs: number
}

/** When the head moves, whoever waits is woken. */
const IDLE_MS = 1_000

/**
 * The ledger as it is delivered by the broker; and read from the ledger itself where the broker is silent or has lost
 * something. So the broker may repeat, reorder, drop or die: what comes out is in order and without gaps.
 */
export function createSource({ db, log, head, delivery, patienceMs }: SourceDeps): Source {
  const readLedger = createLedgerReader(db)
  let caughtUpAt = performance.now()

  /** 0: it is over. */
  const patienceLeft = () => {
    if (delivery === null || !delivery.isUp()) return 0
    return Math.max(0, Math.max(delivery.mailbox.filledAt(), caughtUpAt) + patienceMs - performance.now())
  }
  return {
    async next(after, limit) {
      const delivered = delivery && (await nextDelivered({ head, log }, delivery.mailbox, after, limit))
      if (delivered === 'gap') return (await readLedger(after, limit, true)) ?? IDLE_MS
      if (delivered !== null) return delivered
      if (after >= lastSeqOf(head.height())) {
        caughtUpAt = performance.now()
        return IDLE_MS
      }
      return patienceLeft() || ((await readLedger(after, limit, false)) ?? IDLE_MS)
    },
    done: (upTo) => delivery?.mailbox.doneUpTo(upTo),
  }
}

/** Reads a slice at a time and deals it out in stretches. */
function createLedgerReader(db: Queryable) {
  let ahead: { after: bigint; items: readonly Item[]; upTo: bigint } | null = null
  return async (after: bigint, limit: number, isOurs: boolean): Promise<Stretch | null> => {
    if (ahead?.after !== after) {
      const slice = await readSlice(db, after)
      if (slice === null) return null
      const items = slice.events.map((event) => ({ seq: BigInt(event.seq), event }))
      ahead = { after, upTo: slice.upTo, items }
    }
    const items = ahead.items.slice(0, limit)
    const rest = ahead.items.slice(items.length)
    const upTo = rest.length === 0 ? ahead.upTo : (items.at(-1)?.seq ?? ahead.upTo)
    ahead = rest.length === 0 ? null : { after: upTo, items: rest, upTo: ahead.upTo }
    return { items, upTo, isOurs }
  }
}

/** Null: nothing is there. `gap`: something is, and what comes before it is missing. */
async function nextDelivered(
  { head, log }: Pick<SourceDeps, 'head' | 'log'>,
  mailbox: Mailbox,
  after: bigint,
  limit: number,
): Promise<Stretch | 'gap' | null> {
  mailbox.doneUpTo(after)
  for (let first = mailbox.first(); first !== null; first = mailbox.first()) {
    const isGap = first.after > after
    const items = isGap ? [first] : mailbox.row(limit)
    const upTo = items.at(-1)?.seq ?? first.seq
    if (await head.hasBlock(heightOf(upTo))) return isGap ? 'gap' : { items, upTo, isOurs: true }
    // Of a ledger that was set back to a backup, while the broker was not.
    log.error({ seq: String(upTo) }, 'the broker delivered an event that is not in the ledger; it is dropped')
    mailbox.doneUpTo(upTo)
  }
  return null
}
