import type { Database } from '#db'
import { attemptDelivery, settleAttempt } from './attempt-delivery.ts'
import type { AttemptDeps } from './attempt-delivery.ts'
import { endLease, leaseReceivers, selectDue } from './delivery-store.ts'
import type { LeasedReceiver } from './delivery-store.ts'
import { watchBacklog } from './webhook-backlog.ts'
import type { BacklogDeps } from './webhook-backlog.ts'

export interface WebhookSenderDeps extends AttemptDeps, BacklogDeps {
  readonly db: Database
  readonly newId: () => string
  readonly log: { warn(fields: object, message: string): void }
}

export interface WebhookSender {
  start(): void
  /** Lets what is being sent end within the grace; what was not written down by then is sent again. */
  stop(graceSeconds: number): Promise<void>
  /** Sends all that is due and comes back when nothing is. For tests, which do not wait for the clock. */
  drain(): Promise<void>
}

/** Receivers at once in this process. Those that fail or take long share a few places of their own. */
const LANES = [
  { slow: false, receiversMax: 16 },
  { slow: true, receiversMax: 8 },
] as const
const POLL_MS = 500
/** After so many messages or so long a receiver lets the others of its lane have their turn. */
const TURN_MESSAGES_MAX = 20
const TURN_SECONDS = 20
/** Longer than a turn and an attempt; what a dead process held is taken over after it. */
const LEASE_SECONDS = 60

type Lane = { readonly slow: boolean; readonly receiversMax: number; readonly busy: Set<Promise<void>> }

/**
 * Sends what is due, in any number of processes. Not jobs of the queue, of which a process runs four at a time: four
 * receivers that never answer would keep the rates from being polled. The rows are as durable as jobs are.
 */
export function createWebhookSender(deps: WebhookSenderDeps): WebhookSender {
  const processId = deps.newId()
  const backlog = watchBacklog(deps)
  const lanes: Lane[] = LANES.map((lane) => ({ ...lane, busy: new Set() }))
  let timer: NodeJS.Timeout | null = null
  let stopped = true

  async function fill(lane: Lane): Promise<number> {
    const limit = lane.receiversMax - lane.busy.size
    if (limit <= 0) return 0
    const now = deps.clock()
    const until = new Date(now.getTime() + LEASE_SECONDS * 1000)
    const receivers = await leaseReceivers(deps.db, { slow: lane.slow, limit }, { by: processId, now, until })
    for (const receiver of receivers) {
      const { id: webhookId } = receiver
      // Its lease is left to run out: what cannot be read, say, would be begun anew at once, and for ever.
      const turn = serve(deps, receiver)
        .then(() => endLease(deps.db, webhookId, processId))
        .catch((error: unknown) =>
          deps.log.warn({ err: error, webhookId }, 'a turn of a webhook was cut short'),
        )
        .finally(() => lane.busy.delete(turn))
      lane.busy.add(turn)
    }
    return receivers.length
  }

  async function tick(): Promise<void> {
    try {
      const found = await Promise.all(lanes.map(fill))
      await backlog.look()
      next(found.some((count) => count > 0) ? 0 : POLL_MS)
    } catch (error) {
      deps.log.warn({ err: error }, 'webhooks could not be looked for')
      next(POLL_MS)
    }
  }

  let ticking: Promise<void> = Promise.resolve()
  function next(delayMs: number): void {
    if (stopped) return
    timer = setTimeout(() => (ticking = tick()), delayMs)
  }

  const turns = () => Promise.all(lanes.flatMap(({ busy }) => [...busy]))
  return {
    start() {
      if (!stopped) return
      stopped = false
      next(0)
    },
    async stop(graceSeconds) {
      stopped = true
      if (timer !== null) clearTimeout(timer)
      await ticking
      const grace = Promise.withResolvers<void>()
      const cut = setTimeout(grace.resolve, graceSeconds * 1000)
      await Promise.race([turns(), grace.promise])
      clearTimeout(cut)
      backlog.forget()
    },
    async drain() {
      let found: number[]
      do {
        found = await Promise.all(lanes.map(fill))
        await turns()
      } while (found.some((count) => count > 0))
    },
  }
}

/** One turn: its messages one after the other, until one fails, nothing is due, or it is the others' turn. */
async function serve(deps: WebhookSenderDeps, receiver: LeasedReceiver): Promise<void> {
  const endsAt = performance.now() + TURN_SECONDS * 1000
  for (let sent = 0; sent < TURN_MESSAGES_MAX && performance.now() < endsAt; sent += 1) {
    const delivery = await selectDue(deps.db, receiver.id, deps.clock())
    if (delivery === undefined) return
    const attempt = await attemptDelivery(deps, receiver, delivery)
    await deps.db.transaction((tx) => settleAttempt(tx, deps, receiver, delivery, attempt))
    if (!attempt.succeeded) return
  }
}
