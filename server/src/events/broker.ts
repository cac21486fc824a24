import { setTimeout as sleep } from 'node:timers/promises'
import { Connection, type Channel } from 'rabbitmq-client'
import type { Log } from '#telemetry'
import { startLoop, type Loop } from './loop.ts'
import { withinTime } from './within-time.ts'

export interface Broker {
  /** Connected, and willing to take messages. */
  isUp(): boolean
  /** Throws at once when the broker is away. Whoever opens it closes it. */
  open(): Promise<Channel>
  /** Ends in any case within the grace. */
  close(graceSeconds: number): Promise<void>
}

/** Four missed beats end a connection over which nothing comes any more: 20 seconds. */
const HEARTBEAT_SECONDS = 10
const RECONNECT_MS_MIN = 200
const RECONNECT_MS_MAX = 5_000
const ANSWER_MS_MAX = 5_000

/** One connection to RabbitMQ, made anew for as long as it takes. */
export function connectBroker({ url, log }: { url: string; log: Log }): Broker {
  const connection = new Connection({
    url,
    heartbeat: HEARTBEAT_SECONDS,
    acquireTimeout: ANSWER_MS_MAX,
    connectionTimeout: ANSWER_MS_MAX,
    retryLow: RECONNECT_MS_MIN,
    retryHigh: RECONNECT_MS_MAX,
    connectionName: 'kantor-events',
  })
  // Emitted once per row of failures; the library tries again by itself. Its text may hold the broker's address only.
  connection.on('error', (error: unknown) => log.warn({ err: error }, 'the broker is away'))
  connection.on('connection', () => log.info({}, 'the broker is connected'))
  connection.on('connection.blocked', (reason) => log.warn({ reason }, 'the broker takes no messages'))
  connection.on('connection.unblocked', () => log.info({}, 'the broker takes messages again'))
  return {
    isUp: () => connection.ready,
    async open() {
      if (!connection.ready) throw new Error('the broker is away')
      const channel = await connection.acquire({ emitErrorsFromChannel: true })
      // What ends a channel is said where the channel is used; without a listener it would end the process.
      channel.on('error', (error: unknown) => log.debug({ err: error }, 'a channel to the broker failed'))
      return channel
    },
    async close(graceSeconds) {
      const closed = connection
        .close()
        .catch((error: unknown) => log.debug({ err: error }, 'not closed cleanly'))
      await Promise.race([closed, sleep(graceSeconds * 1000, undefined, { ref: false })])
      connection.unsafeDestroy()
    },
  }
}

/** A broker that has just started may take a question and leave it without an answer. */
export const SET_UP_MS_MAX = 5_000
const AWAY_MS = 200

/** Has a channel set up whenever the broker is there, and again after it was lost, until stopped. */
export function keepChannel(terms: {
  broker: Broker
  log: Log
  random: () => number
  /** For the log: `events cannot be received`. */
  failure: string
  setUp(channel: Channel): Promise<void>
  /** The channel is gone, and with it whatever was not acknowledged. */
  lost(): void
}): Loop {
  const { broker, log, random, failure, setUp, lost } = terms
  return startLoop({
    log,
    random,
    failure,
    async round(stopped) {
      if (!broker.isUp()) return AWAY_MS
      const channel = await withinTime(broker.open(), SET_UP_MS_MAX, 'the broker did not answer')
      try {
        const ended = endOf(channel, stopped)
        await withinTime(setUp(channel), SET_UP_MS_MAX, 'the broker did not answer')
        await ended
      } finally {
        lost()
        // Not waited for: a peer that has fallen silent would keep it.
        void channel.close()
      }
      return 0
    },
  })
}

/** Closed, cancelled because its queue was deleted, or no longer wanted. */
function endOf(channel: Channel, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    channel.once('close', () => resolve())
    channel.once('basic.cancel', () => resolve())
    stopped.addEventListener('abort', () => resolve(), { once: true })
  })
}
