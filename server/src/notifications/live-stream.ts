import type { Order } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import type { JournalEvent } from '@kantor/contract/events'
import { listen, type Database, type Listening, type Queryable } from '#db'
import { eventsAfter, type Events } from '#events'
import type { EventStream, Principal } from '#http'
import { createGate } from '#identity'
import type { Metrics } from '#telemetry'
import { lastNoticePosition, lastNoticePositions, noticesAfter } from './read-notices.ts'
import { createAudience, type Audience, type Listener } from './stream-audience.ts'
import { createStreamClient, type StreamReads } from './stream-client.ts'
import { frameOf, toldOperation } from './stream-frames.ts'
import { createStreamMarket, type OnScreen, type StreamMarketDeps } from './stream-market.ts'
import { positionText, type StreamPosition } from './stream-position.ts'
import { createStreamSlots, USUAL_STREAM_LIMITS, type StreamLimits } from './stream-slots.ts'

export interface LiveStreamDeps extends StreamMarketDeps {
  readonly db: Database
  readonly databaseUrl: string
  readonly events: Pick<Events, 'watch'>
  /** The end of the ledger; another room's knowledge. */
  readonly newestSeq: (q: Queryable) => Promise<bigint>
  /** The state of an order now; another room's knowledge. Null for one that the wallet does not have. */
  readonly orderOf: (walletId: bigint, orderId: string) => Promise<Order | null>
  readonly metrics: Pick<Metrics, 'gauge' | 'counter'>
  /** Between 0 and 1. */
  readonly random: () => number
  readonly limits?: StreamLimits
}

export interface StreamWish {
  readonly principal: Principal
  readonly stillAllowed: () => Promise<boolean>
  /** Null: from now on. */
  readonly position: StreamPosition | null
  readonly screen: OnScreen
}

/** Everybody who listens in this process, and all that they are told. */
export interface LiveStream {
  /** @throws Problem too_many_streams, busy, unavailable, before it begins */
  open(wish: StreamWish, begin: () => EventStream): Promise<void>
  /** Once events have started. */
  start(): void
  /** Sends everybody away, to come back soon and elsewhere, and lets nobody in. */
  drain(): void
  close(): Promise<void>
}

const NOTICES = 'kantor_notices'
const ACCESS = 'kantor_access'

/** How often is looked whether something went unheard: who may still listen, and who has notices. */
const LOOK_SECONDS = 15
const LISTENERS_PER_LOOK = 500
/** Of a pool of 16 connections, so that a crowd that comes back leaves some to those who ask. */
const READS_AT_ONCE = 4
const READS_WAITING_MAX = 40_000
/** Spread, so that a crowd that was sent away does not come back as one. */
const RETRY_MS = { least: 1_000, most: 5_000 }

export function createLiveStream(deps: LiveStreamDeps): LiveStream {
  const { log, metrics } = deps
  const audience = createAudience()
  const slots = createStreamSlots(deps.limits ?? USUAL_STREAM_LIMITS)
  const market = createStreamMarket(deps)
  const reads = boundedReads(deps)
  const cutOff = metrics.counter('kantor_streams_cut_off_total', 'Streams whose clients were too slow.')
  let draining = false
  let running: { stop(): Promise<void> } | null = null
  metrics.gauge('kantor_streams_open', 'Live streams that this process holds.', () => slots.taken)
  metrics.gauge(
    'kantor_streams_behind',
    'Live streams whose clients have not taken everything yet.',
    () => audience.all().filter(({ client }) => client.stream.isBehind).length,
  )

  const retryMs = () => RETRY_MS.least + deps.random() * (RETRY_MS.most - RETRY_MS.least)
  const judge = (listeners: Iterable<Listener>) => judgeAgain(deps, listeners, retryMs)

  return {
    async open({ principal, stillAllowed, position: given, screen }, begin) {
      const { walletId, customerId } = principal
      const giveBack = slots.take(customerId)
      try {
        const newest = await reads.newest(walletId)
        if (draining) throw new Problem('unavailable', { retryAfterSeconds: 2 })
        const resumed = given !== null && given.seq <= newest.seq && given.notice <= newest.notice
        const position = resumed ? given : newest
        const stream = begin()
        const failed = (error: unknown) => {
          log.warn({ err: error }, 'a stream is ended, since what it missed cannot be read')
          stream.end(retryMs())
        }
        const client = createStreamClient({ walletId, stream, position, reads, failed })
        const listener = { walletId: `${walletId}`, customerId, client, stillAllowed }
        audience.add(listener)
        stream.onEnd((why) => {
          audience.remove(listener)
          giveBack()
          if (why === 'slow') cutOff.add()
        })
        const id = positionText(position)
        const hello = frameOf('hello', { at: deps.clock().toISOString(), resumed }, id)
        const reset = given === null || resumed ? '' : frameOf('reset', { reason: 'unknown_id' }, id)
        stream.write(`retry: ${Math.round(retryMs())}\n\n${hello}${reset}`)
        market.show(stream, screen)
        // What happened between the look at the end and now was told to nobody here.
        client.catchUp()
        client.catchUpNotices()
        await judge([listener])
      } catch (error) {
        giveBack()
        throw error
      }
    },
    start() {
      running ??= run(deps, audience, judge)
      market.start()
    },
    drain() {
      draining = true
      for (const { client } of audience.all()) client.stream.end(retryMs())
    },
    async close() {
      market.stop()
      await running?.stop()
    },
  }
}

