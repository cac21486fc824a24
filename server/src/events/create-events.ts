import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database, Queryable } from '#db'
import { headOf, heightOf, lastSeqOf } from '#ledger'
import type { Log, Metrics } from '#telemetry'
import { connectBroker, type Broker } from './broker.ts'
import { declareCursor, releaseCursors } from './cursors.ts'
import {
  discardDeadLetter,
  requestReplay,
  requestReplays,
  selectDeadLetters,
  type DeadLetter,
} from './dead-letters.ts'
import { startHead, type Head } from './head.ts'
import type { EventConsumer } from './handle-events.ts'
import type { Loop } from './loop.ts'
import { startRelay } from './relay.ts'
import { runConsumer } from './run-consumer.ts'
import { readStatus, RELAY, type EventsStatus } from './status.ts'
import { topologyOf } from './topology.ts'
import { startWatch, type Watch, type WatchListener } from './watch.ts'

export interface EventsDeps {
  readonly db: Database
  /** Null: events reach consumers and listeners through the database alone. */
  readonly amqpUrl: string | null
  readonly log: Log
  /** Between 0 and 1. */
  readonly random: () => number
  readonly metrics: Pick<Metrics, 'gauge'>
  /** Of everything that is kept on the broker. Default `kantor.events`. */
  readonly brokerPrefix?: string
}

export interface Events {
  /**
   * A durable consumer: every event from its first start on, in the ledger's order, to one process of all. `handle`
   * runs in a transaction that also records the event as seen: it may run twice, and takes effect on the database
   * once. Before `start`.
   */
  consume(consumer: EventConsumer): void
  /** What is sealed from now on, to this process, each event once and in order. @returns how to stop */
  watch(listener: WatchListener): () => void
  /** A process that only shows things to people (role api) starts neither the relay nor the consumers. */
  start(options: { relay: boolean; consumers: boolean }): Promise<void>
  /** Ends what runs; what takes longer than the grace is left to another process. May be called twice. */
  stop(graceSeconds?: number): Promise<void>
  status(q: Queryable): Promise<EventsStatus>
  /** Newest first, at most 100. */
  deadLetters(q: Queryable): Promise<DeadLetter[]>
  /** Has it handled once more, within seconds, by whichever process runs the consumer. False when there is none. */
  replay(q: Queryable, deadLetterId: string): Promise<boolean>
  /** All of a consumer's, oldest first. @returns how many */
  replayAll(q: Queryable, consumer: string): Promise<number>
  /** For good. False when there is none. */
  discard(q: Queryable, deadLetterId: string): Promise<boolean>
}

interface Running {
  readonly head: Head
  readonly watch: Watch
  readonly loops: readonly Loop[]
  readonly broker: Broker | null
}

const GRACE_SECONDS = 10
const BROKER_GRACE_SECONDS = 2
const PREFIX = 'kantor.events'

export function createEvents(deps: EventsDeps): Events {
  const { db, amqpUrl } = deps
  const topology = topologyOf(deps.brokerPrefix ?? PREFIX)
  // Of this process: whoever bears it holds the cursors.
  const holder = randomUUID()
  const consumers = new Map<string, EventConsumer>()
  const listeners = new Set<WatchListener>()
  const progress = new Map<string, bigint>()
  let running: Running | null = null

  showProgress(deps.metrics, progress, () => running?.head.height() ?? 0n)
  return {
    consume(consumer) {
      if (running !== null) throw new Error('events have started already')
      if (consumer.name === RELAY || consumers.has(consumer.name))
        throw new Error(`two consumers of events are called ${consumer.name}`)
      consumers.set(consumer.name, consumer)
    },
    watch(listener) {
      listeners.add(listener)
      running?.watch.begin()
      return () => void listeners.delete(listener)
    },
    async start(options) {
      if (running !== null) throw new Error('events have started already')
      const names = [...consumers.keys()]
      const seen = await declareCursors(db, amqpUrl === null ? names : [...names, RELAY])
      const head = startHead(deps, seen)
      const broker = amqpUrl === null ? null : connectBroker({ url: amqpUrl, log: deps.log })
      const delivery = broker === null ? null : { broker, topology }
      const shared = { ...deps, head, delivery, holder, progress, listeners }
      const watch = startWatch(shared)
      const loops = options.consumers
        ? [...consumers.values()].flatMap((consumer) => runConsumer(shared, consumer))
        : []
      if (options.relay && delivery !== null)
        loops.push(startRelay({ ...shared, ...delivery, consumers: names }))
      running = { head, watch, loops, broker }
    },
    async stop(graceSeconds = GRACE_SECONDS) {
      if (running === null) return
      const { head, watch, loops, broker } = running
      running = null
      progress.clear()
      const ended = Promise.all([head, watch, ...loops].map((part) => part.stop()))
      await Promise.race([ended, sleep(graceSeconds * 1000, undefined, { ref: false })])
      await broker?.close(BROKER_GRACE_SECONDS)
      await releaseCursors(db, holder).catch((error: unknown) =>
        deps.log.warn({ err: error }, 'the cursors of events are left to their leases'),
      )
    },
    status: (q) => readStatus(q, [...consumers.keys()], amqpUrl !== null),
    deadLetters: selectDeadLetters,
    replay: requestReplay,
    replayAll: requestReplays,
    discard: discardDeadLetter,
  }
}

/** A first start is the beginning: nobody is told today what happened before. @returns the height of the ledger */
async function declareCursors(db: Database, names: readonly string[]): Promise<bigint> {
  const { height } = await headOf(db)
  for (const name of names) await declareCursor(db, name, lastSeqOf(height))
  return height
}

function showProgress(
  metrics: Pick<Metrics, 'gauge'>,
  progress: ReadonlyMap<string, bigint>,
  height: () => bigint,
): void {
  const behind = (seq: bigint) => Number(height() - heightOf(seq))
  metrics.gauge(
    'kantor_events_relay_blocks_behind',
    'Blocks that are sealed and not yet published to the broker; 0 where another process publishes them.',
    () => Math.max(0, ...[...progress].filter(([name]) => name === RELAY).map(([, seq]) => behind(seq))),
  )
  metrics.gauge(
    'kantor_events_consumer_blocks_behind',
    'Blocks that the slowest consumer in this process has not handled yet.',
    () => Math.max(0, ...[...progress].filter(([name]) => name !== RELAY).map(([, seq]) => behind(seq))),
  )
}
