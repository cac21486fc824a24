import { Problem } from '@kantor/contract/errors'
import type { Tx } from '#db'
import type { ConversionRoom } from '#exchange'
import type { LockedAccounts, PostCommand, Verdict } from '#ledger'
import type { PriceObservation } from '#market-data'
import { converterOf, exposureOfFill, roomForFills } from './conversion-room.ts'
import type { EngineDeps } from './engine-deps.ts'
import type { BaseRate, HoldingFill, HoldingWanted } from './holdings.ts'
import { reopenActions } from './corporate-action-store.ts'
import { newYorkDay } from './new-york-day.ts'
import { accountsOf } from './order-accounts.ts'
import { fillKey, releaseCommand, tradeCommand } from './order-postings.ts'
import type { Trade, TradeContext } from './order-postings.ts'
import { decide } from './order-state.ts'
import type { FillDraft, Settlement } from './order-state.ts'
import { insertFills, lockOrders, updateOrders } from './order-store.ts'
import type { Candidate } from './order-store.ts'
import type { Order } from './order.ts'
import { dealingPrice18, price18Of } from './price18.ts'
import type { SettlementQuote } from './settlement-rate.ts'
import { settlesOn } from './settles-on.ts'
import { assetOf, codeOf, quoteOf, readSurroundings } from './surroundings.ts'
import type { Surroundings } from './surroundings.ts'

/** One order with everything that happened to it within a stretch of prices. */
interface Outcome {
  readonly order: Order
  readonly fills: readonly Trade[]
  /** What is released without a fill; else it is in the last trade. */
  readonly releasedMinor: bigint
}

/**
 * Holds prices against orders, each order's own in turn, and posts what follows: the tx of one batch of transitions.
 * Lock order: accounts ascending, the orders' rows, the chain head. An order is read again under its lock, so a
 * cancellation that came first has won.
 * @param consideredSeq null, or marks every order as held against all prices up to it, filled or not
 */
export async function fillOrders(
  deps: EngineDeps,
  tx: Tx,
  found: readonly Candidate[],
  prices: ReadonlyMap<number, readonly PriceObservation[]>,
  consideredSeq: bigint | null,
): Promise<number> {
  if (found.length === 0) return 0
  const known = await readSurroundings(deps, found)
  const accountIds = new Set(found.flatMap((order) => accountsOf(order).ofFill))
  // Sent together; they run in this order.
  const [locked, orders, held] = await Promise.all([
    deps.ledger.lockAccounts(tx, [], accountIds),
    lockOrders(
      tx,
      found.map(({ id }) => id),
    ),
    deps.holdings.open(
      tx,
      found.map((order) => holdingOf(known, order)),
    ),
  ])
  const room = await roomForFills(deps, tx, orders, (order) => quoteOf(known, order))
  const outcomes = orders.map((order) =>
    outcomeOf(deps, { known, room }, order, prices.get(order.instrumentId) ?? []),
  )
  const marked = outcomes.map((outcome) => ({ ...outcome, order: considered(outcome.order, consideredSeq) }))
  const changed = marked.filter(({ order }, index) => order !== orders[index])
  if (changed.length === 0) return 0
  const filled = changed.flatMap(({ order, fills }) => fills.map(({ fill }) => ({ order, fill })))
  await Promise.all([reopenForLate(deps, tx, filled), room.store(tx)])
  // Sent together too, the chain's head last: while the server writes these, the journals are prepared.
  await Promise.all([
    updateOrders(
      tx,
      changed.map(({ order }) => order),
    ),
    ...(filled.length === 0
      ? []
      : [
          storeFills(deps, tx, known, filled),
          held.onFills(filled.map((each) => holdingFillOf(deps, known, each))),
        ]),
    post(
      locked,
      changed.flatMap((outcome) => commandsOf(known, outcome)),
    ),
  ])
  return filled.length
}

/** Marks orders as held against these prices without filling them. */
export async function skipOrders(
  _deps: EngineDeps,
  tx: Tx,
  found: readonly Candidate[],
  prices: ReadonlyMap<number, readonly PriceObservation[]>,
  consideredSeq: bigint | null,
): Promise<number> {
  const orders = await lockOrders(
    tx,
    found.map(({ id }) => id),
  )
  const skipped = orders.map((order) =>
    considered(order, consideredSeq ?? prices.get(order.instrumentId)?.at(-1)?.seq ?? null),
  )
  await updateOrders(tx, skipped)
  return 0
}

function considered(order: Order, seq: bigint | null): Order {
  return seq === null || order.doneAt !== null || order.lastSeq >= seq ? order : { ...order, lastSeq: seq }
}

function outcomeOf(
  deps: EngineDeps,
  { known, room }: { readonly known: Surroundings; readonly room: ConversionRoom },
  order: Order,
  prices: readonly PriceObservation[],
): Outcome {
  const quote = quoteOf(known, order)
  const settlement: Settlement = order.currencyId === order.settleId ? 'same' : (quote ?? 'unknown')
  let current = order
  let releasedMinor = 0n
  const fills: Trade[] = []
  for (const price of prices) {
    const event = {
      kind: 'price',
      seq: price.seq,
      asOf: price.asOf,
      price18: dealingPrice18(order.side, price, deps.settings.halfSpreadBps),
      last18: price18Of(price.last, 'down'),
      sharesMax: deps.settings.sharesPerPriceMax,
      settlement,
      at: deps.clock(),
    } as const
    const wanted = decide(current, event)
    // Past the exchange's caps there is no rate to deal at.
    const decision =
      quote === null || isWithinCaps(deps, { known, room }, current, wanted.fill, quote)
        ? wanted
        : decide(current, { ...event, settlement: 'unknown' })
    current = decision.order
    const { fill, releasedMinor: released } = decision
    if (fill === null) releasedMinor += released
    else {
      const context = contextOf(known, order, price, quote)
      fills.push({ fill, context, after: current, releasedMinor: released })
    }
    if (current.doneAt !== null) break
  }
  return { order: current, fills, releasedMinor }
}

