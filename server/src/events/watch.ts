import type { JournalEvent } from '@kantor/contract/events'
import type { Database } from '#db'
import { heightOf, lastSeqOf } from '#ledger'
import type { Log } from '#telemetry'
import type { Channel } from 'rabbitmq-client'
import { keepChannel, type Broker } from './broker.ts'
import type { Head } from './head.ts'
import { startLoop, type Loop } from './loop.ts'
import { createMailbox, type Mailbox } from './mailbox.ts'
import { readMessage } from './message.ts'
import { createSource, type Stretch } from './source.ts'
import { declareExchanges, declareWatch, type Topology } from './topology.ts'

export interface WatchListener {
  /** In order, each once. Must be quick and must not throw; what it throws is logged. */
  event(event: JournalEvent): void
  /** Something was missed: catch up from the ledger by seq (`eventsAfter`). */
  gap(): void
}

export interface Watch {
  /** Somebody began to listen: from what is sealed and seen by now on. */
  begin(): void
  stop(): Promise<void>
}

export interface WatchDeps {
  readonly db: Database
  readonly log: Log
  readonly random: () => number
  readonly head: Head
  readonly delivery: { readonly broker: Broker; readonly topology: Topology } | null
  readonly listeners: ReadonlySet<WatchListener>
}

const EVENTS_PER_ROUND = 500
const IDLE_MS = 2_000
const PATIENCE_MS = 1_000
/** Further behind than this, after a pause of the process for example, listeners catch up for themselves. */
const BLOCKS_BEHIND_MAX = 1_000n

/** Tells the listeners of this process what the ledger seals; reads nothing while there are none. */
export function startWatch(deps: WatchDeps): Watch {
  const { head, delivery, listeners } = deps
  const mailbox = createMailbox()
  const source = createSource({
    ...deps,
    delivery: delivery === null ? null : { mailbox, isUp: delivery.broker.isUp },
    patienceMs: PATIENCE_MS,
  })
  const end = () => lastSeqOf(head.height())
  let position: bigint | null = null

  const round = async () => {
    if (listeners.size === 0) position = null
    if (position === null) return IDLE_MS
    if (head.height() - heightOf(position) > BLOCKS_BEHIND_MAX) {
      position = end()
      tell(deps, (listener) => listener.gap())
    }
    const stretch = await source.next(position, EVENTS_PER_ROUND)
    if (typeof stretch === 'number') return stretch
    tellAll(deps, stretch)
    position = stretch.upTo
    source.done(position)
    return 0
  }
  const loop = startLoop({ ...deps, failure: 'events cannot be read for who watches', round })
  head.onMove(loop.wake)
  let received: Loop | null = null
  const begin = () => {
    position ??= end()
    if (delivery === null) return
    // Not before somebody listens: a bound queue costs the broker, and makes everything routable.
    received ??= keepChannel({
      ...deps,
      broker: delivery.broker,
      failure: 'events cannot be received for who watches',
      setUp: (channel) => receive(channel, deps, delivery.topology, mailbox, loop.wake),
      lost: () => mailbox.reset(null),
    })
  }
  if (listeners.size > 0) begin()
  return {
    begin,
    stop: async () => {
      await Promise.all([loop.stop(), received?.stop()])
    },
  }
}

function tellAll(deps: WatchDeps, { items }: Stretch): void {
  for (const { event } of items) {
    tell(deps, (listener) => (event === null ? listener.gap() : listener.event(event)))
  }
}

function tell({ log, listeners }: WatchDeps, what: (listener: WatchListener) => void): void {
  for (const listener of listeners) {
    try {
      what(listener)
    } catch (error) {
      log.error({ err: error }, 'a listener to events failed')
    }
  }
}

async function receive(
  channel: Channel,
  { listeners }: WatchDeps,
  topology: Topology,
  mailbox: Mailbox,
  wake: () => void,
): Promise<void> {
  await declareExchanges(channel, topology)
  const queue = await declareWatch(channel, topology)
  await channel.basicQos({ prefetchCount: EVENTS_PER_ROUND })
  const acknowledge = (deliveryTag: number) => {
    if (channel.active) channel.basicAck({ deliveryTag, multiple: true })
  }
  mailbox.reset(acknowledge)
  await channel.basicConsume({ queue, exclusive: true }, (delivered) => {
    const message = listeners.size === 0 ? null : readMessage(delivered)
    if (message !== null) mailbox.put(message, delivered.deliveryTag)
    else if (mailbox.first() === null) acknowledge(delivered.deliveryTag)
    wake()
  })
}
