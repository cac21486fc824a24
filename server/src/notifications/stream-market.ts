import type { EventStream } from '#http'
import { presentRate } from '#market-data'
import type { PriceBook, RateBook, ShownPrices } from '#market-data'
import type { Log } from '#telemetry'
import { frameOf } from './stream-frames.ts'

export interface ShownInstrument {
  readonly id: number
  readonly ticker: string
}

export interface ShownPair {
  readonly base: string
  readonly counter: string
}

/** What a client has on its screen. */
export interface OnScreen {
  readonly instruments: readonly ShownInstrument[]
  readonly pairs: readonly ShownPair[]
}

export interface StreamMarketDeps {
  readonly prices: PriceBook
  readonly shownPrices: ShownPrices
  readonly rates: RateBook
  /** Notes that somebody looks at an instrument, so that its price is asked for. */
  readonly recordLook: (instrumentId: number) => Promise<void>
  readonly clock: () => Date
  readonly log: Pick<Log, 'warn'>
  /** Each client is told of a subject at most once in this time, and then of the newest. Default 500. */
  readonly tickMs?: number
}

/** Tells clients the prices and rates that they look at: the newest of each, never what came in between. */
export interface StreamMarket {
  /** Tells at the next tick what is known now, and from then on what changes, until the stream has ended. */
  show(stream: EventStream, screen: OnScreen): void
  start(): void
  stop(): void
}

/** One price or rate that somebody looks at, encoded once for all of them. */
interface Subject {
  /** Changes whenever it should be told anew; null: unknown. */
  version(): string | null
  /** Of the version that `frame` is of. */
  told: string | null
  frame: string
  readonly watchers: Set<Watcher>
}

interface Watcher {
  readonly stream: EventStream
  /** What to tell it once it has taken what it was told before. */
  readonly due: Set<Subject>
}

interface InstrumentSubject extends Subject {
  readonly instrument: ShownInstrument
  lookRecordedMs: number
}

const LOOK_SECONDS = 300
const LOOKS_PER_TICK_MAX = 20

export function createStreamMarket(deps: StreamMarketDeps): StreamMarket {
  const instruments = new Map<number, InstrumentSubject>()
  const pairs = new Map<string, Subject & { readonly pair: ShownPair }>()
  const watchers = new Set<Watcher>()
  let timer: NodeJS.Timeout | null = null

  const tick = async () => {
    for (const subject of pairs.values()) {
      const version = subject.version()
      if (version === null || version === subject.told) continue
      renew(subject, version, rateFrame(deps, subject.pair))
    }
    const changed = [...instruments.values()].flatMap((subject) => {
      const version = subject.version()
      return version === null || version === subject.told ? [] : [{ subject, version }]
    })
    if (changed.length > 0) await renewPrices(deps, changed)
    // Whoever has not taken the last ones waits for the next tick, when there may be newer ones.
    for (const { stream, due } of watchers) {
      if (due.size === 0 || stream.isBehind) continue
      stream.write([...due].map(({ frame }) => frame).join(''))
      due.clear()
    }
    await recordLooks(deps, instruments.values())
  }
  const tickOn = () => {
    tick()
      .catch((error: unknown) => deps.log.warn({ err: error }, 'prices could not be told to streams'))
      .finally(() => {
        if (timer !== null) timer = setTimeout(tickOn, deps.tickMs ?? 500).unref()
      })
  }
  const join = (watcher: Watcher, subject: Subject) => {
    subject.watchers.add(watcher)
    if (subject.told !== null) watcher.due.add(subject)
  }
  return {
    show(stream, screen) {
      if (stream.ended !== null) return
      const watcher: Watcher = { stream, due: new Set() }
      watchers.add(watcher)
      for (const instrument of screen.instruments) {
        const version = () => priceVersion(deps.prices, instrument.id)
        join(
          watcher,
          ensure(instruments, instrument.id, () => ({
            ...subjectOf(version),
            instrument,
            lookRecordedMs: 0,
          })),
        )
      }
      for (const pair of screen.pairs) {
        const version = () => rateVersion(deps.rates, pair)
        join(
          watcher,
          ensure(pairs, `${pair.base}/${pair.counter}`, () => ({ ...subjectOf(version), pair })),
        )
      }
      stream.onEnd(() => {
        watchers.delete(watcher)
        for (const { id } of screen.instruments) leave(instruments, id, watcher)
        for (const { base, counter } of screen.pairs) leave(pairs, `${base}/${counter}`, watcher)
      })
    },
    start: () => void (timer ??= setTimeout(tickOn, deps.tickMs ?? 500).unref()),
    stop: () => {
      if (timer !== null) clearTimeout(timer)
      timer = null
    },
  }
}

const subjectOf = (version: () => string | null): Subject => ({
  version,
  told: null,
  frame: '',
  watchers: new Set(),
})

function ensure<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

/** A subject that nobody looks at any more is forgotten. */
function leave<Key>(subjects: Map<Key, Subject>, key: Key, watcher: Watcher): void {
  const subject = subjects.get(key)
  subject?.watchers.delete(watcher)
  if (subject?.watchers.size === 0) subjects.delete(key)
}

function renew(subject: Subject, version: string, frame: string): void {
  subject.told = version
  subject.frame = frame
  for (const watcher of subject.watchers) watcher.due.add(subject)
}

async function renewPrices(
  { shownPrices }: StreamMarketDeps,
  changed: readonly { readonly subject: InstrumentSubject; readonly version: string }[],
): Promise<void> {
  const shown = await shownPrices.shown(changed.map(({ subject }) => subject.instrument.id))
  for (const { subject, version } of changed) {
    const { id, ticker } = subject.instrument
    const price = shown.get(id)
    if (price === undefined) continue
    const { ageSeconds: _age, ...told } = price
    renew(subject, version, frameOf('price', { instrument: String(id), ticker, ...told }))
  }
}

/** What is on a screen goes on being looked at, though nobody asks for it again. */
async function recordLooks(
  { clock, recordLook }: StreamMarketDeps,
  subjects: Iterable<InstrumentSubject>,
): Promise<void> {
  const nowMs = clock().getTime()
  const due = [...subjects].filter(({ lookRecordedMs }) => nowMs - lookRecordedMs > LOOK_SECONDS * 1000)
  for (const subject of due.slice(0, LOOKS_PER_TICK_MAX)) {
    subject.lookRecordedMs = nowMs
    await recordLook(subject.instrument.id)
  }
}

/** A price that has only grown old is told once more, as stale. */
function priceVersion(prices: PriceBook, id: number): string | null {
  const price = prices.price(id)
  return price.unknown ? null : `${price.seq} ${price.stale}`
}

function rateVersion(rates: RateBook, { base, counter }: ShownPair): string | null {
  const rate = rates.rate(base, counter)
  return rate.unknown ? null : `${rate.source} ${rate.fetchedAt.getTime()} ${rate.mid} ${rate.stale}`
}

function rateFrame({ rates }: StreamMarketDeps, { base, counter }: ShownPair): string {
  const rate = rates.rate(base, counter)
  if (rate.unknown) throw new Error(`the rate of ${base}/${counter} was known a moment ago`)
  const { ageSeconds: _age, ...told } = presentRate(counter, rate)
  return frameOf('rate', { base, ...told })
}
