import { meansTryAgain } from '#db'
import { pricesSince } from '#market-data'
import type { PriceObservation } from '#market-data'
import { readPendingSplits } from './corporate-action-store.ts'
import type { EngineDeps } from './engine-deps.ts'
import { fillOrders, skipOrders } from './fill-orders.ts'
import { newYorkDayStart } from './new-york-day.ts'
import { readCandidates } from './order-store.ts'
import type { PriceReach } from './order-store.ts'
import { lockCursor, moveCursor, openCursor, readCursor } from './price-cursor.ts'
import { dealingPrice18, price18Of } from './price18.ts'

const PRICES_PER_STEP = 1_000
/** Each has up to three journals, and a block has room for 4096. */
export const ORDERS_PER_STEP_MAX = 400

/** `idle`: nothing new. `busy`: another worker is at it. `more`: there may be more to do at once. */
export type Step = { readonly state: 'idle' | 'busy' | 'more'; readonly fills: number }

/**
 * One step: the next stretch of prices against the orders that they concern, in one tx with all postings and the
 * cursor, so that a crash anywhere leaves either all of it or nothing. Which worker does it does not matter: the
 * cursor's row is locked first, before any account, and by nobody else.
 */
export async function consumePrices(
  deps: EngineDeps,
  ordersMax = ORDERS_PER_STEP_MAX,
  apply: typeof fillOrders = fillOrders,
): Promise<Step> {
  const { db, priceSource } = deps
  const seen = await readCursor(db, priceSource)
  if (seen === null) await openCursor(db, priceSource)
  const from = seen ?? (await readCursor(db, priceSource)) ?? 0n
  // Most steps find nothing, so that is looked at without a tx.
  if ((await pricesSince(db, from, 1, priceSource)).length === 0) return { state: 'idle', fills: 0 }
  return db.transaction(async (tx): Promise<Step> => {
    // Together, since nobody else moves the cursor as a rule; whoever did, read on from there.
    const [cursor, ahead, splits] = await Promise.all([
      lockCursor(tx, priceSource),
      pricesSince(tx, from, PRICES_PER_STEP, priceSource),
      readPendingSplits(tx),
    ])
    if (cursor === null) return { state: 'busy', fills: 0 }
    const prices = cursor === from ? ahead : await pricesSince(tx, cursor, PRICES_PER_STEP, priceSource)
    const end = prices.at(-1)?.seq
    if (end === undefined) return { state: 'idle', fills: 0 }
    const dealable = await pricesByInstrument(deps, prices, splits)
    const orders = await readCandidates(tx, reachesOf(deps, dealable), end, ordersMax)
    const isAll = orders.length < ordersMax
    const [fills] = await Promise.all([
      apply(deps, tx, orders, dealable, isAll ? null : end),
      isAll ? moveCursor(tx, priceSource, end) : null,
    ])
    return { state: 'more', fills }
  })
}

/**
 * After a step that failed: the first order alone, and if it is that one which fails, it is passed over at these
 * prices, so that one order cannot keep the others waiting.
 */
export async function consumeOneOrder(deps: EngineDeps): Promise<Step> {
  try {
    return await consumePrices(deps, 1)
  } catch (error) {
    if (meansTryAgain(error)) throw error
    deps.log.warn({ err: error }, 'an order could not be filled and waits for the next price')
    return consumePrices(deps, 1, skipOrders)
  }
}

/**
 * Prices of the market's sessions only: what is traded before the opening and after the close fills nobody here. Nor
 * does a price of new shares fill an order that was given in old ones: it waits for the split to end that order.
 */
async function pricesByInstrument(
  deps: EngineDeps,
  prices: readonly PriceObservation[],
  splits: ReadonlyMap<number, string>,
): Promise<Map<number, PriceObservation[]>> {
  const assets = await deps.assets.byIds([...new Set(prices.map(({ instrumentId }) => instrumentId))])
  const dealable = new Map<number, PriceObservation[]>()
  for (const price of prices) {
    const { instrumentId } = price
    if (assets.get(instrumentId)?.frozen !== false) continue
    const mic = (await deps.instruments.byId(instrumentId))?.mic
    if (mic === undefined || !isOfSession(deps, mic, price)) continue
    const splitOn = splits.get(instrumentId)
    if (splitOn !== undefined && price.asOf >= newYorkDayStart(splitOn)) continue
    dealable.set(instrumentId, [...(dealable.get(instrumentId) ?? []), price])
  }
  return dealable
}

function isOfSession(
  { marketHours }: EngineDeps,
  mic: string,
  { timeliness, asOf }: PriceObservation,
): boolean {
  if (timeliness === 'endOfDay') return true
  // The closing price bears the moment of the close, which is no longer within the session.
  return (
    marketHours.session(mic, asOf).open ||
    marketHours.lastClosed(mic, asOf).closesAt.getTime() === asOf.getTime()
  )
}

function reachesOf(deps: EngineDeps, prices: ReadonlyMap<number, readonly PriceObservation[]>): PriceReach[] {
  return [...prices].map(([instrumentId, ofOne]) => {
    const lasts = ofOne.map(({ last }) => price18Of(last, 'down'))
    const toPay = ofOne.map((price) => dealingPrice18('buy', price, deps.settings.halfSpreadBps))
    const toGet = ofOne.map((price) => dealingPrice18('sell', price, deps.settings.halfSpreadBps))
    return {
      instrumentId,
      leastToPay18: least(toPay),
      mostToGet18: most(toGet),
      leastLast18: least(lasts),
      mostLast18: most(lasts),
    }
  })
}

function least(numbers: readonly bigint[]): bigint {
  return numbers.reduce((one, other) => (other < one ? other : one))
}

function most(numbers: readonly bigint[]): bigint {
  return numbers.reduce((one, other) => (other > one ? other : one))
}
