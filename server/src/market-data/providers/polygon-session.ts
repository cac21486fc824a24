import { WebSocket, type RawData } from 'ws'
import { readFrame, topicText, type Frame, type StatusMessage } from './polygon-frames.ts'
import type { StreamEnd, StreamEvent, StreamTopic } from './stock-provider.ts'

export interface StreamTimings {
  /** For connecting, for `connected`, and for `auth_success`, each. */
  readonly handshakeMs: number
  readonly pingEveryMs: number
  /** Without a sign of life for so long the connection is dead: a cut cable says nothing. */
  readonly silentMaxMs: number
  readonly retryFirstMs: number
  readonly retryMaxMs: number
  /** After "too many connections": an old one of ours may still have to time out there. */
  readonly crowdedMs: number
  readonly eventsQueuedMax: number
}

export interface SessionOptions {
  readonly url: string
  readonly apiKey: string
  readonly timings: StreamTimings
  readonly topics: () => readonly StreamTopic[]
  readonly onLive: () => void
  readonly onEvents: (events: readonly StreamEvent[]) => void
  readonly onHeard: () => void
  readonly onRefused: (entries: number, whole: boolean) => void
  readonly signal: AbortSignal
}

/** `final`: not to be tried again. `crowded`: not soon. */
export type SessionEnd =
  | { readonly kind: 'lost'; readonly sentence: string }
  | { readonly kind: 'crowded'; readonly sentence: string }
  | { readonly kind: 'final'; readonly end: StreamEnd }

export interface Session {
  /** The topics have changed: asks for the new ones and leaves those that are gone. */
  retune(): void
  readonly ended: Promise<SessionEnd>
}

/** A bar a minute of the whole market is 2 MB. */
const FRAME_BYTES_MAX = 8_000_000
const TOPICS_AT_ONCE = 500
const PLAN_WORDS = /not authorized|not_authorized|not entitled|entitlement|upgrade|plan doesn|permission/i

/**
 * One connection, from handshake to its end: `connected`, then our key, then `auth_success`, then our topics.
 * `ws` and not Node's own WebSocket, which can neither ping, nor bound a frame, nor drop a dead connection.
 */
export function openSession(options: SessionOptions): Session {
  return new PolygonSession(options)
}

class PolygonSession implements Session {
  readonly #options: SessionOptions
  readonly #socket: WebSocket
  readonly #ended = Promise.withResolvers<SessionEnd>()
  readonly #patience: Deadline
  readonly #pinger: NodeJS.Timeout
  readonly #stop = () =>
    this.#end({ kind: 'final', end: { code: 'stopped', sentence: 'Stopped on our side.' } })
  #step: 'connecting' | 'authenticating' | 'subscribing' | 'live' = 'connecting'
  #heardAt = performance.now()
  /** What was last asked for. */
  #tuned: ReadonlySet<string> = new Set()

