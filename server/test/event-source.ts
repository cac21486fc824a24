import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { once } from 'node:events'

export interface ReceivedEvent {
  readonly event: string
  readonly id: string | undefined
  readonly data: Record<string, unknown>
}

/** A client of server-sent events over real HTTP, written apart from what it judges. */
export interface TestEventSource {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** All that came so far, in order. */
  readonly events: ReceivedEvent[]
  /** As it was sent: with comments and `retry:`. */
  text(): string
  /** The first event from this place in `events` on that fits; waits for it. */
  next(fits: (event: ReceivedEvent) => boolean, from?: number): Promise<ReceivedEvent>
  /** Stops taking what is sent, with the connection open. */
  stall(): void
  /** Until the server has ended it, in whatever way. */
  ended(): Promise<void>
  cut(): void
}

const WAIT_SECONDS_MAX = 60

export async function openEventSource(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<TestEventSource> {
  const asked = request(url, { headers, agent: false })
  asked.end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  const events: ReceivedEvent[] = []
  let text = ''
  let unread = ''
  let cut = false
  let heard = () => {}
  const closed = new Promise<void>((resolve) => answer.once('close', resolve))
  asked.on('error', () => {})
  answer.on('error', () => {})
  answer.setEncoding('utf8').on('data', (chunk: string) => {
    if (cut) return
    text += chunk
    unread += chunk
    const end = unread.lastIndexOf('\n\n')
    if (end < 0) return
    events.push(...unread.slice(0, end).split('\n\n').flatMap(parseFrame))
    unread = unread.slice(end + 2)
    heard()
  })
  const next: TestEventSource['next'] = async (fits, from = 0) => {
    const until = Date.now() + WAIT_SECONDS_MAX * 1000
    for (;;) {
      const found = events.slice(from).find(fits)
      if (found !== undefined) return found
      const left = until - Date.now()
      if (left <= 0) throw new Error(`no such event came: ${JSON.stringify(events).slice(0, 2_000)}`)
      const timer = Promise.withResolvers<void>()
      const timeout = setTimeout(timer.resolve, left)
      await Promise.race([new Promise<void>((resolve) => (heard = resolve)), timer.promise])
      clearTimeout(timeout)
    }
  }
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    events,
    text: () => text,
    next,
    stall: () => void answer.pause(),
    ended: () => closed,
    cut: () => {
      cut = true
      asked.destroy()
    },
  }
}

/** The WHATWG rules as far as we rely on them; a frame without data is no event. */
function parseFrame(frame: string): ReceivedEvent[] {
  const fields = new Map<string, string>()
  for (const line of frame.split('\n')) {
    const at = line.indexOf(':')
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1).replace(/^ /, ''))
  }
  const data = fields.get('data')
  if (data === undefined) return []
  return [{ event: fields.get('event') ?? 'message', id: fields.get('id'), data: JSON.parse(data) }]
}
