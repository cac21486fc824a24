import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '#db'
import type { Log } from '#telemetry'
import type { AsyncMessage, Channel } from 'rabbitmq-client'
import { keepChannel, type Broker } from './broker.ts'
import { buryStranger } from './dead-letters.ts'
import type { Loop } from './loop.ts'
import { readMessage, textOf } from './message.ts'
import { declareConsumer, declareExchanges, type Topology } from './topology.ts'

export interface CollectingDeps {
  readonly db: Database
  readonly log: Log
  readonly random: () => number
  readonly broker: Broker
  readonly topology: Topology
}

const PREFETCH = 10
const RETRY_MS = 2_000

/**
 * Empties a consumer's dead-letter queue. What is no event of ours is kept where an operator sees it. An event that the
 * broker gave up (given back too often, or pushed out of a full queue) is let go: its consumer misses it in the row and
 * reads it from the ledger, in its place.
 */
export function collectDead(deps: CollectingDeps, consumer: string): Loop {
  return keepChannel({
    ...deps,
    failure: `the dead letters of ${consumer} cannot be collected`,
    async setUp(channel) {
      await declareExchanges(channel, deps.topology)
      await declareConsumer(channel, deps.topology, consumer)
      await channel.basicQos({ prefetchCount: PREFETCH })
      await channel.basicConsume({ queue: deps.topology.deadQueueOf(consumer) }, (message) => {
        void collect(deps, channel, consumer, message)
      })
    },
    lost: () => {},
  })
}

async function collect(
  { db, log }: CollectingDeps,
  channel: Channel,
  consumer: string,
  message: AsyncMessage,
): Promise<void> {
  try {
    if (readMessage(message) === null) {
      const isKept = await buryStranger(db, consumer, textOf(message.body))
      log.error({ consumer, isKept }, 'a message that is no event of ours came over the broker')
    }
    if (channel.active) channel.basicAck({ deliveryTag: message.deliveryTag })
  } catch (error) {
    log.warn({ err: error, consumer }, 'a dead letter could not be kept; tried again')
    await sleep(RETRY_MS, undefined, { ref: false })
    if (channel.active) channel.basicNack({ deliveryTag: message.deliveryTag, requeue: true })
  }
}
