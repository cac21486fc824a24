import type { Log } from '#telemetry'
import type { Channel } from 'rabbitmq-client'
import { keepChannel, type Broker } from './broker.ts'
import { collectDead } from './collect-dead.ts'
import { readCursor } from './cursors.ts'
import { handleAlone, handleTogether } from './handle-events.ts'
import type { Batch, EventConsumer, Handled, HandlingDeps } from './handle-events.ts'
import type { Head } from './head.ts'
import { startLoop, type Loop } from './loop.ts'
import { createMailbox, type Mailbox } from './mailbox.ts'
import { readMessage } from './message.ts'
import { replayOne } from './replay.ts'
import { createSource } from './source.ts'
import { declareConsumer, declareExchanges, type Topology } from './topology.ts'

export interface ConsumerDeps extends HandlingDeps {
  readonly log: Log
  readonly random: () => number
  readonly head: Head
  readonly delivery: { readonly broker: Broker; readonly topology: Topology } | null
  /** Where each consumer that is run by this process stands, for its gauge. */
  readonly progress: Map<string, bigint>
}

/** In one transaction: long enough to share its commit, short enough not to hold a handler's locks for long. */
const EVENTS_PER_BATCH = 100
const PREFETCH = 2 * EVENTS_PER_BATCH
const PATIENCE_MS = 2_000
const REPLAY_LOOK_MS = 1_000
/** How often a process looks whether another one still does the work. */
const HELD_MS = 1_000
const HELD_DELIVERED_MS = 100

/** Handles what the consumer has not seen yet, whenever no other process does. */
export function runConsumer(deps: ConsumerDeps, consumer: EventConsumer): readonly Loop[] {
  const { delivery, head, log, random } = deps
  const mailbox = createMailbox()
  const loop = startLoop({
    log,
    random,
    failure: `${consumer.name} could not handle its events`,
    round: follow(deps, consumer, mailbox),
  })
  head.onMove(loop.wake)
  if (delivery === null) return [loop]
  const received = keepChannel({
    ...deps,
    broker: delivery.broker,
    failure: `${consumer.name} could not receive its events`,
    setUp: (channel) => receive(channel, delivery.topology, consumer.name, mailbox, loop.wake),
    lost: () => mailbox.reset(null),
  })
  return [loop, received, collectDead({ ...deps, ...delivery }, consumer.name)]
}

function follow(
  deps: ConsumerDeps,
  consumer: EventConsumer,
  mailbox: Mailbox,
): (stopped: AbortSignal) => Promise<number> {
  const { db, delivery, holder, progress } = deps
  const source = createSource({
    ...deps,
    delivery: delivery === null ? null : { mailbox, isUp: delivery.broker.isUp },
    patienceMs: PATIENCE_MS,
  })
  let position: bigint | null = null
  // Whoever comes new to a cursor cannot know what ended its predecessor.
  let isCareful = true
  let replaysLookedForAt = -Infinity

  const findPosition = async (): Promise<bigint | null> => {
    const cursor = await readCursor(db, consumer.name, holder)
    if (cursor.heldElsewhere && mailbox.first() === null) return null
    isCareful = true
    return cursor.seq
  }
  const handle = (batch: Batch, stopped: AbortSignal): Promise<Handled> =>
    isCareful ? handleAlone(deps, consumer, batch, stopped) : handleTogether(deps, consumer, batch)

  return async (stopped) => {
    if (performance.now() - replaysLookedForAt > REPLAY_LOOK_MS) {
      // Of a row of them, the next one need not wait.
      if (!(await replayOne(deps, consumer))) replaysLookedForAt = performance.now()
    }
    position ??= await findPosition()
    if (position === null) progress.delete(consumer.name)
    else progress.set(consumer.name, position)
    if (position === null) return HELD_MS
    const after = position
    const stretch = await source.next(after, EVENTS_PER_BATCH)
    if (typeof stretch === 'number') return stretch
    // Not known again until it is certain: a failure may have left it anywhere.
    position = null
    const handled = await handle({ ...stretch, after, takes: stretch.isOurs }, stopped)
    if (handled === 'held') return stretch.isOurs ? HELD_DELIVERED_MS : HELD_MS
    if (handled !== 'done') return 0
    isCareful = false
    position = stretch.upTo
    source.done(position)
    return 0
  }
}

async function receive(
  channel: Channel,
  topology: Topology,
  name: string,
  mailbox: Mailbox,
  wake: () => void,
): Promise<void> {
  await declareExchanges(channel, topology)
  await declareConsumer(channel, topology, name)
  await channel.basicQos({ prefetchCount: PREFETCH })
  mailbox.reset((deliveryTag) => {
    if (channel.active) channel.basicAck({ deliveryTag, multiple: true })
  })
  await channel.basicConsume({ queue: topology.queueOf(name) }, (delivered) => {
    const { deliveryTag } = delivered
    const message = readMessage(delivered)
    if (message !== null) mailbox.put(message, deliveryTag)
    else if (channel.active) channel.basicNack({ deliveryTag, requeue: false })
    wake()
  })
}
