import type { Queryable } from '#db'
import type { StreamStatus } from './providers/stock-provider.ts'

/** What whoever listens says of it, for polls and for the back office. */
export interface StreamReport {
  readonly state: StreamStatus['state'] | 'quiet'
  readonly sentence: string
  readonly instruments: number
  /** Wanted, and over the bound. */
  readonly leftOut: number
  readonly reconnects: number
  readonly dropped: number
  readonly refused: number
  /** Taken in since the last report. */
  readonly prices: number
  readonly lastEventAt: Date | null
}

export interface StreamRecord extends Omit<StreamReport, 'prices'> {
  readonly prices: bigint
  /** Nobody's when it ran out: who listened has died. */
  readonly held: boolean
}

interface Lease {
  readonly sourceId: number
  readonly holder: string
  readonly leaseMs: number
}

/**
 * Takes the right to listen if nobody has it. A lease in a row rather than an advisory lock: a lock lasts as long as
 * its connection, which a dead network or a pooler keeps open for minutes, and it could not tell polls how it goes.
 * @returns null when somebody else has it; otherwise until when the last one had listened
 */
export async function takeLease(
  q: Queryable,
  { sourceId, holder, leaseMs }: Lease,
): Promise<{ readonly lastEventAt: Date | null } | null> {
  const { rows } = await q.query<{ last_event_at: Date | null }>({
    name: 'take-stream-lease',
    text: `insert into market_data.stock_streams as held (source, holder, lease_until, state, sentence)
           values ($1, $2, clock_timestamp() + $3 * interval '1 ms', 'connecting', 'Connecting.')
               on conflict (source) do update
              set holder = excluded.holder, lease_until = excluded.lease_until, state = excluded.state,
                  sentence = excluded.sentence, reconnects = 0, dropped = 0, refused = 0
            where held.lease_until < clock_timestamp()
           returning last_event_at`,
    values: [sourceId, holder, leaseMs],
  })
  return rows[0] === undefined ? null : { lastEventAt: rows[0].last_event_at }
}

/** @returns false when somebody else has it by now */
export async function renewLease(q: Queryable, lease: Lease, report: StreamReport): Promise<boolean> {
  const { rowCount } = await q.query({
    name: 'renew-stream-lease',
    text: `update market_data.stock_streams
              set lease_until = clock_timestamp() + $3 * interval '1 ms', state = $4, sentence = $5,
                  instruments = $6, left_out = $7, reconnects = $8, dropped = $9, refused = $10,
                  prices = prices + $11, last_event_at = coalesce($12, last_event_at)
            where source = $1 and holder = $2`,
    values: [
      lease.sourceId,
      lease.holder,
      lease.leaseMs,
      report.state,
      report.sentence,
      report.instruments,
      report.leftOut,
      report.reconnects,
      report.dropped,
      report.refused,
      report.prices,
      report.lastEventAt,
    ],
  })
  return rowCount === 1
}

/** Gives it back, so that the next one need not wait until it runs out. */
export async function releaseLease(
  q: Queryable,
  { sourceId, holder }: Omit<Lease, 'leaseMs'>,
  sentence: string,
): Promise<void> {
  await q.query(
    `update market_data.stock_streams
        set lease_until = '-infinity', state = 'ended', sentence = $3, instruments = 0, left_out = 0
      where source = $1 and holder = $2`,
    [sourceId, holder, sentence],
  )
}

/** Whether prices come by themselves just now: then they need not be asked for as often. */
export async function isStreamLive(q: Queryable, sourceId: number): Promise<boolean> {
  const { rows } = await q.query<{ live: boolean }>(
    `select state = 'live' and lease_until > clock_timestamp() as live
       from market_data.stock_streams where source = $1`,
    [sourceId],
  )
  return rows[0]?.live ?? false
}

/** For the back office; null when nobody has ever listened. */
export async function readStockStream(q: Queryable, provider: string): Promise<StreamRecord | null> {
  const { rows } = await q.query<{
    held: boolean
    state: StreamRecord['state']
    sentence: string
    instruments: number
    left_out: number
    reconnects: number
    dropped: number
    refused: number
    prices: bigint
    last_event_at: Date | null
  }>(
    `select lease_until > clock_timestamp() as held, state, sentence, instruments, left_out, reconnects, dropped,
            refused, prices, last_event_at
       from market_data.stock_streams
      where source = (select id from market_data.stock_sources where provider = $1)`,
    [provider],
  )
  const [row] = rows
  if (row === undefined) return null
  const { left_out: leftOut, last_event_at: lastEventAt, ...rest } = row
  return { ...rest, leftOut, lastEventAt }
}
