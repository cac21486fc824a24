import type { Log } from '#telemetry'

/** Something that is done again and again until it is stopped. */
export interface Loop {
  /** Does not wait any longer for the next round, unless the last one failed. */
  wake(): void
  /** Resolves when the round at hand has ended. */
  stop(): Promise<void>
}

const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 5_000

export interface LoopTerms {
  /** For the log: `events could not be relayed`. */
  readonly failure: string
  readonly log: Log
  /** Between 0 and 1; spreads retries. */
  readonly random: () => number
  /** @returns how long to wait before the next round, in milliseconds; 0 when there is more to do. */
  round(stopped: AbortSignal): Promise<number>
}

/** A round that fails is said once per row of failures, and tried again after a pause that grows. */
export function startLoop({ failure, log, random, round }: LoopTerms): Loop {
  const stopped = new AbortController()
  let failures = 0
  let isWanted = false
  let endPause = () => {}

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      if (ms <= 0 || stopped.signal.aborted || (isWanted && failures === 0)) return void setImmediate(resolve)
      const timer = setTimeout(resolve, ms)
      endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const roundOrRetry = async () => {
    try {
      const waitMs = await round(stopped.signal)
      if (failures > 0) log.info({ failures }, `no longer: ${failure}`)
      failures = 0
      return waitMs
    } catch (error) {
      if (stopped.signal.aborted) return 0
      if (failures === 0) log.warn({ err: error }, failure)
      else log.debug({ err: error, failures }, failure)
      failures += 1
      return Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(failures, 10)) * (0.5 + random() / 2)
    }
  }
  const run = async () => {
    while (!stopped.signal.aborted) {
      isWanted = false
      await pause(await roundOrRetry())
    }
  }
  const running = run()
  return {
    wake: () => {
      isWanted = true
      if (failures === 0) endPause()
    },
    stop: async () => {
      stopped.abort()
      endPause()
      await running
    },
  }
}