/** What clients are told from the database, a few at a time. */
function boundedReads({ db, newestSeq, orderOf }: LiveStreamDeps): StreamReads {
  const gate = createGate({ atOnce: READS_AT_ONCE, waitingMax: READS_WAITING_MAX, retryAfterSeconds: 5 })
  return {
    eventsAfter: (walletId, seq, limit) => gate(() => eventsAfter(db, walletId, seq, limit)),
    noticesAfter: (walletId, place, limit) => gate(() => noticesAfter(db, walletId, place, limit)),
    newest: (walletId) =>
      gate(async () => ({ seq: await newestSeq(db), notice: await lastNoticePosition(db, walletId) })),
    orderOf: (walletId, orderId) => gate(() => orderOf(walletId, orderId)),
  }
}

/** Ends the streams of those who would be refused now. */
async function judgeAgain(
  { log }: LiveStreamDeps,
  listeners: Iterable<Listener>,
  retryMs: () => number,
): Promise<void> {
  const judging = [...listeners].map(async ({ client, stillAllowed }) => {
    if (!(await stillAllowed())) client.stream.end(retryMs())
  })
  const unknown = (await Promise.allSettled(judging)).filter(({ status }) => status === 'rejected')
  const [first] = unknown
  if (first?.status !== 'rejected') return
  // Without the database there is nothing to tell either, and the next look comes soon.
  log.warn({ err: first.reason, listeners: unknown.length }, 'listeners could not be judged again')
}

/** Everything that tells the audience something, until it is stopped. */
function run(
  deps: LiveStreamDeps,
  audience: Audience,
  judge: (listeners: Iterable<Listener>) => Promise<void>,
): { stop(): Promise<void> } {
  const catchUp = () => {
    for (const { client } of audience.all()) client.catchUp()
  }
  const unwatch = deps.events.watch({ event: (event) => tellEvent(audience, event), gap: catchUp })
  // Who came before this was told nothing live.
  catchUp()
  let looking: Promise<void> | null = null
  const look = () => {
    looking ??= lookAgain(deps, audience, judge)
      .catch((error: unknown) => deps.log.warn({ err: error }, 'what went unheard could not be looked up'))
      .finally(() => (looking = null))
  }
  const heard: Readonly<Record<string, (payload: string) => void>> = {
    [NOTICES]: (walletId) => {
      for (const { client } of audience.ofWallet(walletId)) client.catchUpNotices()
    },
    [ACCESS]: (customerId) => void judge(audience.ofCustomer(customerId)),
  }
  const listening: Listening = listen({
    url: deps.databaseUrl,
    applicationName: 'kantor-stream',
    channels: [NOTICES, ACCESS],
    heard: (channel, payload) => heard[channel]?.(payload),
    connected: look,
    log: deps.log,
  })
  const timer = setInterval(look, LOOK_SECONDS * 1000).unref()
  return {
    async stop() {
      unwatch()
      clearInterval(timer)
      await listening.stop()
      await looking
    },
  }
}

function tellEvent(audience: Audience, event: JournalEvent): void {
  for (const party of event.parties) {
    const listeners = audience.ofWallet(party.walletId)
    if (listeners.size === 0) continue
    const operation = toldOperation(event, party)
    for (const { client } of listeners) client.offer(operation)
  }
}

/** Everybody in turn: no announcement may be lost for long, whatever lies between us and the database. */
async function lookAgain(
  { db }: LiveStreamDeps,
  audience: Audience,
  judge: (listeners: Iterable<Listener>) => Promise<void>,
): Promise<void> {
  const listeners = audience.all()
  for (let from = 0; from < listeners.length; from += LISTENERS_PER_LOOK) {
    const some = listeners.slice(from, from + LISTENERS_PER_LOOK)
    await judge(some)
    const last = await lastNoticePositions(db, [...new Set(some.map(({ walletId }) => BigInt(walletId)))])
    for (const { walletId, client } of some) {
      if ((last.get(BigInt(walletId)) ?? 0n) > client.position.notice) client.catchUpNotices()
    }
  }
}
