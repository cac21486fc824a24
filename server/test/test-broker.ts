import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Connection, type AsyncMessage } from 'rabbitmq-client'
import { afterwards } from './afterwards.ts'

const MACHINES_OWN = 'amqp://guest:guest@127.0.0.1:5672'
const PROBE_MS = 1_000

/** The RabbitMQ that is named, else the machine's own if there is one; null: what needs one cannot run. */
export async function brokerUrl(): Promise<string | null> {
  const given = process.env['AMQP_URL']
  if (given !== undefined && given !== '') return withPort(given)
  const { hostname, port } = new URL(MACHINES_OWN)
  const socket = connect({ host: hostname, port: Number(port), signal: AbortSignal.timeout(PROBE_MS) })
  try {
    await once(socket, 'connect')
    return MACHINES_OWN
  } catch {
    return null
  } finally {
    socket.destroy()
  }
}

/** The fault proxy, which knows no protocol, needs it said. */
function withPort(text: string): string {
  const url = new URL(text)
  if (url.port === '') url.port = url.protocol === 'amqps:' ? '5671' : '5672'
  return url.href
}

export interface TestBroker {
  /** Of this test's own, so that tests can share a broker. */
  readonly prefix: string
  readonly connection: Connection
  /** What is published from now on, by seq, in order, however often. */
  observe(): Promise<{ seqs: string[]; messages: AsyncMessage[] }>
}

/** Everything on the broker under a new prefix, removed afterwards. */
export function testBroker(url: string, consumers: readonly string[]): TestBroker {
  const prefix = `kantor.test.${Date.now()}.${randomBytes(4).toString('hex')}`
  const connection = new Connection({ url })
  connection.on('error', (error: unknown) => console.warn(error))
  afterwards(async () => {
    const queues = consumers.flatMap((name) => [`${prefix}.${name}`, `${prefix}.${name}.dead`])
    for (const queue of queues) await connection.queueDelete({ queue })
    for (const exchange of [prefix, `${prefix}.dead`]) await connection.exchangeDelete({ exchange })
    await connection.close()
  })
  return {
    prefix,
    connection,
    async observe() {
      const seen: { seqs: string[]; messages: AsyncMessage[] } = { seqs: [], messages: [] }
      const channel = await connection.acquire()
      afterwards(() => channel.close())
      await channel.exchangeDeclare({ exchange: prefix, type: 'topic', durable: true })
      const { queue } = await channel.queueDeclare({ queue: '', exclusive: true })
      await channel.queueBind({ queue, exchange: prefix, routingKey: 'journal.#' })
      await channel.basicConsume({ queue, noAck: true }, (message) => {
        seen.seqs.push(String(message.headers?.['seq']))
        seen.messages.push(message)
      })
      return seen
    },
  }
}
