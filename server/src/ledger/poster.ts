import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseUnavailable, isConflict, isServerError, OutcomeUnknown, type ConnectionOptions } from '#db'
import type { KnownAccounts } from './known-accounts.ts'
import { PosterLane } from './poster-lane.ts'
import type { PreparedCommand } from './prepare-command.ts'
import { LedgerBusy, type Verdict } from './types.ts'

export interface PosterOptions extends ConnectionOptions {
  clock: () => Date
  /** Between 0 and 1; spreads retries. */
  random: () => number
  /** Commands that may wait; past it, LedgerBusy. */
  queueMax?: number
  /** How long a command is tried again while the database is away. */
  retryWindowMs?: number
}

interface Waiting {
  command: PreparedCommand
  deadlineMs: number
  /** Its batch failed as a whole: judged alone, so that it cannot fail strangers. */
  alone: boolean
  /** An attempt was cut off at COMMIT, so the command may be in the ledger. */
  maybePosted: boolean
  resolve: (verdict: Verdict) => void
  reject: (error: unknown) => void
}

const LANES = 2
const QUEUE_MAX = 4_096
const COMMANDS_PER_BATCH_MAX = 512
const POSTINGS_PER_BATCH_MAX = 2_048
const CONFLICT_ATTEMPTS_MAX = 5
const RETRY_WINDOW_MS = 10_000
const BACKOFF_FIRST_MS = 10
const BACKOFF_MAX_MS = 500

/**
 * Collects commands while batches are in flight and posts them together. There is no timer: with little to do, a
 * command travels alone and at once; with much to do, the batch grows by itself. Two batches are in flight, so that
 * one is judged while the other waits for the disk; their accounts' locks and the chain head keep them in order, as
 * they do between processes.
 */
export class Poster {
  readonly #options: PosterOptions
  readonly #idle: PosterLane[]
  readonly #lanes: PosterLane[]
  readonly #queueMax: number
  #queue: Waiting[] = []
  #scheduled = false
  #closing = false
  #whenDrained: (() => void)[] = []

  constructor(options: PosterOptions, known: KnownAccounts) {
    this.#options = options
    this.#queueMax = options.queueMax ?? QUEUE_MAX
    this.#lanes = Array.from({ length: LANES }, () => new PosterLane(options, known))
    this.#idle = [...this.#lanes]
  }

  get queueDepth(): number {
    return this.#queue.length
  }

  post(command: PreparedCommand): Promise<Verdict> {
    if (this.#closing) return Promise.reject(new DatabaseUnavailable('the ledger is closing'))
    if (this.#queue.length >= this.#queueMax) return Promise.reject(new LedgerBusy('too many commands wait'))
    return new Promise((resolve, reject) => {
      const deadlineMs = performance.now() + (this.#options.retryWindowMs ?? RETRY_WINDOW_MS)
      this.#queue.push({ command, deadlineMs, alone: false, maybePosted: false, resolve, reject })
      this.#schedule()
    })
  }

  async close(): Promise<void> {
    this.#closing = true
    if (this.#queue.length > 0 || this.#idle.length < LANES) {
      await new Promise<void>((resolve) => this.#whenDrained.push(resolve))
    }
    await Promise.all(this.#lanes.map((lane) => lane.close()))
  }

  /** After this turn of the event loop, so that everything that arrived in it goes together. */
  #schedule(): void {
    if (this.#scheduled || this.#idle.length === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#dropOverdue()
      const lane = this.#queue.length === 0 ? undefined : this.#idle.pop()
      if (lane !== undefined) void this.#run(lane, this.#takeBatch())
      this.#continue()
    })
  }

  /** While the database stands still, what waits is told so in time. */
  #dropOverdue(): void {
    const nowMs = performance.now()
    const [first] = this.#queue
    if (first === undefined || first.deadlineMs > nowMs) return
    const overdue = this.#queue.filter(({ deadlineMs }) => deadlineMs <= nowMs)
    this.#queue = this.#queue.filter(({ deadlineMs }) => deadlineMs > nowMs)
    this.#reject(overdue, new LedgerBusy('waited too long'))
  }

  #takeBatch(): Waiting[] {
    let postings = 0
    let size = 0
    for (const { alone, command } of this.#queue.slice(0, COMMANDS_PER_BATCH_MAX)) {
      postings += command.command.postings.length
      if (size > 0 && (alone || postings > POSTINGS_PER_BATCH_MAX)) break
      size += 1
      if (alone) break
    }
    return this.#queue.splice(0, size)
  }

  async #run(lane: PosterLane, batch: Waiting[]): Promise<void> {
    try {
      const verdicts = await this.#postWithRetries(lane, batch)
      for (const [index, { resolve, reject }] of batch.entries()) {
        const verdict = verdicts[index]
        if (verdict === undefined) reject(new Error('a command without a verdict'))
        else resolve(verdict)
      }
    } catch (error) {
      this.#afterFailure(batch, error)
    }
    this.#idle.push(lane)
    this.#continue()
  }

  #continue(): void {
    if (this.#queue.length > 0) this.#schedule()
    else if (this.#idle.length === LANES) for (const drained of this.#whenDrained.splice(0)) drained()
  }

  /** Asking again is safe whatever happened: a command that was posted is then found by its key. */
  async #postWithRetries(lane: PosterLane, batch: Waiting[]): Promise<Verdict[]> {
    const deadlineMs = Math.min(...batch.map((waiting) => waiting.deadlineMs))
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await lane.post(batch.map(({ command }) => command))
      } catch (error) {
        if (error instanceof OutcomeUnknown) for (const waiting of batch) waiting.maybePosted = true
        const passes = isServerError(error)
          ? isRace(error) && attempt < CONFLICT_ATTEMPTS_MAX
          : error instanceof DatabaseUnavailable && performance.now() < deadlineMs
        if (!passes) throw error
        const backoffMs = Math.min(BACKOFF_FIRST_MS * 2 ** (attempt - 1), BACKOFF_MAX_MS)
        await sleep(backoffMs * (0.5 + this.#options.random() / 2))
      }
    }
  }

  /** What the server refused for one is tried again one by one; the rest is told what is known, and no more. */
  #afterFailure(batch: Waiting[], error: unknown): void {
    if (isServerError(error) && batch.length > 1) {
      this.#queue.unshift(...batch.map((waiting) => ({ ...waiting, alone: true })))
      return
    }
    this.#reject(batch, error)
  }

  #reject(batch: Waiting[], error: unknown): void {
    for (const { maybePosted, reject } of batch) {
      reject(
        maybePosted
          ? new OutcomeUnknown('cut off at COMMIT, and not resolved since', { cause: error })
          : error,
      )
    }
  }
}

const UNIQUE_VIOLATION = '23505'

/**
 * A key or a single use that another process took between our look and our insert is judged again, and found.
 * Commands of one key name the same accounts, whose locks keep them apart, unless the key is reused for something else.
 */
function isRace(error: unknown): boolean {
  return isConflict(error) || (isServerError(error) && error.code === UNIQUE_VIOLATION)
}
