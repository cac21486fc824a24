import type { Database } from '#db'
import type { Metrics } from '#telemetry'

export interface BacklogDeps {
  readonly db: Database
  readonly clock: () => Date
  readonly metrics: Pick<Metrics, 'gauge'>
}

/** What waits to be sent, for gauges: all of it, whichever process will send it. */
export interface WebhookBacklog {
  /** Looks again, unless it did a moment ago. */
  look(): Promise<void>
  /** This process sends no more, and does not know. */
  forget(): void
}

const LOOK_MS = 15_000
/** Enough to see that receivers are not kept up with; counting more would cost those who send. */
const COUNTED_MAX = 10_000
const NOTHING = { due: 0, oldestSeconds: 0 }

export function watchBacklog({ db, clock, metrics }: BacklogDeps): WebhookBacklog {
  let seen = NOTHING
  let lookedAt = -Infinity
  metrics.gauge(
    'kantor_webhook_deliveries_due',
    `Webhook deliveries that are due and not sent, counted up to ${COUNTED_MAX}; 0 in a process that sends none.`,
    () => seen.due,
  )
  metrics.gauge(
    'kantor_webhook_deliveries_oldest_seconds',
    'How long the one that is due longest has waited.',
    () => seen.oldestSeconds,
  )
  return {
    look: async () => {
      if (performance.now() - lookedAt < LOOK_MS) return
      lookedAt = performance.now()
      seen = await selectBacklog(db, clock())
    },
    forget: () => {
      seen = NOTHING
      lookedAt = -Infinity
    },
  }
}

async function selectBacklog(db: Database, now: Date): Promise<typeof NOTHING> {
  const { rows } = await db.query<{ due: bigint; oldest: Date | null }>({
    name: 'notifications.webhook-backlog',
    text: `select count(*) as due, min(next_attempt_at) as oldest
             from (select next_attempt_at from notifications.webhook_deliveries
                    where status = 'waiting' and next_attempt_at <= $1
                    order by next_attempt_at limit ${COUNTED_MAX}) as due`,
    values: [now],
  })
  const { due = 0n, oldest = null } = rows[0] ?? {}
  return { due: Number(due), oldestSeconds: oldest === null ? 0 : (now.getTime() - oldest.getTime()) / 1000 }
}
