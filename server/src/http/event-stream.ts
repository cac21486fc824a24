import type { FastifyReply } from 'fastify'

/** A proxy or a phone's network forgets a connection that is silent for half a minute. */
export const HEARTBEAT_SECONDS = 15
/** What one client may leave untaken, beside the system's own buffers. */
export const UNTAKEN_BYTES_MAX = 262_144
/** How many heartbeats in a row may find the same client with something untaken. */
const BEATS_BEHIND_MAX = 2
/** Who does not take the last frame either must not keep the server from ending. */
const GOODBYE_SECONDS_MAX = 2

/** `client` went away, `slow` did not take what it was sent, `server` ended it. */
export type StreamEnd = 'client' | 'slow' | 'server'

/** An answer that goes on: server-sent events (WHATWG HTML 9.2) to one client. */
export interface EventStream {
  /** Sends whole frames. A client that is too far behind is cut off instead: nothing is ever kept for it. */
  write(frames: string): void
  /** Whether the client has left more than the system takes at once (64 KiB): what can wait should. */
  readonly isBehind: boolean
  /** Until it is behind no more, having taken everything, or is gone. */
  taken(): Promise<void>
  /** Tells the client to come back after so long, and says no more. */
  end(retryMs: number): void
  readonly ended: StreamEnd | null
  /** Called once; at once if it has ended already. */
  onEnd(listener: (why: StreamEnd) => void): void
}

/** One event. Without an id, the client goes on from the last id that it was given. */
export const eventFrame = (event: string, data: string, id?: string): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`

/** Sends the head, past Fastify, which would wait for the end of a body. */
export function beginEventStream(reply: FastifyReply): EventStream {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    // `no-transform` keeps proxies from compressing, and so from holding back; nginx wants to be told by itself.
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  })
  raw.flushHeaders()
  const listeners = new Set<(why: StreamEnd) => void>()
  let ended: StreamEnd | null = null
  let beatsBehind = 0

  const finish = (why: StreamEnd) => {
    if (ended !== null) return
    ended = why
    clearInterval(heartbeat)
    for (const listener of listeners) listener(why)
    listeners.clear()
  }
  const cutOff = () => {
    finish('slow')
    raw.destroy()
  }
  const write = (frames: string) => {
    if (ended !== null) return
    raw.write(frames)
    if (raw.writableLength > UNTAKEN_BYTES_MAX) cutOff()
  }
  const beat = () => {
    beatsBehind = raw.writableLength > 0 ? beatsBehind + 1 : 0
    if (beatsBehind > BEATS_BEHIND_MAX) cutOff()
    else write(':\n\n')
  }
  const heartbeat = setInterval(beat, HEARTBEAT_SECONDS * 1000).unref()
  // It may have left while it was being looked up.
  if (raw.destroyed) finish('client')
  raw.on('close', () => finish('client'))
  raw.on('error', () => finish('client'))
  return {
    write,
    get isBehind() {
      return ended === null && raw.writableNeedDrain
    },
    taken: () =>
      new Promise((resolve) => {
        if (ended !== null || !raw.writableNeedDrain) {
          resolve()
          return
        }
        const done = () => {
          raw.off('drain', done)
          raw.off('close', done)
          resolve()
        }
        raw.on('drain', done)
        raw.on('close', done)
      }),
    end: (retryMs) => {
      if (ended !== null) return
      finish('server')
      raw.end(`retry: ${Math.round(retryMs)}\n\n`)
      const late = setTimeout(() => raw.destroy(), GOODBYE_SECONDS_MAX * 1000)
      raw.once('close', () => clearTimeout(late))
    },
    get ended() {
      return ended
    },
    onEnd: (listener) => {
      if (ended === null) listeners.add(listener)
      else listener(ended)
    },
  }
}
