import type { Order } from '@kantor/contract/api'
import { useFormat, useText, type MessageKey } from '#i18n'

const REASONS = [
  'byCustomer',
  'notMarketable',
  'rateUnknown',
  'reserveUsed',
  'tooSmall',
  'sessionEnded',
  'split',
  'delisted',
]

/** An order in words. */
export function useOrderWords() {
  const { t } = useText()
  const { money, price } = useFormat()
  const priced = (amount: string, { fee }: Order) => `${price(amount)}\u00a0${fee.asset}`

  /** `Buy AAPL` */
  const titleOf = ({ side, instrument }: Order) =>
    t(side === 'buy' ? 'orders.buying' : 'orders.selling', { ticker: instrument.ticker })

  const statusOf = ({ status }: Order) => t(`orders.statuses.${status}`)

  /** A reason of a newer server is left out rather than shown as its code. */
  const reasonOf = ({ reason }: Order) =>
    reason !== null && REASONS.includes(reason) ? t(`orders.reasons.${reason}` as MessageKey) : undefined

  /** `1.5 AAPL at 200.00 USD or better` */
  function wishOf(order: Order): string {
    const { quantity, notional, instrument, type, limitPrice, stopPrice } = order
    const amount =
      quantity === undefined
        ? notional === undefined
          ? ''
          : money(notional.amount, notional.asset)
        : money(quantity, instrument.ticker)
    if (type === 'limit' && limitPrice !== undefined)
      return t('orders.atLimit', { amount, price: priced(limitPrice, order) })
    if (type === 'stop' && stopPrice !== undefined)
      return t('orders.atStop', { amount, price: priced(stopPrice, order) })
    return t('orders.atMarket', { amount })
  }

  return { titleOf, statusOf, reasonOf, wishOf, priced }
}
