import { performance } from 'node:perf_hooks'

export interface ClockJumpDeps {
  /** Milliseconds since 1970, as the machine believes; it may be set. */
  readonly wallClockMs: () => number
  readonly everyMs: number
  readonly onJump: (bySeconds: number) => void
}

/** More than what a time server corrects step by step, and less than anybody's schedule. */
const JUMP_MS_MIN = 60_000

/**
 * Tells when the machine's clock is set to another time, forwards or backwards, by what else than time has passed on
 * it: the library's clock sleeps until the next minute that it has not seen, so one that is set back by a day would
 * tick no more for a day, and one that is set forward by a year would go through half a million minutes.
 */
export function watchClock(deps: ClockJumpDeps): () => void {
  const offset = () => deps.wallClockMs() - performance.now()
  let known = offset()
  const timer = setInterval(() => {
    const moved = offset() - known
    if (Math.abs(moved) < JUMP_MS_MIN) return
    known += moved
    deps.onJump(Math.round(moved / 1000))
  }, deps.everyMs).unref()
  return () => clearInterval(timer)
}
