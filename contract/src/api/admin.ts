import { z } from 'zod'
import { assetCode, decimalText, id, signedAmountText, timestamp } from './shared.ts'
import { timeliness } from './market-data.ts'

/** How often something happened, or how many there are. */
const count = z.number().int().min(0)
const moment = timestamp.nullable()

export const backgroundJob = z.strictObject({
  name: z.string(),
  /** Null for jobs that only other work starts. */
  schedule: z
    .strictObject({
      /** Five fields in UTC. */
      cron: z.string(),
      /** A missed tick is made up for if it is at most this old. */
      backfillMinutes: count,
      nextTickAt: moment,
    })
    .nullable(),
  timeoutSeconds: z.number(),
  attemptsMax: count,
  runs: count,
  failures: count,
  lastStartedAt: moment,
  lastFinishedAt: moment,
  lastSuccessAt: moment,
  lastDurationMs: count.nullable(),
  /** The last thing that went wrong, though it may be over: compare `at` with `lastSuccessAt`. */
  lastError: z.strictObject({ message: z.string(), at: timestamp }).nullable(),
  waiting: count,
  running: count,
  /** With all tries used up: to be retried by hand. */
  givenUp: count,
})
export type BackgroundJob = z.infer<typeof backgroundJob>
export const backgroundJobs = z.strictObject({ items: z.array(backgroundJob), nextCursor: z.null() })

export const failedJob = z.strictObject({
  id: z.string(),
  name: z.string(),
  state: z.enum(['waiting', 'running', 'givenUp']),
  attempts: count,
  attemptsMax: count,
  lastError: z.string(),
  /** When it is tried again; of one that was given up, when it was last due. */
  runAt: timestamp,
})
export type FailedJob = z.infer<typeof failedJob>
export const failedJobs = z.strictObject({ items: z.array(failedJob), nextCursor: z.null() })

export const failedJobParams = z.strictObject({ id: z.string().regex(/^[1-9][0-9]{0,17}$/) })
export const jobParams = z.strictObject({ name: z.string().regex(/^[a-z][a-z-]{0,59}$/) })

const lastError = z.strictObject({ code: z.string(), sentence: z.string(), at: timestamp }).nullable()

export const rateProviderStatus = z.strictObject({
  name: z.string(),
  kind: z.enum(['hourly', 'daily']),
  simulated: z.boolean(),
  lastSuccessAt: moment,
  lastAsOf: moment,
  /** Of the rates held, since the moment they are of. */
  ageSeconds: count.nullable(),
  stale: z.boolean(),
  nextPollAt: moment,
  intervalSeconds: count,
  lastError,
  failuresInARow: count,
  counts: z.strictObject({ polls: count, failed: count, refused: count, quarantined: count }),
  /** A month's budget of requests; null where none is set. */
  quota: z.strictObject({ limit: count, remaining: count, resetsAt: timestamp }).nullable(),
  /** The state in one sentence. */
  sentence: z.string(),
})
export type RateProviderStatus = z.infer<typeof rateProviderStatus>

export const stockFeedStatus = z.strictObject({
  feed: z.string(),
  nextAt: moment,
  /** The last day that is complete: `2026-03-02`. */
  reachedOn: z.string().nullable(),
  lastSuccessAt: moment,
  failuresInARow: count,
  lastError,
  stored: count,
  refused: count,
  lastRefusal: z.string().nullable(),
})
export type StockFeedStatus = z.infer<typeof stockFeedStatus>

