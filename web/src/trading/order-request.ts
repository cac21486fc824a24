import type { OrderRequest } from '@kantor/contract/api'

export type Side = OrderRequest['side']
export type OrderType = OrderRequest['type']
export type TimeInForce = OrderRequest['timeInForce']
export type Measure = 'shares' | 'money'

/** What the ticket holds while it is filled in. Amounts are the API's text, '' for nothing, null for no amount. */
export interface TicketForm {
  side: Side
  type: OrderType
  measure: Measure
  amount: string | null
  /** What is paid from, or received in; money is counted in it. */
  settle: string
  limitPrice: string | null
  stopPrice: string | null
  timeInForce: TimeInForce
}

/** A stop waits for its price, so "at once or not at all" means nothing for it. */
export const allowedTimes = (type: OrderType): TimeInForce[] =>
  type === 'stop' ? ['day', 'gtc'] : ['day', 'gtc', 'ioc']

const given = (amount: string | null): amount is string => amount !== null && /[1-9]/u.test(amount)

/** The order as it is sent, or null while something that it needs is missing. */
export function requestOf(
  form: TicketForm,
  instrument: { id: string; currency: string },
): OrderRequest | null {
  const { side, type, timeInForce, amount, limitPrice, stopPrice } = form
  if (!given(amount)) return null
  if (type === 'limit' && !given(limitPrice)) return null
  if (type === 'stop' && !given(stopPrice)) return null
  return {
    instrument: instrument.id,
    side,
    type,
    timeInForce,
    ...(form.measure === 'money'
      ? { notional: { asset: form.settle, amount } }
      : { quantity: amount, ...(form.settle !== instrument.currency && { settleIn: form.settle }) }),
    ...(type === 'limit' && given(limitPrice) && { limitPrice }),
    ...(type === 'stop' && given(stopPrice) && { stopPrice }),
  }
}
