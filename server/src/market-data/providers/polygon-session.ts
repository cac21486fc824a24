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
  const { timings } = options
  const ended = Promise.withResolvers<SessionEnd>()
  const socket = new WebSocket(options.url, {
    handshakeTimeout: timings.handshakeMs,
    maxPayload: FRAME_BYTES_MAX,
    followRedirects: false,
    perMessageDeflate: false,
  })
  let step: 'connecting' | 'authenticating' | 'subscribing' | 'live' = 'connecting'
  let heardAt = performance.now()
  const patience = deadline(timings.handshakeMs, () =>
    end({ kind: 'lost', sentence: `No answer while ${step}.` }),
  )
  const pinger = setInterval(() => {
    if (performance.now() - heardAt > timings.silentMaxMs)
      end({ kind: 'lost', sentence: 'The connection fell silent.' })
    else if (socket.readyState === WebSocket.OPEN) socket.ping()
  }, timings.pingEveryMs)

  const stop = () => end({ kind: 'final', end: { code: 'stopped', sentence: 'Stopped on our side.' } })
  function end(why: SessionEnd): void {
    clearInterval(pinger)
    patience.clear()
    options.signal.removeEventListener('abort', stop)
    socket.removeAllListeners()
    // A socket that is dropped while it connects still reports that as an error.
    socket.on('error', () => {})
    socket.terminate()
    ended.resolve(why)
  }
  const send = (action: string, params: string) => socket.send(JSON.stringify({ action, params }))
  const sendTopics = (action: string, topics: readonly StreamTopic[]) => {
    for (let first = 0; first < topics.length; first += TOPICS_AT_ONCE) {
      const some = topics.slice(first, first + TOPICS_AT_ONCE)
      send(action, some.map(topicText).join(','))
    }
  }
  let tuned: readonly StreamTopic[] = []
  const tune = () => {
    const wanted = options.topics()
    const [before, after] = [new Set(tuned.map(topicText)), new Set(wanted.map(topicText))]
    sendTopics(
      'unsubscribe',
      tuned.filter((topic) => !after.has(topicText(topic))),
    )
    sendTopics(
      'subscribe',
      wanted.filter((topic) => !before.has(topicText(topic))),
    )
    tuned = wanted
  }
  const heard = () => {
    heardAt = performance.now()
    if (step === 'live') options.onHeard()
  }
  const goLive = () => {
    step = 'live'
    patience.clear()
    // What was changed while the first topics were on their way.
    tune()
    options.onLive()
  }
  const obey = (message: StatusMessage) => {
    const verdict = verdictOf(message)
    if (verdict !== null) return end(verdict)
    if (step === 'connecting' && message.status === 'connected') {
      step = 'authenticating'
      patience.restart()
      send('auth', options.apiKey)
    } else if (step === 'authenticating' && isAuthenticated(message)) {
      step = 'subscribing'
      patience.restart()
      tune()
      if (tuned.length === 0) goLive()
    } else if (step === 'subscribing' && message.status === 'success') goLive()
  }

  socket.on('message', (data, isBinary) => {
    heard()
    const frame = isBinary ? null : frameOf(data)
    if (frame === null) return options.onRefused(1, true)
    if (frame.refused > 0) options.onRefused(frame.refused, false)
    for (const status of frame.statuses) obey(status)
    if (frame.events.length > 0) options.onEvents(frame.events)
  })
  socket.on('ping', heard)
  socket.on('pong', heard)
  socket.on('unexpected-response', (_request, response) => end(refusedUpgrade(response.statusCode ?? 0)))
  socket.on('error', () => end({ kind: 'lost', sentence: 'The connection failed.' }))
  socket.on('close', (code) =>
    end({ kind: 'lost', sentence: `The provider closed the connection (${code}).` }),
  )
  options.signal.addEventListener('abort', stop, { once: true })
  if (options.signal.aborted) stop()

  return {
    ended: ended.promise,
    retune: () => {
      if (step === 'live' && socket.readyState === WebSocket.OPEN) tune()
    },
  }
}

function deadline(ms: number, late: () => void): { restart: () => void; clear: () => void } {
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
