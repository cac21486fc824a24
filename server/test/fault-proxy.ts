import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'

/** What is done to the connection that sends the awaited bytes. */
export type Fault =
  /** The server gets them, and its answer is lost: it did what was asked, and the client cannot know. */
  | 'reply-lost'
  /** The same, and nobody gets through afterwards: the client cannot ask either. */
  | 'reply-lost-then-away'
  /** The server never gets them. */
  | 'request-lost'
  /** The server never gets them, and the client hears nothing, not even an end. */
  | 'silence'

export interface FaultProxy {
  url: string
  /** The next `times` connections that send `bytes` suffer `fault`. */
  arm(bytes: string, fault: Fault, times?: number): void
  /** From now on nobody gets through. */
  away(): void
  back(): void
  close(): Promise<void>
}

const PORTS: Readonly<Record<string, number>> = { 'postgres:': 5432, 'postgresql:': 5432, 'amqp:': 5672 }

/** A TCP proxy before PostgreSQL or RabbitMQ that breaks connections where it hurts. */
export async function faultProxy(serverUrl: string): Promise<FaultProxy> {
  const target = new URL(serverUrl)
  const port = Number(target.port) || PORTS[target.protocol]
  if (port === undefined) throw new Error(`a proxy for ${target.protocol} needs a port`)
  let armed: { bytes: string; fault: Fault; left: number } | null = null
  let isAway = false
  const sockets = new Set<Socket>()
  const goAway = () => {
    isAway = true
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((client) => {
    if (isAway) return client.destroy()
    const upstream = connect(port, target.hostname)
    let isSilent = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
    const cut = () => {
      client.destroy()
      upstream.destroy()
    }
    client.on('data', (chunk) => {
      const fault = armed !== null && armed.left > 0 && chunk.includes(armed.bytes) ? armed.fault : null
      if (fault === null || armed === null) return void (isSilent || upstream.write(chunk))
      armed.left -= 1
      isSilent = true
      if (fault === 'request-lost') return cut()
      if (fault === 'silence') return
      // The answer shows that it was done; then the client loses the connection instead of getting it.
      upstream.write(chunk)
      upstream.once('data', () => setTimeout(fault === 'reply-lost' ? cut : goAway, 20))
    })
    upstream.on('data', (chunk) => isSilent || client.write(chunk))
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(serverUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    arm: (bytes, fault, times = 1) => (armed = { bytes, fault, left: times }),
    away: goAway,
    back: () => (isAway = false),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
