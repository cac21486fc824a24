import { connect } from 'node:net'
import type { Socket } from 'node:net'

/**
 * A small HTTP/1.1 load client on raw sockets, so that it takes as little as it can of the cores that it shares with
 * the server. One request in flight per connection, answered before the next is sent.
 */
export interface LoadPlan {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** The whole next request, head and body, when it is time for it; null when there is nothing more to ask. */
  readonly next: () => string | null | Promise<string | null>
}

export interface LoadResult {
  readonly perSecond: number
  readonly answered: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  /** Answers by HTTP status. */
  readonly statuses: Readonly<Record<string, number>>
  /** The body of the first answer that was not a success, to explain a broken run. */
  readonly firstFailure: string | null
}

const ANSWER_TIMEOUT_MS = 30_000

interface Answer {
  readonly status: number
  readonly body: string
}

/** One connection: `ask` resolves with the answer to what it wrote. */
class Connection {
  private received = ''
  private waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null
  private readonly socket: Socket

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')))
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => this.take(chunk))
    socket.on('error', (error) => this.waiting?.reject(error))
    socket.on('close', () => this.waiting?.reject(new Error('connection closed')))
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Connection(socket)))
      socket.once('error', reject)
    })
  }

  ask(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject }
      this.socket.write(request)
    })
  }

  close(): void {
    this.waiting = null
    this.socket.destroy()
  }

  private take(chunk: string): void {
    this.received = this.received === '' ? chunk : this.received + chunk
    const headEnd = this.received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const length = /content-length: (\d+)/i.exec(this.received)?.[1]
    const end = headEnd + 4 + Number(length ?? 0)
    if (this.received.length < end) return
    const answer = { status: Number(this.received.slice(9, 12)), body: this.received.slice(headEnd + 4, end) }
    this.received = this.received.slice(end)
    this.waiting?.resolve(answer)
  }
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const latencies: number[] = []
  const statuses: Record<string, number> = {}
  let firstFailure: string | null = null
  const connections = await Promise.all(
    Array.from({ length: plan.connections }, () => Connection.open(plan.port)),
  )
  const started = performance.now()
  const until = started + plan.seconds * 1000
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < until) {
        const request = await plan.next()
        if (request === null) break
        const at = performance.now()
        const { status, body } = await connection.ask(request)
        latencies.push(performance.now() - at)
        statuses[status] = (statuses[status] ?? 0) + 1
        if (status >= 300) firstFailure ??= body
      }
      connection.close()
    }),
  )
  const seconds = (performance.now() - started) / 1000
  const sorted = Float64Array.from(latencies).toSorted()
  const succeeded = Object.entries(statuses).reduce(
    (sum, [status, count]) => (Number(status) < 300 ? sum + count : sum),
    0,
  )
  return {
    perSecond: succeeded / seconds,
    answered: latencies.length,
    p50Ms: percentile(sorted, 0.5),
    p95Ms: percentile(sorted, 0.95),
    p99Ms: percentile(sorted, 0.99),
    statuses,
    firstFailure,
  }
}
