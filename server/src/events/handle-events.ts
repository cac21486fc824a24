import { setTimeout as sleep } from 'node:timers/promises'
import type { JournalEvent } from '@kantor/contract/events'
import { meansTryAgain } from '#db'
import type { Database, Tx } from '#db'
import type { Log } from '#telemetry'
import { advanceCursor, claimCursor, forgetTries, noteTry } from './cursors.ts'
import { bury, countDeadLetters, DEAD_LETTERS_MAX } from './dead-letters.ts'

export interface EventConsumer {
  /** The same for ever: what it has seen is kept under it. */
  readonly name: string
  /**
   * What happened since it was last asked, oldest first, at least one and at most 100: so that a consumer can look up
   * in one statement what it has to know for all of them. No network inside. What it throws undoes all that it did;
   * then each event is handed over alone, so that one cannot take others with it.
   */
  handle(tx: Tx, events: readonly JournalEvent[]): Promise<void>
}

/** One thing in the stream, in order of seq. */
export interface Item {
  readonly seq: bigint
  /** Null: it cannot be read, and why. */
  readonly event: JournalEvent | null
  readonly refusal?: string
}

/** What is to be done in order, behind everything that the consumer has done so far. */
export interface Batch {
  readonly after: bigint
  readonly items: readonly Item[]
  /** Where the cursor stands when all of them are done. */
  readonly upTo: bigint
  /** The broker says that this process is the one. */
  readonly takes: boolean
}

export interface HandlingDeps {
  readonly db: Database
  readonly log: Log
  /** Of this process. */
  readonly holder: string
}

/** `moved`: another process has handled some of it. `held`: another one is at it. */
export type Handled = 'done' | 'moved' | 'held' | 'stopped'

/** Trying again does not make it readable. */
class Unreadable extends Error {
  override name = 'Unreadable'
}

const TRIES_MAX = 6
const RETRY_MS_FIRST = 50
const RETRY_MS_MAX = 800

/**
 * Handles a batch in one transaction together with the cursor's move, so that the effect of each event and the
 * knowledge that it was seen are one: either both or none.
 */
export async function handleTogether(
  { db, holder }: HandlingDeps,
  consumer: EventConsumer,
  batch: Batch,
): Promise<Handled> {
  return db.transaction(async (tx) => {
    const seq = await claimCursor(tx, { name: consumer.name, holder, takes: batch.takes })
    if (seq === null) return 'held'
    if (seq !== batch.after) return 'moved'
    const events = batch.items.map(readable)
    if (events.length > 0) await consumer.handle(tx, events)
    await advanceCursor(tx, consumer.name, batch.upTo)
    return 'done'
  })
}

function readable({ event, refusal }: Item): JournalEvent {
  if (event === null) throw new Unreadable(refusal)
  return event
}

/**
 * Handles them one by one, each try written down before it is made, so that an event which fails, or ends the process,
 * is put aside after its last try and the others go on.
 */
export async function handleAlone(
  deps: HandlingDeps,
  consumer: EventConsumer,
  batch: Batch,
  stopped: AbortSignal,
): Promise<Handled> {
  let { after } = batch
  for (const item of batch.items) {
    const single = { after, items: [item], upTo: item.seq, takes: batch.takes }
    const handled = await tryOften(deps, consumer, single, stopped)
    if (handled !== 'done') return handled
    after = item.seq
  }
  if (after === batch.upTo) return 'done'
  return handleTogether(deps, consumer, { ...batch, after, items: [] })
}

async function tryOften(
  deps: HandlingDeps,
  consumer: EventConsumer,
  single: Batch,
  stopped: AbortSignal,
): Promise<Handled> {
  let counted: 0 | 1 = 1
  for (let failures = 0; !stopped.aborted; failures += 1) {
    const tries = await noteTry(deps.db, consumer.name, single.upTo, counted)
    if (tries > TRIES_MAX) {
      return putAside(deps, consumer, single, tries - 1, 'the process ended while it was handled')
    }
    try {
      return await handleTogether(deps, consumer, single)
    } catch (error) {
      // A database that is away, full, or kept busy by a migration's lock, is not the event's fault.
      counted = meansTryAgain(error) ? 0 : 1
      deps.log.warn(
        { err: error, consumer: consumer.name, seq: String(single.upTo), tries },
        'an event failed',
      )
      if (error instanceof Unreadable || (counted === 1 && tries === TRIES_MAX))
        return putAside(deps, consumer, single, tries, reasonOf(error))
      // By this loop's failures: tries stand still where they are not counted.
      const pauseMs = Math.min(RETRY_MS_MAX, RETRY_MS_FIRST * 2 ** Math.min(failures, TRIES_MAX))
      await sleep(pauseMs, undefined, { signal: stopped }).catch(() => {})
    }
  }
  return 'stopped'
}

async function putAside(
  { db, log, holder }: HandlingDeps,
  { name }: EventConsumer,
  { after, upTo, takes }: Batch,
  tries: number,
  reason: string,
): Promise<Handled> {
  if ((await countDeadLetters(db, name)) >= DEAD_LETTERS_MAX) {
    await forgetTries(db, name)
    throw new Error(`${name} has ${DEAD_LETTERS_MAX} dead letters and waits; the last reason: ${reason}`)
  }
  return db.transaction(async (tx) => {
    const seq = await claimCursor(tx, { name, holder, takes })
    if (seq === null) return 'held'
    if (seq !== after) return 'moved'
    await bury(tx, { consumer: name, seq: upTo, reason, tries })
    await advanceCursor(tx, name, upTo)
    log.error({ consumer: name, seq: String(upTo), tries, reason }, 'an event was put aside as a dead letter')
    return 'done'
  })
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
