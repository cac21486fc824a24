import type { Database } from '#db'
import { lastSeqOf } from '#ledger'
import type { Log } from '#telemetry'
import type { Channel } from 'rabbitmq-client'
import { SET_UP_MS_MAX, type Broker } from './broker.ts'
import { advanceCursor, claimCursor, readCursor } from './cursors.ts'
import type { Head } from './head.ts'
import { startLoop, type Loop } from './loop.ts'
import { bodyOf, envelopeOf } from './message.ts'
import { readSlice, type Slice } from './read-events.ts'
import { RELAY } from './status.ts'
import { declareConsumer, declareExchanges, type Topology } from './topology.ts'
import { withinTime } from './within-time.ts'

export interface RelayDeps {
  readonly db: Database
  readonly log: Log
  readonly random: () => number
  readonly head: Head
  readonly broker: Broker
  readonly topology: Topology
  readonly holder: string
  /** Their queues exist before anything is published, so that nothing passes them by. */
  readonly consumers: readonly string[]
  /** Where the relay stands, for its gauge; absent while another process has it. */
  readonly progress: Map<string, bigint>
}

/** Longer than a slice may take to be confirmed, so that two processes do not publish the same one in turn. */
const LEASE_SECONDS = 15
const CONFIRM_MS_MAX = 8_000
const IDLE_MS = 2_000
const HELD_MS = 1_000
const AWAY_MS = 200

/**
 * Publishes the ledger block by block, one process of all. The cursor moves when the broker has confirmed a whole slice:
 * whoever dies in between leaves it to be published again.
 */
export function startRelay(deps: RelayDeps): Loop {
  const { db, broker, head, holder, progress } = deps
  const publisher = createPublisher(deps)
  let position: bigint | null = null
  const claim = () =>
    db.transaction((tx) =>
      claimCursor(tx, { name: RELAY, holder, takes: false, leaseSeconds: LEASE_SECONDS }),
    )

  const round = async () => {
    if (position === null) {
      const cursor = await readCursor(db, RELAY, holder)
      progress.delete(RELAY)
      if (cursor.heldElsewhere) return HELD_MS
      position = cursor.seq
    }
    progress.set(RELAY, position)
    if (position >= lastSeqOf(head.height())) return IDLE_MS
    if (!broker.isUp()) return AWAY_MS
    const after = position
    const slice = await readSlice(db, after)
    if (slice === null) return IDLE_MS
    position = null
    if ((await claim()) !== after) return 0
    await publisher.publish(slice, after)
    if (await advance(db, holder, after, slice.upTo)) position = slice.upTo
    return 0
  }
  const loop = startLoop({ ...deps, failure: 'events cannot be relayed', round })
  head.onMove(loop.wake)
  return {
    wake: loop.wake,
    stop: async () => {
      await loop.stop()
      publisher.close()
    },
  }
}

/** False when another process has taken over, and moved it or not. */
function advance(db: Database, holder: string, from: bigint, to: bigint): Promise<boolean> {
  return db.transaction(async (tx) => {
    const seq = await claimCursor(tx, { name: RELAY, holder, takes: false, leaseSeconds: LEASE_SECONDS })
    if (seq !== from) return false
    await advanceCursor(tx, RELAY, to)
    return true
  })
}

interface Publisher {
  /** Resolves when the broker has each of them in its queues. */
  publish(slice: Slice, after: bigint): Promise<void>
  close(): void
}

function createPublisher({ broker, topology, consumers, log }: RelayDeps): Publisher {
  let channel: Channel | null = null
  let opening: Channel | null = null
  // The last event of the slice that ended at `upTo`: its successor names it, so that a consumer misses nothing unseen.
  let last: { seq: bigint; upTo: bigint } | null = null
  let returned = 0

  const open = async (): Promise<Channel> => {
    if (channel?.active === true) return channel
    const opened = await broker.open()
    opening = opened
    opened.on('basic.return', () => (returned += 1))
    await declareExchanges(opened, topology)
    for (const consumer of consumers) await declareConsumer(opened, topology, consumer)
    await opened.confirmSelect()
    // Not before: what is published over a channel that does not confirm is not known to have arrived.
    channel = opened
    opening = null
    return opened
  }
  const close = () => {
    // Not waited for: a broker that has fallen silent would keep it.
    void channel?.close()
    void opening?.close()
    channel = null
    opening = null
    last = null
  }
  const send = async (to: Channel, slice: Slice, after: bigint): Promise<void> => {
    returned = 0
    let previous = last?.upTo === after ? last.seq : after
    const sent = slice.events.map((event) => {
      const envelope = envelopeOf(event, previous, topology.exchange)
      previous = BigInt(event.seq)
      // Without any consumer there is nobody to whom it could be lost.
      return to.basicPublish({ ...envelope, mandatory: consumers.length > 0 }, bodyOf(event))
    })
    const outcomes = await withinTime(Promise.allSettled(sent), CONFIRM_MS_MAX, 'the broker did not confirm')
    const refused = outcomes.find((outcome) => outcome.status === 'rejected')
    if (refused !== undefined)
      throw new Error('the broker did not take every event', { cause: refused.reason })
    // A return comes before its confirm, and is told a turn of the event loop later (rabbitmq-client 5.0).
    await new Promise(setImmediate)
    if (returned > 0) throw new Error(`${returned} events could not be routed to any queue`)
    last = { seq: previous, upTo: slice.upTo }
  }
  return {
    async publish(slice, after) {
      if (slice.events.length === 0) {
        if (last?.upTo === after) last = { ...last, upTo: slice.upTo }
        return
      }
      try {
        const to = await withinTime(open(), SET_UP_MS_MAX, 'the broker did not answer')
        await send(to, slice, after)
      } catch (error) {
        log.debug({ err: error }, 'a slice is published again')
        close()
        throw error
      }
    },
    close,
  }
}
