import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from 'rabbitmq-client'
import { z } from 'zod'
import type { Queryable } from '#db'
import { EVENTS_DUE } from './judge-events.ts'

/** A queue of the drill's own beside those of the consumers: what the relay publishes, whoever it is at the time. */
export interface BrokerWatch {
  /** Deliveries so far, repetitions too. */
  count(): number
  /** I7: nothing new came before something older of its wallet; in the end all has come. */
  judge(q: Queryable): Promise<string[]>
  close(): Promise<void>
}

const message = z.object({ seq: z.string(), parties: z.array(z.object({ walletId: z.string() })) })
const ALL_WITHIN_MS = 240_000
const LOOK_EVERY_MS = 250

export async function watchBroker(url: string, exchange: string): Promise<BrokerWatch> {
  const seen = new Set<bigint>()
  const newestOf = new Map<string, bigint>()
  const wrong: string[] = []
  let count = 0
  const take = (body: unknown) => {
    const { seq: text, parties } = message.parse(JSON.parse(String(body)))
    const seq = BigInt(text)
    count += 1
    // At least once: what was published before may come again, and then in any company.
    if (seen.has(seq)) return
    seen.add(seq)
    for (const { walletId } of parties) {
      if (seq < (newestOf.get(walletId) ?? 0n)) wrong.push(`I7 event ${seq} came late to wallet ${walletId}`)
      newestOf.set(walletId, seq)
    }
  }
  const connection = new Connection({ url })
  connection.on('error', (error: unknown) => wrong.push(`the drill lost the broker: ${String(error)}`))
  const channel = await connection.acquire()
  await channel.exchangeDeclare({ exchange, type: 'topic', durable: true })
  const { queue } = await channel.queueDeclare({ queue: '', exclusive: true })
  await channel.queueBind({ queue, exchange, routingKey: '#' })
  await channel.basicConsume({ queue, noAck: true }, ({ body }) => take(body))
  return {
    count: () => count,
    judge: async (q) => [...wrong, ...(await missing(q, seen))],
    close: async () => {
      await channel.close()
      await connection.close()
    },
  }
}

async function missing(q: Queryable, seen: ReadonlySet<bigint>): Promise<string[]> {
  const { rows } = await q.query<{ seq: bigint }>(EVENTS_DUE)
  const deadline = Date.now() + ALL_WITHIN_MS
  for (;;) {
    const left = rows.filter(({ seq }) => !seen.has(seq))
    if (left.length === 0) return []
    if (Date.now() > deadline)
      return left
        .slice(0, 5)
        .map(({ seq }) => `I7 event ${seq} never came to the broker (${left.length} missing)`)
    await sleep(LOOK_EVERY_MS)
  }
}
