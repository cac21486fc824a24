import type { OrderPreview, OrderRequest } from '@kantor/contract/api'
import { applyBps, formatAmount, formatRate, INSTRUMENT_SCALE } from '@kantor/contract/money'
import { judgeOrder } from './judge-order.ts'
import type { JudgeDeps, JudgedOrder } from './judge-order.ts'
import { fillAt } from './order-state.ts'
import { reserveAssetOf } from './order.ts'
import { textOfPrice } from './price18.ts'

const RATE_DIGITS = 10

/** What an order would cost or bring if it were filled at what can be seen now. Nothing is kept, nobody is bound. */
export async function previewOrder(
  deps: JudgeDeps,
  walletId: bigint,
  request: OrderRequest,
): Promise<OrderPreview> {
  const judged = await judgeOrder(deps, walletId, request)
  const { order, instrument, currency, settle, price, session, settlement } = judged
  const dealtAt18 = dealtAt(judged)
  const fill = fillAt(order, order.reserveMinor, dealtAt18, settlement)
  if (fill === null) throw new Error('an order that is worth while cannot be filled')
  const reserveAsset = await deps.assets.byId(reserveAssetOf(order))
  const money = (asset: { code: string; scale: number }, minor: bigint) => ({
    asset: asset.code,
    amount: formatAmount(minor, asset.scale),
  })
  return {
    instrument: { id: `${instrument.id}`, ticker: instrument.ticker, name: instrument.name },
    side: order.side,
    quantity: formatAmount(fill.quantity, INSTRUMENT_SCALE),
    price: textOfPrice(dealtAt18),
    priceAsOf: price.asOf.toISOString(),
    priceSource: price.source,
    timeliness: price.timeliness,
    value: money(currency, fill.valueMinor),
    fee: money(currency, fill.feeMinor),
    reserve: money(reserveAsset, order.reserveMinor),
    total: money(settle, fill.settledMinor),
    conversion: conversionOf(judged),
    marketOpen: session.open,
    queuedUntil: order.queuedUntil?.toISOString() ?? null,
    simulated: price.simulated,
  }
}

/** A limit that is better than the market, and a stop, are shown at what they would be dealt at if they came true. */
function dealtAt({ order, price18 }: JudgedOrder): bigint {
  const { limit18, stop18, side } = order
  if (stop18 !== null) return stop18
  if (limit18 === null) return price18
  const isMarketable = side === 'buy' ? price18 <= limit18 : price18 >= limit18
  return isMarketable ? price18 : limit18
}

/** 1 of the instrument's currency in the settling one, as it is dealt: dearer for a purchase, cheaper for a sale. */
function conversionOf({ order, quote }: JudgedOrder): OrderPreview['conversion'] {
  if (quote === null) return null
  const margin = BigInt(quote.marginBps)
  const rate =
    order.side === 'sell'
      ? applyBps(quote.mid, margin, 'down')
      : { numerator: quote.mid.numerator * 10_000n, denominator: quote.mid.denominator * (10_000n - margin) }
  const rounding = order.side === 'sell' ? 'down' : 'up'
  return {
    rate: formatRate(rate, RATE_DIGITS, rounding),
    rateAsOf: quote.asOf.toISOString(),
    source: quote.source,
  }
}