export const providers = z.strictObject({
  /** In the operator's order: the first that is fresh is dealt at. */
  rates: z.array(rateProviderStatus),
  alarms: z.strictObject({
    /** Currencies on which two providers disagree by more than spread and time explain. */
    divergences: z.array(
      z.strictObject({
        asset: assetCode,
        provider: z.string(),
        otherProvider: z.string(),
        apartBps: z.number(),
        limitBps: z.number(),
        times: count,
        lastAt: timestamp,
      }),
    ),
    /** Rates that jumped too far and wait for something to agree with them. */
    waiting: z.array(
      z.strictObject({
        provider: z.string(),
        asOf: timestamp,
        fetchedAt: timestamp,
        jumps: z.array(
          z.strictObject({
            asset: assetCode,
            held: z.string(),
            offered: z.string(),
            moveBps: z.number(),
            limitBps: z.number(),
          }),
        ),
      }),
    ),
  }),
  stocks: z.strictObject({
    provider: z.string(),
    simulated: z.boolean(),
    /** What the key may see, found by asking; null before the first answer. */
    entitlement: z
      .strictObject({
        timeliness,
        snapshots: z.boolean(),
        intraday: z.boolean(),
        stream: z.boolean().nullable(),
        refused: z.array(z.strictObject({ what: z.string(), sentence: z.string() })),
        requestsPerMinute: count.nullable(),
        probedAt: timestamp,
      })
      .nullable(),
    feeds: z.array(stockFeedStatus),
    /** Live prices; null when nobody has ever listened. */
    stream: z
      .strictObject({
        /** A process listens; otherwise the last one has gone. */
        held: z.boolean(),
        state: z.enum(['connecting', 'live', 'quiet', 'waiting', 'ended']),
        sentence: z.string(),
        instruments: count,
        /** Wanted, and over the bound. */
        leftOut: count,
        reconnects: count,
        dropped: count,
        refused: count,
        prices: count,
        lastEventAt: timestamp.nullable(),
      })
      .nullable(),
  }),
})
export type Providers = z.infer<typeof providers>

export const exposure = z.strictObject({
  /** What the house has in each currency, by purpose; below zero: it owes, or has paid out. */
  currencies: z.array(
    z.strictObject({
      asset: assetCode,
      /** Bought from customers less sold to them: what a move of the rate gains or loses on. */
      conversion: signedAmountText,
      fees: signedAmountText,
      rounding: signedAmountText,
      /** Paid in by customers, as the funding account owes it. */
      funding: signedAmountText,
      /** Paid for customers' shares, or received for them. */
      brokerage: signedAmountText,
    }),
  ),
  /** Shares that customers hold, of which the house owes each. */
  instruments: z.array(
    z.strictObject({
      instrument: z.strictObject({ id: z.string(), ticker: z.string(), name: z.string() }),
      heldByCustomers: signedAmountText,
      /** The last price; null while unknown. */
      price: decimalText.nullable(),
      currency: assetCode,
      /** What they are worth at that price, rounded down; null while unknown. */
      value: signedAmountText.nullable(),
    }),
  ),
})
export type Exposure = z.infer<typeof exposure>

export const eventsStatus = z.strictObject({
  /** Height of the ledger, and up to which of it everything is published. */
  head: count,
  relayed: count,
  /** Journals that are not published yet, counted up to 100,000. */
  backlog: count,
  consumers: z.array(
    z.strictObject({
      name: z.string(),
      /** Journals that it has not seen yet, counted up to 100,000. */
      waiting: count,
      deadLettered: count,
      lastSeenAt: timestamp,
    }),
  ),
})
export type EventsStatus = z.infer<typeof eventsStatus>

export const deadLetter = z.strictObject({
  id,
  consumer: z.string(),
  /** The journal's place in the ledger; null for a message that was no event of ours, which nobody could handle. */
  seq: z.string().nullable(),
  reason: z.string(),
  tries: count,
  diedAt: timestamp,
  /** It was asked to be handled once more, and has not been yet. */
  isReplayed: z.boolean(),
})
export type DeadLetter = z.infer<typeof deadLetter>
export const deadLetters = z.strictObject({ items: z.array(deadLetter), nextCursor: z.null() })
export const deadLetterParams = z.strictObject({ id })
export const consumerParams = z.strictObject({ name: z.string().min(1).max(100) })
/** How many events are handled once more. */
export const replayedAll = z.strictObject({ replayed: count })
