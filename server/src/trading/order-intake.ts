import { meansTryAgain } from '#db'
import type { Database, Tx } from '#db'
import { LedgerBusy } from '#ledger'
import type { Ledger, PostCommand, Verdict } from '#ledger'
import { newestPriceSeq } from '#market-data'
import { accountsOf } from './order-accounts.ts'
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
const QUEUE_MAX = 2_000

/**
 * What came while the last tx was in flight goes into the next, as the ledger's own poster does: a tx for each order
 * would flush the log and seal a block for each. One at a time: two would wait for the chain's head anyhow.
 */
export function createOrderIntake(deps: IntakeDeps): OrderIntake {
  const queue: Waiting[] = []
  let running: Promise<void> | null = null

  const drain = async () => {
    // Whoever asks in the same turn of the event loop still comes along.
    await Promise.resolve()
    for (;;) {
      const batch = queue.splice(0, DRAFTS_PER_TX)
      if (batch.length === 0) return
      await acceptBatch(deps, batch)
    }
  }
  return {
    accept: (draft) => {
      if (queue.length >= QUEUE_MAX) return Promise.reject(new LedgerBusy('too many orders wait'))
      const accepted = new Promise<Acceptance>((resolve, reject) => queue.push({ draft, resolve, reject }))
      running ??= drain().finally(() => {
        running = null
      })
      return accepted
    },
    queueDepth: () => queue.length,
    close: async () => {
      await running
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
 * Accounts, then the newest price that is known, then the chain's head, then the rows: they are new, so nobody can
 * wait for them, and only here it is known which orders the ledger has let in.
 */
async function acceptWithin(deps: IntakeDeps, tx: Tx, batch: readonly Waiting[]): Promise<Acceptance[]> {
  const accounts = batch.map(({ draft }) => accountsOf(draft.order))
  const locked = await deps.ledger.lockAccounts(
    tx,
    accounts.flatMap(({ ofEnd }) => ofEnd),
    accounts.map(({ reserved }) => reserved),
  )
  const acceptedSeq = await newestPriceSeq(tx)
  const acceptedAt = deps.clock()
  const orders = batch.map(({ draft }) => newOrder({ ...draft.order, acceptedAt, acceptedSeq }))
  const commands = orders.map((order, index) => {
    const draft = batch[index]?.draft
    if (draft === undefined) throw new Error('an order without its draft')
    return reserveCommand(order, draft.keyed, draft.detail)
  })
  const verdicts = await locked.post(commands)
  const acceptances = verdicts.map((verdict, index): Acceptance => {
    const isAccepted = verdict.outcome === 'posted' && !verdict.replayed
    return { verdict, order: isAccepted ? (orders[index] ?? null) : null }
  })
  const accepted = acceptances.flatMap(({ order }) => order ?? [])
  if (accepted.length > 0) await insertOrders(tx, accepted)
  return acceptances
}
