import { meansTryAgain } from '#db'
import { createLooks } from '#jobs'
import { consumeOneOrder, consumePrices, ORDERS_PER_STEP_MAX } from './consume-prices.ts'
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
  const looks = createLooks({
    look: () => runOnce(deps),
    everyMs: LOOK_MS,
    retryMs: RETRY_MS,
    onFailure: (error) => deps.log.warn({ err: error }, 'orders could not be filled; tried again'),
  })
  return { runOnce: () => runOnce(deps), ...looks }
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

/** A batch that fails as a whole is done one order at a time: the one that fails is passed over at these prices. */
async function stepOrSingles(deps: EngineDeps): Promise<Step> {
  try {
    return await consumePrices(deps)
  } catch (error) {
    if (meansTryAgain(error)) throw error
    deps.log.warn({ err: error }, 'a batch of orders failed; each is tried alone')
  }
  let fills = 0
  for (let order = 0; order < ORDERS_PER_STEP_MAX; order += 1) {
    const step = await consumeOneOrder(deps)
    fills += step.fills
    if (step.state !== 'more') return { ...step, fills }
  }
  return { state: 'more', fills }
}
