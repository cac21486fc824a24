import type { Order as OrderBody, OrderRequest } from '@kantor/contract/api'
import { formatAmount } from '@kantor/contract/money'
import type { JournalRef, Ledger, PostCommand } from '#ledger'
import { judgedOrReplayed, refusalProblem, requestHash } from '#wallets'
import type { KeyedRequest } from '#wallets'
import { judgeOrder } from './judge-order.ts'
import type { JudgedOrder, JudgeDeps } from './judge-order.ts'
import type { OrderIntake } from './order-intake.ts'
import { orderBodyAtFirst, requireOrder } from './show-orders.ts'
import type { ShowDeps } from './show-orders.ts'
import { reserveAssetOf } from './order.ts'
import { textOfPrice } from './price18.ts'

export interface PlaceDeps extends JudgeDeps, ShowDeps {
  readonly ledger: Ledger
  readonly intake: OrderIntake
}

/** Accepts an order and sets its worst case aside, both or neither. The same key again answers the first order. */
export async function placeOrder(
  deps: PlaceDeps,
  walletId: bigint,
  request: OrderRequest,
  key: string,
): Promise<{ body: OrderBody; replayed: boolean }> {
  const keyed = { walletId, key, requestHash: requestHash('order', fieldsOf(request)) }
  const outcome = await judgedOrReplayed(deps.ledger, keyed, () => judgeOrder(deps, walletId, request))
  if ('replay' in outcome) return replayed(deps, walletId, outcome.replay.journal)
  return accept(deps, outcome.judged, keyed)
}

async function accept(
  deps: PlaceDeps,
  judged: JudgedOrder,
  keyed: KeyedRequest,
): Promise<{ body: OrderBody; replayed: boolean }> {
  const { verdict, order } = await deps.intake.accept({
    order: judged.order,
    keyed,
    detail: detailOf(deps, judged),
  })
  if (verdict.outcome === 'refused') throw refusalProblem(verdict.reason)
  if (order === null) return replayed(deps, keyed.walletId, verdict.journal)
  return { body: await orderBodyAtFirst(deps, order), replayed: false }
}

/** The key's journal names the order that it was accepted as. */
async function replayed(
  deps: PlaceDeps,
  walletId: bigint,
  journal: JournalRef,
): Promise<{ body: OrderBody; replayed: boolean }> {
  const orderId = journal.detail?.['orderId']
  if (typeof orderId !== 'string') throw new Error(`journal ${journal.id} reserves for no order`)
  const order = await requireOrder(deps.db, walletId, orderId)
  return { body: await orderBodyAtFirst(deps, order), replayed: true }
}

function fieldsOf(request: OrderRequest): (string | null)[] {
  const { instrument, side, type, quantity, notional, limitPrice, stopPrice, timeInForce, settleIn } = request
  return [
    instrument,
    side,
    type,
    quantity ?? null,
    notional?.asset ?? null,
    notional?.amount ?? null,
    limitPrice ?? null,
    stopPrice ?? null,
    timeInForce,
    settleIn ?? null,
  ]
}

/** What the reserve was made of, for whoever asks later why so much. */
function detailOf({ settings }: PlaceDeps, judged: JudgedOrder): NonNullable<PostCommand['detail']> {
  const { order, instrument, currency, settle, price, price18, quote } = judged
  const isOfShares = reserveAssetOf(order) === order.instrumentId
  return {
    instrument: instrument.code,
    ...(order.quantity === null ? {} : { quantity: formatAmount(order.quantity, 9) }),
    ...(order.notionalMinor === null ? {} : { notional: formatAmount(order.notionalMinor, settle.scale) }),
    ...(order.limit18 === null ? {} : { limitPrice: textOfPrice(order.limit18) }),
    ...(order.stop18 === null ? {} : { stopPrice: textOfPrice(order.stop18) }),
    priceSeen: textOfPrice(price18),
    priceCurrency: currency.code,
    priceSource: price.source,
    priceAsOf: price.asOf.toISOString(),
    ...(isOfShares || order.type === 'limit' ? {} : { cushionBps: settings.cushionBps }),
    ...(quote === null || isOfShares
      ? {}
      : {
          settle: settle.code,
          mid: quote.midText,
          marginBps: quote.marginBps,
          rateSource: quote.source,
          rateAsOf: quote.asOf.toISOString(),
          rateCushionBps: settings.rateCushionBps,
        }),
  }
}