  constructor(options: SessionOptions) {
    this.#options = options
    const { handshakeMs, pingEveryMs } = options.timings
    this.#socket = new WebSocket(options.url, {
      handshakeTimeout: handshakeMs,
      maxPayload: FRAME_BYTES_MAX,
      followRedirects: false,
      perMessageDeflate: false,
    })
    this.#patience = deadline(handshakeMs, () =>
      this.#end({ kind: 'lost', sentence: `No answer while ${this.#step}.` }),
    )
    this.#pinger = setInterval(() => this.#ping(), pingEveryMs)
    this.#listen()
  }

  get ended(): Promise<SessionEnd> {
    return this.#ended.promise
  }

  retune(): void {
    if (this.#step === 'live' && this.#socket.readyState === WebSocket.OPEN) this.#tune()
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('message', (data, isBinary) => this.#take(isBinary ? null : frameOf(data)))
    socket.on('ping', () => this.#heard())
    socket.on('pong', () => this.#heard())
    socket.on('unexpected-response', (_request, response) =>
      this.#end(refusedUpgrade(response.statusCode ?? 0)),
    )
    socket.on('error', () => this.#end({ kind: 'lost', sentence: 'The connection failed.' }))
    socket.on('close', (code) =>
      this.#end({ kind: 'lost', sentence: `The provider closed the connection (${code}).` }),
    )
    this.#options.signal.addEventListener('abort', this.#stop, { once: true })
    if (this.#options.signal.aborted) this.#stop()
  }

  #take(frame: Frame | null): void {
    this.#heard()
    if (frame === null) return this.#options.onRefused(1, true)
    if (frame.refused > 0) this.#options.onRefused(frame.refused, false)
    for (const status of frame.statuses) this.#obey(status)
    if (frame.events.length > 0) this.#options.onEvents(frame.events)
  }

  #obey(message: StatusMessage): void {
    const verdict = verdictOf(message)
    if (verdict !== null) return this.#end(verdict)
    if (this.#step === 'connecting' && message.status === 'connected') {
      this.#step = 'authenticating'
      this.#patience.restart()
      this.#send('auth', this.#options.apiKey)
    } else if (this.#step === 'authenticating' && isAuthenticated(message)) {
      this.#step = 'subscribing'
      this.#patience.restart()
      this.#tune()
      if (this.#tuned.size === 0) this.#goLive()
    } else if (this.#step === 'subscribing' && message.status === 'success') this.#goLive()
  }

  #goLive(): void {
    this.#step = 'live'
    this.#patience.clear()
    // What was changed while the first topics were on their way.
    this.#tune()
    this.#options.onLive()
  }

  #tune(): void {
    const wanted = new Set(this.#options.topics().map(topicText))
    this.#sendTopics(
      'unsubscribe',
      [...this.#tuned].filter((topic) => !wanted.has(topic)),
    )
    this.#sendTopics(
      'subscribe',
      [...wanted].filter((topic) => !this.#tuned.has(topic)),
    )
    this.#tuned = wanted
  }

  #sendTopics(action: string, topics: readonly string[]): void {
    for (let first = 0; first < topics.length; first += TOPICS_AT_ONCE) {
      this.#send(action, topics.slice(first, first + TOPICS_AT_ONCE).join(','))
    }
  }

  #send(action: string, params: string): void {
    this.#socket.send(JSON.stringify({ action, params }))
  }

  #heard(): void {
    this.#heardAt = performance.now()
    if (this.#step === 'live') this.#options.onHeard()
  }

  #ping(): void {
    if (performance.now() - this.#heardAt > this.#options.timings.silentMaxMs) {
      this.#end({ kind: 'lost', sentence: 'The connection fell silent.' })
    } else if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping()
  }

  #end(why: SessionEnd): void {
    clearInterval(this.#pinger)
    this.#patience.clear()
    this.#options.signal.removeEventListener('abort', this.#stop)
    this.#socket.removeAllListeners()
    // A socket that is dropped while it connects still reports that as an error.
    this.#socket.on('error', () => {})
    this.#socket.terminate()
    this.#ended.resolve(why)
  }
}

interface Deadline {
  restart(): void
  clear(): void
}

function deadline(ms: number, late: () => void): Deadline {
  let timer = setTimeout(late, ms)
  const clear = () => clearTimeout(timer)
  return {
    clear,
    restart: () => {
      clear()
      timer = setTimeout(late, ms)
    },
  }
}

function frameOf(data: RawData): Frame | null {
  try {
    return readFrame(
      Array.isArray(data) ? Buffer.concat(data).toString() : Buffer.from(data as Buffer).toString(),
    )
  } catch {
    return null
  }
}

/** Old clusters say `success` with "authenticated". */
function isAuthenticated({ status, message }: StatusMessage): boolean {
  return status === 'auth_success' || (status === 'success' && /^authenticated/i.test(message))
}

function verdictOf({ status, message }: StatusMessage): SessionEnd | null {
  if (status === 'max_connections')
    return { kind: 'crowded', sentence: 'The key has too many connections already.' }
  if (status === 'auth_timeout')
    return { kind: 'lost', sentence: 'The provider did not finish checking the key.' }
  const refused = status === 'auth_failed' || status === 'not_authorized' || status === 'error'
  if (!refused) return null
  if (status === 'not_authorized' || PLAN_WORDS.test(message)) return notAuthorized()
  if (status === 'auth_failed' || /authentication failed/i.test(message)) return authFailed()
  return { kind: 'lost', sentence: 'The provider reported an error.' }
}

function refusedUpgrade(status: number): SessionEnd {
  if (status === 401) return authFailed()
  if (status === 403) return notAuthorized()
  if (status === 429) return { kind: 'crowded', sentence: 'The provider asks for fewer connections.' }
  return { kind: 'lost', sentence: `The provider refused the connection with HTTP ${status}.` }
}

function authFailed(): SessionEnd {
  return { kind: 'final', end: { code: 'auth_failed', sentence: 'The API key was refused.' } }
}

function notAuthorized(): SessionEnd {
  const sentence = 'The plan of this key does not include the live stream.'
  return { kind: 'final', end: { code: 'not_authorized', sentence } }
}
