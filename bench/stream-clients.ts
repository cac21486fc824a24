import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** Clients of the live stream on raw sockets, so that they take as little of the shared cores as they can. */
export interface StreamClients {
  /** Milliseconds from when each operation was recorded to when its frame was here, since the last reset. */
  readonly delays: number[]
  /** Connections that ended, which none should. */
  lost: number
  /** One stream for each API key, a hundred at a time. */
  open(keys: readonly string[]): Promise<void>
  close(): void
}

const OPENED_AT_ONCE = 100
const HELLO = 'event: hello\n'
const OPERATION = 'event: operation\n'

export function createStreamClients(port: number, query: string): StreamClients {
  const sockets: Socket[] = []
  const clients: StreamClients = {
    delays: [],
    lost: 0,
    open: async (keys) => {
      for (let from = 0; from < keys.length; from += OPENED_AT_ONCE) {
        const some = keys.slice(from, from + OPENED_AT_ONCE)
        sockets.push(...(await Promise.all(some.map((key) => openStream(port, key, query, clients)))))
      }
    },
    close: () => {
      for (const socket of sockets) socket.removeAllListeners('close').destroy()
    },
  }
  return clients
}

/** Open once the stream has said hello. */
function openStream(port: number, key: string, query: string, clients: StreamClients): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let unread = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `GET /api/v1/stream${query} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${key}\r\n\r\n`,
      )
    })
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      const nowMs = performance.timeOrigin + performance.now()
      unread += chunk
      const end = unread.lastIndexOf('\n\n') + 2
      if (end < 2) return
      const frames = unread.slice(0, end)
      unread = unread.slice(end)
      if (frames.includes(HELLO)) resolve(socket)
      for (let at = frames.indexOf(OPERATION); at >= 0; at = frames.indexOf(OPERATION, at + 1)) {
        const recorded = /"at":"([^"]+)"/.exec(frames.slice(at))?.[1] ?? ''
        clients.delays.push(nowMs - Date.parse(recorded))
      }
    })
    socket.on('error', reject)
    socket.on('close', () => {
      clients.lost += 1
      reject(new Error(`a stream was not opened: ${unread.slice(0, 500)}`))
    })
  })
}
