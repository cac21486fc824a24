/** Something that looks by itself, again and again, whether there is anything to do. */
export interface Looks {
  start(): void
  /** Looks at once; if it is looking already, once more right after. Nothing before `start`. */
  wake(): void
  /** Resolves when the look at hand has ended. */
  stop(): Promise<void>
}

export interface LooksTerms {
  look(): Promise<unknown>
  readonly everyMs: number
  /** After a look that failed. */
  readonly retryMs: number
  onFailure(error: unknown): void
}

/** One look at a time. It keeps no process alive. */
export function createLooks({ look, everyMs, retryMs, onFailure }: LooksTerms): Looks {
  let timer: NodeJS.Timeout | null = null
  let running: Promise<unknown> | null = null
  let stopped = true
  let wanted = false

  const schedule = (ms: number) => {
    if (timer !== null) clearTimeout(timer)
    timer = stopped ? null : setTimeout(tick, ms).unref()
  }
  const tick = () => {
    if (running !== null) {
      wanted = true
      return
    }
    wanted = false
    let waitMs = everyMs
    running = look()
      .catch((error: unknown) => {
        waitMs = retryMs
        onFailure(error)
      })
      .finally(() => {
        running = null
        schedule(wanted ? 0 : waitMs)
      })
  }
  return {
    start: () => {
      stopped = false
      schedule(0)
    },
    wake: () => {
      if (!stopped) tick()
    },
    async stop() {
      stopped = true
      if (timer !== null) clearTimeout(timer)
      timer = null
      await running
    },
  }
}
