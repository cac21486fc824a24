import type { OperationInFull } from '@kantor/contract/api'
import { useFormat, useText } from '#i18n'
import { useOrderSteps } from './explain-order.ts'

export interface Step {
  name: string
  value: string
  note?: string
}

/** What made the figure, step by step and only the steps that this operation has. */
export function useExplainSteps() {
  const { t } = useText()
  const { money, decimal, percentOfBps, exactTime, sourceName } = useFormat()

  const orderSteps = useOrderSteps()

  function priceSteps(operation: OperationInFull): Step[] {
    const { mid, rate, rateSource, rateAsOf, marginBps, margin } = operation
    const source =
      rateSource === undefined || rateAsOf === undefined
        ? undefined
        : t('convert.source', { source: sourceName(rateSource), at: exactTime(rateAsOf) })
    return [
      ...(mid === undefined
        ? []
        : [{ name: t('convert.mid'), value: decimal(mid), ...(source && { note: source }) }]),
      ...(marginBps === undefined
        ? []
        : [
            {
              name: t('convert.margin'),
              value: margin === undefined ? percentOfBps(marginBps) : money(margin.amount, margin.asset),
              ...(margin && { note: percentOfBps(marginBps) }),
            },
          ]),
      ...(rate === undefined ? [] : [{ name: t('receipt.rate'), value: decimal(rate) }]),
    ]
  }

  function stepsOf(operation: OperationInFull): Step[] {
    const { fee, rounding } = operation
    return [
      ...orderSteps(operation),
      ...priceSteps(operation),
      ...(fee === undefined ? [] : [{ name: t('convert.fee'), value: money(fee.amount, fee.asset) }]),
      ...(rounding === undefined
        ? []
        : [
            {
              name: t('explain.rounding'),
              value: `${rounding.amount} ${rounding.asset}`,
              note: t('explain.roundingNote'),
            },
          ]),
    ]
  }

  return { stepsOf }
}
