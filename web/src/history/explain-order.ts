import type { OperationInFull } from '@kantor/contract/api'
import { useFormat, useText, type MessageKey } from '#i18n'
import type { Step } from './explain-rows.ts'

const TIMELINESS = ['realTime', 'delayed', 'endOfDay']

/** What an operation says of the order that it belongs to: what was dealt, at which price, from where and when. */
export function useOrderSteps() {
  const { t } = useText()
  const { money, price, exactTime, sourceName } = useFormat()

  function sourceOf(order: NonNullable<OperationInFull['order']>): string | undefined {
    const { priceSource, priceAsOf, timeliness } = order
    if (priceSource === undefined || priceAsOf === undefined) return undefined
    const known = timeliness !== undefined && TIMELINESS.includes(timeliness)
    return known
      ? t('stocks.priceFrom', {
          source: sourceName(priceSource),
          timeliness: t(`stocks.timeliness.${timeliness}` as MessageKey),
          at: exactTime(priceAsOf),
        })
      : t('convert.source', { source: sourceName(priceSource), at: exactTime(priceAsOf) })
  }

  return function orderSteps({ order }: OperationInFull): Step[] {
    if (order === undefined) return []
    const { side, instrument, quantity, value, priceCurrency = '' } = order
    const at = order.price ?? order.priceSeen
    const note = sourceOf(order)
    return [
      {
        name: t('explain.order'),
        value: t(side === 'buy' ? 'orders.buying' : 'orders.selling', { ticker: instrument }),
      },
      ...(quantity === undefined
        ? []
        : [{ name: t('positions.quantity'), value: money(quantity, instrument) }]),
      ...(at === undefined
        ? []
        : [
            {
              name: t(order.price === undefined ? 'explain.priceSeen' : 'explain.price'),
              value: `${price(at)}\u00a0${priceCurrency}`,
              ...(note && { note }),
            },
          ]),
      ...(value === undefined ? [] : [{ name: t('ticket.value'), value: money(value, priceCurrency) }]),
    ]
  }
}
