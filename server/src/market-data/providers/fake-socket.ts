import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'

/** What one client of the fake stream has sent, and the means to answer it. */
export interface FakeClient {
  readonly heard: { action: string; params: string }[]
  say: (...entries: object[]) => void
  sayText: (text: string) => void
  /** Without a word, as a cut cable is not; `close` is polite. */
  cut: () => void
  close: () => void
  /** Nothing more is answered, not even pings. */
  freeze: () => void
  /** Its connection has ended, whoever ended it. */
  gone: () => boolean
}

export interface FakeSocket {
  readonly url: string
  readonly clients: FakeClient[]
  /** What is said to a client that has just come in, and to each action of it. */
  greet: (client: FakeClient) => void
  answer: (client: FakeClient, action: string, params: string) => void
}

const status = (word: string, message = '') => ({ ev: 'status', status: word, message })

/** A stream in Polygon's manner on a port of its own, for tests. It lets everybody in until told otherwise. */
export async function fakeSocket(): Promise<FakeSocket> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false })
  await new Promise<void>((resolve) => server.on('listening', resolve))
  const fake: FakeSocket = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clients: [],
    greet: (client) => client.say(status('connected', 'Connected Successfully')),
    answer: (client, action, params) => {
      if (action === 'auth') client.say(status('auth_success', 'authenticated'))
      if (action === 'subscribe')
        for (const topic of params.split(',')) client.say(status('success', `subscribed to: ${topic}`))
    },
  }
  server.on('connection', (socket) => {
    const client = clientOf(socket, fake)
    fake.clients.push(client)
    fake.greet(client)
  })
  afterAll(async () => {
    for (const socket of server.clients) socket.terminate()
    await new Promise((resolve) => server.close(resolve))
  })
  return fake
}

function clientOf(socket: WebSocket, fake: FakeSocket): FakeClient {
  let frozen = false
  const client: FakeClient = {
    heard: [],
    say: (...entries) => client.sayText(JSON.stringify(entries)),
    sayText: (text) => socket.send(text),
    cut: () => socket.terminate(),
    close: () => socket.close(1001),
    freeze: () => {
      frozen = true
    },
    gone: () => socket.readyState === socket.CLOSED,
  }
  socket.on('ping', () => (frozen ? undefined : socket.pong()))
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { action: string; params: string }
    client.heard.push(message)
    fake.answer(client, message.action, message.params)
  })
  return client
}