function isWithinCaps(
  { rates }: EngineDeps,
  { known, room }: { readonly known: Surroundings; readonly room: ConversionRoom },
  order: Order,
  fill: FillDraft | null,
  quote: SettlementQuote,
): boolean {
  if (fill === null) return true
  const [currency, settle] = [assetOf(known, order.currencyId), assetOf(known, order.settleId)]
  const exposure = exposureOfFill(rates, order, fill, { currency, settle })
  return exposure !== null && room.take(converterOf(order, quote), exposure)
}

function contextOf(
  known: Surroundings,
  order: Order,
  price: Pick<PriceObservation, 'source' | 'timeliness' | 'simulated'>,
  quote: SettlementQuote | null,
): TradeContext {
  return {
    instrumentCode: codeOf(known, order.instrumentId),
    currencyCode: codeOf(known, order.currencyId),
    settleCode: codeOf(known, order.settleId),
    priceSource: price.source,
    timeliness: price.timeliness,
    simulated: price.simulated,
    quote,
  }
}

interface Filled {
  readonly order: Order
  readonly fill: FillDraft
}

function storeFills(deps: EngineDeps, tx: Tx, known: Surroundings, filled: readonly Filled[]): Promise<void> {
  const settles = (order: Order, fill: FillDraft) =>
    settlesOn(deps.marketHours, known.instruments.get(order.instrumentId)?.mic ?? 'XNYS', fill.asOf)
  return insertFills(
    tx,
    filled.map(({ order, fill }) => ({ orderId: order.id, fill, settlesOn: settles(order, fill) })),
  )
}

/** Shares dealt before today whose price came in only now count for what companies did since. */
async function reopenForLate(deps: EngineDeps, tx: Tx, filled: readonly Filled[]): Promise<void> {
  const today = newYorkDay(deps.clock())
  const days = new Map<number, string>()
  for (const { order, fill } of filled) {
    const day = newYorkDay(fill.asOf)
    const earliest = days.get(order.instrumentId) ?? today
    if (day < earliest) days.set(order.instrumentId, day)
  }
  for (const [instrumentId, day] of days) await reopenActions(tx, instrumentId, day, today)
}

/** A sale never sells more than is set aside for it. */
function holdingOf(known: Surroundings, order: Candidate): HoldingWanted {
  const { walletId, instrumentId, currencyId, side, reserveLeftMinor } = order
  const baseCurrency = known.baseCurrencies.get(walletId) ?? null
  return {
    walletId,
    instrumentId,
    currencyId,
    baseCurrency,
    sharesMax: side === 'sell' ? reserveLeftMinor : 0n,
  }
}

function holdingFillOf(deps: EngineDeps, known: Surroundings, { order, fill }: Filled): HoldingFill {
  return {
    walletId: order.walletId,
    instrumentId: order.instrumentId,
    side: order.side,
    quantity: fill.quantity,
    cash: { assetId: order.currencyId, minor: fill.valueMinor },
    fee: { assetId: order.currencyId, minor: fill.feeMinor },
    at: fill.asOf,
    orderId: order.id,
    fillNumber: fill.number,
    journalKey: fillKey(order.id, fill.number),
    baseRate: baseRateOf(deps, known, order),
  }
}

function baseRateOf(deps: EngineDeps, known: Surroundings, order: Order): BaseRate | null {
  const baseCurrency = known.baseCurrencies.get(order.walletId)
  if (baseCurrency === undefined) return null
  const rate = deps.rates.rate(codeOf(known, order.currencyId), baseCurrency)
  if (rate.unknown) return null
  const snapshotIds = [...new Set(rate.legs.map(({ snapshotId }) => `${snapshotId}`))]
  return { baseCurrency, rate: rate.rate, snapshotIds, source: rate.source, asOf: rate.asOf }
}

function commandsOf(known: Surroundings, { order, fills, releasedMinor }: Outcome): PostCommand[] {
  const trades = fills.map(tradeCommand)
  if (releasedMinor === 0n) return trades
  return [
    ...trades,
    releaseCommand(order, releasedMinor, { instrumentCode: codeOf(known, order.instrumentId) }),
  ]
}

async function post(locked: LockedAccounts, commands: PostCommand[]): Promise<void> {
  if (commands.length > 0) requirePosted(await locked.post(commands))
}

/**
 * Everything was set aside before, so a refusal or a replay is a broken invariant: the whole tx is undone.
 * @throws Problem asset_frozen, which is none
 */
export function requirePosted(verdicts: readonly Verdict[]): void {
  for (const verdict of verdicts) {
    if (verdict.outcome === 'refused' && verdict.reason === 'asset_frozen') throw new Problem('asset_frozen')
    if (verdict.outcome === 'refused')
      throw new Error(`a transition of an order was refused: ${verdict.reason}`)
    if (verdict.replayed) throw new Error('a transition of an order was posted before')
  }
}
