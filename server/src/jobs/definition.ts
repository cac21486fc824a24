import type { z } from 'zod'

export interface JobRun {
  /** Aborted at the job's deadline and when the process is asked to stop. */
  readonly signal: AbortSignal
  /** 1 for the first try. */
  readonly attempt: number
}

/** Behind whatever the clock starts: hundreds of letters that nobody takes must not keep the rates from being polled. */
export const DELIVERY_PRIORITY = 10

/**
 * One kind of work. It may run more than once for one request (a process can die between the work and its
 * tick in the queue), so it must be idempotent.
 */
export interface JobDefinition<Payload extends z.ZodType = z.ZodType> {
  /** `poll-rates`: the same name for ever, since queued rows carry it. */
  readonly name: string
  readonly payload: Payload
  /** After this the run counts as failed, whether or not it listens to its signal. */
  readonly timeoutSeconds: number
  /** Tries in all. Between them: e, e², … e¹⁰ seconds (2.7 s, 7.4 s, 20 s, … 6 h). */
  readonly attemptsMax: number
  /**
   * Of the jobs that are due, those of the lowest run first, whatever the others' age. Default 0; `DELIVERY_PRIORITY`
   * for what is queued once per customer or message, of which there may be any number.
   */
  readonly priority?: number
  run(payload: z.output<Payload>, run: JobRun): Promise<void>
}

/** A definition as lists hold it: its payload's type is its own affair. */
export interface AnyJob extends Omit<JobDefinition, 'run' | 'payload'> {
  start(payload: unknown, run: JobRun): Promise<void>
}

/** Ties a job's payload to its schema. What is queued is parsed again when it runs: it may be of an older release. */
export function defineJob<Payload extends z.ZodType>(definition: JobDefinition<Payload>): AnyJob {
  const { name, timeoutSeconds, attemptsMax, priority = 0 } = definition
  return {
    name,
    timeoutSeconds,
    attemptsMax,
    priority,
    start: async (payload, run) => definition.run(definition.payload.parse(payload), run),
  }
}

/** When a job is run by the clock. Its payload is `{}`. */
export interface ScheduleEntry {
  readonly job: string
  /** Five fields in UTC: `0 * * * *`. */
  readonly cron: string
  /** A tick missed while nothing ran is made up for if it is at most this old. 0: never. */
  readonly backfillMinutes: number
  /** Also run once when a process starts, for what must not wait for the first tick. */
  readonly atStart?: boolean
}
