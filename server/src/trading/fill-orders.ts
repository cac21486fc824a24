import type { Tx } from '#db'
import type { PostCommand, Verdict } from '#ledger'
import type { Instrument, PriceObservation } from '#market-data'
import type { WalletAsset } from '#wallets'
import type { EngineDeps } from './engine-deps.ts'
import type { BaseRate, HoldingFill } from './holdings.ts'
import { accountsOf } from './order-accounts.ts'
import { fillKey, releaseCommand, tradeCommand } from './order-postings.ts'
import type { TradeContext } from './order-postings.ts'
import { decide } from './order-state.ts'
import type { FillDraft, Settlement } from './order-state.ts'
import { insertFills, lockOrders, updateOrders } from './order-store.ts'
import type { Order } from './order.ts'
import { dealingPrice18, price18Of } from './price18.ts'
import { settlementQuote } from './settlement-rate.ts'
import type { SettlementQuote } from './settlement-rate.ts'
import { settlesOn } from './settles-on.ts'

/** One order with everything that happened to it within a stretch of prices. */
interface Outcome {
  readonly order: Order
  readonly fills: readonly { readonly fill: FillDraft; readonly context: TradeContext }[]
  readonly releasedMinor: bigint
}

/** What orders are judged by that is read before any lock is taken: rates, names, customers' base currencies. */
export interface Surroundings {
  readonly instruments: ReadonlyMap<number, Instrument>
  readonly assets: ReadonlyMap<number, WalletAsset>
  /** By `currencyId/settleId`; null: no rate to deal at. */
  readonly quotes: ReadonlyMap<string, SettlementQuote | null>
  readonly baseCurrencies: ReadonlyMap<bigint, string>
}

const pairOf = ({ currencyId, settleId }: Order): string => `${currencyId}/${settleId}`

export async function readSurroundings(deps: EngineDeps, orders: readonly Order[]): Promise<Surroundings> {
  const assets = await deps.assets.byIds([
    ...new Set(
      orders.flatMap(({ instrumentId, currencyId, settleId }) => [instrumentId, currencyId, settleId]),
    ),
  ])
  const instruments = new Map<number, Instrument>()
  const quotes = new Map<string, SettlementQuote | null>()
  for (const order of orders) {
    const { instrumentId, currencyId, settleId } = order
    if (!instruments.has(instrumentId)) {
      const instrument = await deps.instruments.byId(instrumentId)
      if (instrument !== null) instruments.set(instrumentId, instrument)
    }
    if (currencyId === settleId || quotes.has(pairOf(order))) continue
    const [currency, settle] = [assets.get(currencyId), assets.get(settleId)]
    if (currency === undefined || settle === undefined)
      throw new Error(`order ${order.id} is of unknown assets`)
    const quote = settle.frozen ? null : await settlementQuote(deps, currency.code, settle.code)
    quotes.set(pairOf(order), quote === null || 'refused' in quote ? null : quote)
  }
  const baseCurrencies = await deps.baseCurrenciesOf([...new Set(orders.map(({ walletId }) => walletId))])
  return { instruments, assets, quotes, baseCurrencies }
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
  found: readonly Order[],
  prices: ReadonlyMap<number, readonly PriceObservation[]>,
  consideredSeq: bigint | null,
): Promise<number> {
  if (found.length === 0) return 0
  const known = await readSurroundings(deps, found)
  const accountIds = new Set(found.flatMap((order) => accountsOf(order).ofFill))
  const locked = await deps.ledger.lockAccounts(tx, [], accountIds)
  const orders = await lockOrders(
    tx,
    found.map(({ id }) => id),
  )
  const outcomes = orders.map((order) => outcomeOf(deps, known, order, prices.get(order.instrumentId) ?? []))
  const marked = outcomes.map((outcome) => ({ ...outcome, order: considered(outcome.order, consideredSeq) }))
  const changed = marked.filter(({ order }, index) => order !== orders[index])
  if (changed.length === 0) return 0
  await updateOrders(
    tx,
    changed.map(({ order }) => order),
  )
  await storeFills(deps, tx, known, changed)
  const commands = changed.flatMap((outcome) => commandsOf(known, outcome))
  if (commands.length > 0) requirePosted(await locked.post(commands))
  return changed.reduce((sum, { fills }) => sum + fills.length, 0)
}

/** Marks orders as held against these prices without filling them. */
export async function skipOrders(
  _deps: EngineDeps,
  tx: Tx,
  found: readonly Order[],
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
  known: Surroundings,
  order: Order,
  prices: readonly PriceObservation[],
): Outcome {
  const quote = order.currencyId === order.settleId ? undefined : (known.quotes.get(pairOf(order)) ?? null)
  const settlement: Settlement = quote === undefined ? 'same' : (quote ?? 'unknown')
  let current = order
  let releasedMinor = 0n
  const fills: { fill: FillDraft; context: TradeContext }[] = []
  for (const price of prices) {
    const decision = decide(current, {
      kind: 'price',
      seq: price.seq,
      asOf: price.asOf,
      price18: dealingPrice18(order.side, price, deps.settings.halfSpreadBps),
      last18: price18Of(price.last, 'down'),
      sharesMax: deps.settings.sharesPerPriceMax,
      settlement,
      at: deps.clock(),
    })
    current = decision.order
    releasedMinor += decision.releasedMinor
    if (decision.fill !== null)
      fills.push({ fill: decision.fill, context: contextOf(known, order, price, quote ?? null) })
    if (current.doneAt !== null) break
  }
  return { order: current, fills, releasedMinor }
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

function codeOf({ assets }: Surroundings, assetId: number): string {
  const asset = assets.get(assetId)
  if (asset === undefined) throw new Error(`asset ${assetId} is not among the assets`)
  return asset.code
}

async function storeFills(
  deps: EngineDeps,
  tx: Tx,
  known: Surroundings,
  outcomes: readonly Outcome[],
): Promise<void> {
  const filled = outcomes.flatMap(({ order, fills }) => fills.map(({ fill }) => ({ order, fill })))
  if (filled.length === 0) return
  await insertFills(
    tx,
    filled.map(({ order, fill }) => ({
      orderId: order.id,
      fill,
      settlesOn: settlesOn(
        deps.marketHours,
        known.instruments.get(order.instrumentId)?.mic ?? 'XNYS',
        fill.asOf,
      ),
    })),
  )
  await deps.holdings.onFills(
    tx,
    filled.map(({ order, fill }) => holdingFillOf(deps, known, order, fill)),
  )
}

function holdingFillOf(deps: EngineDeps, known: Surroundings, order: Order, fill: FillDraft): HoldingFill {
  return {
    walletId: order.walletId,
    instrumentId: order.instrumentId,
    side: order.side,
    quantity: fill.quantity,
    cash: { assetId: order.currencyId, minor: fill.valueMinor },
    fee: { assetId: order.currencyId, minor: fill.feeMinor },
    at: fill.at,
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
  const trades = fills.map(({ fill, context }) => tradeCommand(order, fill, context))
  if (releasedMinor === 0n) return trades
  return [
    ...trades,
    releaseCommand(order, releasedMinor, { instrumentCode: codeOf(known, order.instrumentId) }),
  ]
}

/** Everything was set aside before, so a refusal or a replay is a broken invariant: the whole tx is undone. */
export function requirePosted(verdicts: readonly Verdict[]): void {
  for (const verdict of verdicts) {
    if (verdict.outcome === 'refused')
      throw new Error(`a transition of an order was refused: ${verdict.reason}`)
    if (verdict.replayed) throw new Error('a transition of an order was posted before')
  }
}
