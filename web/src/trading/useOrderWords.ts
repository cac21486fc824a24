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

  /** `Buy AAPL` */
  const titleOf = ({ side, instrument }: Order) =>
    t(side === 'buy' ? 'orders.buying' : 'orders.selling', { ticker: instrument.ticker })

  const statusOf = ({ status }: Order) => t(`orders.statuses.${status}`)

  /** A reason of a newer server is left out rather than shown as its code. */
  const reasonOf = ({ reason }: Order) =>
    reason !== null && REASONS.includes(reason) ? t(`orders.reasons.${reason}` as MessageKey) : undefined

  /** `1.5 AAPL at 200.00 USD or better` */
  function wishOf({ quantity, notional, instrument, type, limitPrice, stopPrice }: Order): string {
    const amount =
      quantity === undefined
        ? notional === undefined
          ? ''
          : money(notional.amount, notional.asset)
        : money(quantity, instrument.ticker)
    if (type === 'limit' && limitPrice !== undefined)
      return t('orders.atLimit', { amount, price: price(limitPrice) })
    if (type === 'stop' && stopPrice !== undefined)
      return t('orders.atStop', { amount, price: price(stopPrice) })
    return t('orders.atMarket', { amount })
  }

  return { titleOf, statusOf, reasonOf, wishOf }
}
