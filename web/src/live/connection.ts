import type { StreamEventData, StreamEventName } from '@kantor/contract/api'

/** `off`: not wanted now. `down`: wanted and not there, so that pages have to ask for themselves. */
export type LiveState = 'off' | 'connecting' | 'live' | 'down'

/** What is to be followed beside the wallet: ids of instruments, and pairs such as `EUR/PLN`. */
export interface Screen {
  readonly instruments: readonly string[]
  readonly pairs: readonly string[]
}

export type Told = <Name extends StreamEventName>(name: Name, data: StreamEventData<Name>) => void

/** The part of a browser's `EventSource` that is used. */
export interface Source {
  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void
  close(): void
}

export interface ConnectionDeps {
  readonly open: (address: string) => Source
  readonly told: Told
  readonly changed: (state: LiveState) => void
  /** Between 0 and 1. */
  readonly random: () => number
}

export interface Connection {
  /** What is on screen from now on. */
  show(screen: Screen): void
  start(): void
  stop(): void
  /** At once, where it is waiting to try again. */
  retryNow(): void
}

const NAMES = [
  'hello',
  'reset',
  'operation',
  'balances',
  'order',
  'price',
  'rate',
  'notice',
] as const satisfies readonly StreamEventName[]

/** As many as the server lets one stream name. */
const INSTRUMENTS_MAX = 60
const PAIRS_MAX = 40
const RETRY_SECONDS = { least: 1, most: 30 }
/** A page that is just being drawn names what it shows piece by piece. */
const GATHER_MS = 250

/**
 * One stream to the server, made again when it breaks, from the position that was reached. A browser's own way of
 * connecting again is not used: it gives up for good at the first refusal, such as a server's that is being replaced.
 */
export function createConnection(deps: ConnectionDeps): Connection {
  let source: Source | null = null
  let position: string | null = null
  let wanted: Screen = { instruments: [], pairs: [] }
  let followed: Screen = wanted
  let wished = false
  let failures = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const close = () => {
    clearTimeout(timer)
    source?.close()
    source = null
  }
  const connect = () => {
    close()
    followed = wanted
    const mine = deps.open(addressOf(followed, position))
    source = mine
    for (const name of NAMES) {
      mine.addEventListener(name, (event) => {
        if (source === mine) take(name, event)
      })
    }
    mine.addEventListener('error', () => {
      if (source === mine) fail()
    })
  }
  const take = (name: StreamEventName, event: MessageEvent<string>) => {
    if (event.lastEventId !== '') position = event.lastEventId
    if (name === 'hello') {
      failures = 0
      deps.changed('live')
    }
    deps.told(name, JSON.parse(event.data))
  }
  const fail = () => {
    close()
    deps.changed('down')
    const seconds = Math.min(RETRY_SECONDS.least * 2 ** failures, RETRY_SECONDS.most)
    failures += 1
    timer = setTimeout(connect, seconds * (0.5 + deps.random()) * 1000)
  }
  const retryNow = () => {
    if (wished && source === null) connect()
  }
  return {
    show: (screen) => {
      wanted = {
        instruments: [...new Set(screen.instruments)].slice(0, INSTRUMENTS_MAX),
        pairs: [...new Set(screen.pairs)].slice(0, PAIRS_MAX),
      }
      // What is followed beyond what is wanted costs less than another connection.
      if (source === null || includes(followed, wanted)) return
      clearTimeout(timer)
      timer = setTimeout(connect, GATHER_MS)
    },
    start: () => {
      if (wished) {
        retryNow()
        return
      }
      wished = true
      deps.changed('connecting')
      timer = setTimeout(connect, GATHER_MS)
    },
    stop: () => {
      wished = false
      failures = 0
      close()
      deps.changed('off')
    },
    retryNow,
  }
}

function includes(all: Screen, some: Screen): boolean {
  return (
    some.instruments.every((id) => all.instruments.includes(id)) &&
    some.pairs.every((pair) => all.pairs.includes(pair))
  )
}

function addressOf({ instruments, pairs }: Screen, position: string | null): string {
  const query = new URLSearchParams()
  if (instruments.length > 0) query.set('instruments', instruments.join(','))
  if (pairs.length > 0) query.set('pairs', pairs.join(','))
  if (position !== null) query.set('after', position)
  return `/api/v1/stream${query.size > 0 ? `?${query}` : ''}`
}
