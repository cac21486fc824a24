import { meansTryAgain } from '#db'
import type { Database, Tx } from '#db'
import { LedgerBusy } from '#ledger'
import type { Ledger, PostCommand, Verdict } from '#ledger'
import { newestPriceSeq } from '#market-data'
import { reserveCommand } from './order-postings.ts'
import { insertOrders } from './order-store.ts'
import { newOrder } from './order.ts'
import type { Order } from './order.ts'

/** An order to be accepted, with the client's key and what its reserve's journal is to say. */
export interface OrderDraft {
  readonly order: Order
  readonly keyed: { readonly key: string; readonly requestHash: Buffer }
  readonly detail: NonNullable<PostCommand['detail']>
}

/** `verdict` is the ledger's on the reserve; `order` as accepted, if this draft was. */
export interface Acceptance {
  readonly verdict: Verdict
  readonly order: Order | null
}

/** Accepts orders: each with its reserve, or not at all. */
export interface OrderIntake {
  /** Resolves after commit. @throws LedgerBusy past the queue's bound */
  accept(draft: OrderDraft): Promise<Acceptance>
  queueDepth(): number
  close(): Promise<void>
}

export interface IntakeDeps {
  readonly db: Database
  readonly ledger: Ledger
  readonly clock: () => Date
}

interface Waiting {
  readonly draft: OrderDraft
  resolve(acceptance: Acceptance): void
  reject(error: unknown): void
}

const DRAFTS_PER_TX = 128
const LANES = 2
const QUEUE_MAX = 2_000

/**
 * What came while the last txs were in flight goes into the next, as in the ledger's own poster: a tx for each order
 * would flush the log and seal a block for each. Two are in flight, so that one is put together while the other waits
 * for the disk or for the accounts that the engine holds.
 */
export function createOrderIntake(deps: IntakeDeps): OrderIntake {
  const queue: Waiting[] = []
  const running = new Set<Promise<void>>()
  let busy = 0

  const drain = async () => {
    // Whoever asks in the same turn of the event loop still comes along.
    await Promise.resolve()
    for (;;) {
      const batch = queue.splice(0, DRAFTS_PER_TX)
      if (batch.length === 0) break
      await acceptBatch(deps, batch)
    }
    // At once: whoever asked between the last look and here would wait for the next who asks.
    busy -= 1
  }
  const start = () => {
    if (busy === LANES) return
    busy += 1
    const lane = drain()
    running.add(lane)
    void lane.finally(() => running.delete(lane))
  }
  return {
    accept: (draft) => {
      if (queue.length >= QUEUE_MAX) return Promise.reject(new LedgerBusy('too many orders wait'))
      const accepted = new Promise<Acceptance>((resolve, reject) => queue.push({ draft, resolve, reject }))
      start()
      return accepted
    },
    queueDepth: () => queue.length,
    close: async () => {
      await Promise.all(running)
    },
  }
}

/** A batch that fails as a whole is tried one by one, so that one order cannot fail strangers'. */
async function acceptBatch(deps: IntakeDeps, batch: readonly Waiting[]): Promise<void> {
  try {
    const acceptances = await deps.db.transaction((tx) => acceptWithin(deps, tx, batch))
    batch.forEach(({ resolve }, index) => {
      const acceptance = acceptances[index]
      if (acceptance === undefined) throw new Error('an order without a verdict')
      resolve(acceptance)
    })
  } catch (error) {
    const [only] = batch
    if (batch.length === 1 || only === undefined || meansTryAgain(error)) {
      for (const { reject } of batch) reject(error)
      return
    }
    for (const waiting of batch) await acceptBatch(deps, [waiting])
  }
}

/**
 * Accounts, then the chain's head, then the newest price that is known, then the rows: they are new, so nobody can
 * wait for them, and only here it is known which orders the ledger has let in. Three round trips, whatever the batch:
 * statements of one connection run in the order in which they are sent.
 */
async function acceptWithin(deps: IntakeDeps, tx: Tx, batch: readonly Waiting[]): Promise<Acceptance[]> {
  const commands = batch.map(({ draft }) => reserveCommand(draft.order, draft.keyed, draft.detail))
  const orders = new Map<number, Order>()
  const posting = deps.ledger.postWithin(tx, commands, async (verdicts) => {
    const acceptedSeq = await newestPrice
    const acceptedAt = deps.clock()
    for (const [index, verdict] of verdicts.entries()) {
      const draft = batch[index]?.draft.order
      if (draft === undefined || verdict.outcome !== 'posted' || verdict.replayed) continue
      orders.set(index, newOrder({ ...draft, acceptedAt, acceptedSeq }))
    }
    if (orders.size > 0) await insertOrders(tx, [...orders.values()])
  })
  const newestPrice = newestPriceSeq(tx)
  const [verdicts] = await Promise.all([posting, newestPrice])
  return verdicts.map((verdict, index) => ({ verdict, order: orders.get(index) ?? null }))
}
