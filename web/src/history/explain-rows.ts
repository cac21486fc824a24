import type { OperationInFull } from '@kantor/contract/api'
import { useFormat, useText } from '#i18n'
import { sides } from './describe.ts'
import { useCompanyWords } from './explain-company.ts'
import { useOrderSteps } from './explain-order.ts'
import { useRuleSteps } from './explain-rule.ts'

export interface Step {
  name: string
  value: string
  note?: string
  /** Where more is said of it. */
  link?: { name: string }
}

/** What made the figure, step by step and only the steps that this operation has. */
export function useExplainSteps() {
  const { t } = useText()
  const { money, decimal, percentOfBps, exactTime, sourceName } = useFormat()

  const orderSteps = useOrderSteps()
  const ruleSteps = useRuleSteps()
  const { companySteps } = useCompanyWords()

  function priceSteps(operation: OperationInFull): Step[] {
    const { mid, rate, rateSource, rateAsOf, marginBps, margin, order } = operation
    const base = order?.side === 'sell' ? order.priceCurrency : sides(operation).out[0]?.asset
    const paired = (text: string) =>
      base === undefined || margin === undefined
        ? decimal(text)
        : `1\u00a0${base} = ${decimal(text)}\u00a0${margin.asset}`
    const source =
      rateSource === undefined || rateAsOf === undefined
        ? undefined
        : t('convert.source', { source: sourceName(rateSource), at: exactTime(rateAsOf) })
    return [
      ...(mid === undefined
        ? []
        : [{ name: t('convert.mid'), value: paired(mid), ...(source && { note: source }) }]),
      ...(marginBps === undefined
        ? []
        : [
            {
              name: t('convert.margin'),
              value: margin === undefined ? percentOfBps(marginBps) : money(margin.amount, margin.asset),
              ...(margin && { note: percentOfBps(marginBps) }),
            },
          ]),
      ...(rate === undefined ? [] : [{ name: t('receipt.rate'), value: paired(rate) }]),
    ]
  }

  function stepsOf(operation: OperationInFull): Step[] {
    const { fee, rounding } = operation
    return [
      ...ruleSteps(operation),
      ...orderSteps(operation),
      ...companySteps(operation),
      ...priceSteps(operation),
      ...(fee === undefined ? [] : [{ name: t('convert.fee'), value: money(fee.amount, fee.asset) }]),
      ...(rounding === undefined
        ? []
        : [
            {
              name: t('explain.rounding'),
              value: `${rounding.amount.replace(/^[\d.]+/u, decimal)} ${rounding.asset}`,
              note: t('explain.roundingNote'),
            },
          ]),
    ]
  }

  return { stepsOf }
}
