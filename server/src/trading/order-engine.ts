import { meansTryAgain } from '#db'
import { consumeOneOrder, consumePrices } from './consume-prices.ts'
import type { Step } from './consume-prices.ts'
import type { EngineDeps } from './engine-deps.ts'
import { expireOrders } from './expire-orders.ts'

/** What fills and expires orders. Any number of processes may run one; they take turns by themselves. */
export interface OrderEngine {
  /** Everything that is to be done now. For tests, and for whoever cannot wait for the next look. @returns fills */
  runOnce(): Promise<number>
  start(): void
  /** Looks at once: a price has come in. */
  wake(): void
  stop(): Promise<void>
}

const LOOK_MS = 500
const RETRY_MS = 2_000

export function createOrderEngine(deps: EngineDeps): OrderEngine {
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
    let waitMs = LOOK_MS
    running = runOnce(deps)
      .catch((error: unknown) => {
        waitMs = RETRY_MS
        deps.log.warn({ err: error }, 'orders could not be filled; tried again')
      })
      .finally(() => {
        running = null
        schedule(wanted ? 0 : waitMs)
      })
  }
  return {
    runOnce: () => runOnce(deps),
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

/** Prices first: an order whose session is over may still be filled by a price of that session. */
async function runOnce(deps: EngineDeps): Promise<number> {
  let fills = 0
  for (;;) {
    const step = await stepOrSingles(deps)
    fills += step.fills
    if (step.state !== 'more') break
  }
  await expireOrders(deps)
  return fills
}

/** A batch that fails as a whole is tried one order at a time. */
async function stepOrSingles(deps: EngineDeps): Promise<Step> {
  try {
    return await consumePrices(deps)
  } catch (error) {
    if (meansTryAgain(error)) throw error
    deps.log.warn({ err: error }, 'a batch of orders failed; each is tried alone')
    return consumeOneOrder(deps)
  }
}
