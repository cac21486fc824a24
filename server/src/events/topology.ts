import type { Channel } from 'rabbitmq-client'

/** What Kantor keeps on the broker, all of it named by one prefix. It is declared by whoever needs it. */
export interface Topology {
  readonly exchange: string
  readonly deadExchange: string
  queueOf(consumer: string): string
  deadQueueOf(consumer: string): string
}

export function topologyOf(prefix: string): Topology {
  return {
    exchange: prefix,
    deadExchange: `${prefix}.dead`,
    queueOf: (consumer) => `${prefix}.${consumer}`,
    deadQueueOf: (consumer) => `${prefix}.${consumer}.dead`,
  }
}

/** Given back this often, by processes that ended, it is no longer offered: a consumer finds it in the ledger. */
const DELIVERIES_MAX = 20
/** Past this the oldest go: what a consumer does not find in its queue it reads from the ledger. */
const QUEUE_MESSAGES_MAX = 100_000
const DEAD_MESSAGES_MAX = 10_000
/** Of one listening process that does not keep up; it then hears of a gap. */
const WATCH_MESSAGES_MAX = 10_000

export async function declareExchanges(
  channel: Channel,
  { exchange, deadExchange }: Topology,
): Promise<void> {
  await channel.exchangeDeclare({ exchange, type: 'topic', durable: true })
  await channel.exchangeDeclare({ exchange: deadExchange, type: 'direct', durable: true })
}

/** One process at a time is given a consumer's messages, so that they stay in order. */
export async function declareConsumer(channel: Channel, topology: Topology, consumer: string): Promise<void> {
  const [queue, dead] = [topology.queueOf(consumer), topology.deadQueueOf(consumer)]
  await channel.queueDeclare({
    queue,
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-single-active-consumer': true,
      'x-delivery-limit': DELIVERIES_MAX,
      'x-max-length': QUEUE_MESSAGES_MAX,
      'x-overflow': 'drop-head',
      'x-dead-letter-exchange': topology.deadExchange,
      'x-dead-letter-routing-key': consumer,
    },
  })
  await channel.queueDeclare({
    queue: dead,
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-single-active-consumer': true,
      'x-max-length': DEAD_MESSAGES_MAX,
      'x-overflow': 'drop-head',
    },
  })
  await channel.queueBind({ queue, exchange: topology.exchange, routingKey: 'journal.#' })
  await channel.queueBind({ queue: dead, exchange: topology.deadExchange, routingKey: consumer })
}

/** Of this connection alone, and gone with it. @returns the queue's name */
export async function declareWatch(channel: Channel, { exchange }: Topology): Promise<string> {
  const { queue } = await channel.queueDeclare({
    queue: '',
    exclusive: true,
    autoDelete: true,
    arguments: { 'x-max-length': WATCH_MESSAGES_MAX, 'x-overflow': 'drop-head' },
  })
  await channel.queueBind({ queue, exchange, routingKey: 'journal.#' })
  return queue
}
