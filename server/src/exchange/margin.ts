import { isWeekend } from './weekend.ts'

/** The parts of a margin, in whole basis points. */
export interface Margin {
  readonly baseBps: number
  readonly weekendBps: number
  readonly ageBps: number
  /** Their sum. */
  readonly totalBps: number
}

/**
 * What the house keeps between mid and the customer's rate. The age term is what the rate has probably moved since
 * it was taken, σ · √age, rounded up: without it, whoever watches a faster feed buys at yesterday's price.
 */
export function marginOf(given: {
  readonly baseBps: number
  /** Added while the market is closed. */
  readonly weekendBps: number
  readonly at: Date
  readonly ageSeconds: number
  readonly sigmaBpsPerSqrtHour: number
}): Margin {
  const weekendBps = isWeekend(given.at) ? given.weekendBps : 0
  const ageBps = Math.ceil(given.sigmaBpsPerSqrtHour * Math.sqrt(Math.max(0, given.ageSeconds) / 3_600))
  if (!Number.isSafeInteger(ageBps)) throw new Error(`the margin's age term is ${ageBps}`)
  return { baseBps: given.baseBps, weekendBps, ageBps, totalBps: given.baseBps + weekendBps + ageBps }
}
