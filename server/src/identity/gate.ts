import { Problem } from '@kantor/contract/errors'

export interface GateOptions {
  /** How many run at the same time. */
  readonly atOnce: number
  /** How many may wait for their turn; one more is refused as `busy`. */
  readonly waitingMax: number
  readonly retryAfterSeconds: number
}

export type Gate = <T>(work: () => Promise<T>) => Promise<T>

/** Lets in a bounded number at once, first come first served, and refuses beyond a bounded queue. */
export function createGate(options: GateOptions): Gate {
  const waiting: (() => void)[] = []
  let running = 0
  const leave = () => {
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }
  return async (work) => {
    if (running < options.atOnce) running += 1
    else if (waiting.length < options.waitingMax) await new Promise<void>((enter) => waiting.push(enter))
    else throw new Problem('busy', { retryAfterSeconds: options.retryAfterSeconds })
    try {
      return await work()
    } finally {
      leave()
    }
  }
}
