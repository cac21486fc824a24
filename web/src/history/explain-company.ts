import type { Operation } from '@kantor/contract/api'
import { useFormat, useText } from '#i18n'
import type { Step } from './explain-rows.ts'

type CompanyAction = NonNullable<Operation['corporateAction']>

/** What a company did, in words: the title of its operation, and what made the figures. */
export function useCompanyWords() {
  const { t } = useText()
  const { money, price, decimal, date, percentOfBps, sourceName } = useFormat()

  const priced = (amount: string, currency = '') => `${price(amount)}\u00a0${currency}`
  /** A day without a time, at noon so that no time zone makes it another. */
  const dayText = (day: string) => date(`${day}T12:00:00`)

  /** Undefined for operations of other kinds. */
  function companyTitle({ kind, corporateAction }: Operation): string | undefined {
    if (corporateAction === undefined) return undefined
    const { instrument: ticker, perShare, currency, from, to, tickerFrom, tickerTo } = corporateAction
    if (perShare !== undefined) return t('company.dividend', { ticker, amount: priced(perShare, currency) })
    if (from !== undefined && to !== undefined)
      return t('company.split', { ticker, from: decimal(from), to: decimal(to) })
    if (tickerTo !== undefined)
      return tickerFrom === undefined
        ? t('company.renameTo', { to: tickerTo })
        : t('company.rename', { from: tickerFrom, to: tickerTo })
    return kind === 'delisting' ? t('company.delisting', { ticker }) : undefined
  }

  function companySteps(operation: Operation): Step[] {
    const { corporateAction: action } = operation
    if (action === undefined) return []
    const { exDate, quantity, instrument, source, payDate } = action
    const isNaming = operation.kind === 'rename' || operation.kind === 'delisting'
    return [
      {
        name: t('company.what'),
        value: companyTitle(operation) ?? instrument,
        ...(action.correction && { note: t('company.correction') }),
      },
      isNaming
        ? { name: t('company.day'), value: dayText(exDate) }
        : { name: t('company.exDate'), value: dayText(exDate), note: t('company.exDateNote') },
      ...(payDate === undefined ? [] : [{ name: t('company.payDate'), value: dayText(payDate) }]),
      { name: t('company.sharesThen'), value: money(quantity, instrument) },
      ...figureSteps(action),
      { name: t('company.source'), value: sourceName(source) },
    ]
  }

  function figureSteps(action: CompanyAction): Step[] {
    const { perShare, currency, withheld, withholdingBps, from, to, fraction, lastPrice } = action
    return [
      ...(perShare === undefined ? [] : [{ name: t('company.perShare'), value: priced(perShare, currency) }]),
      ...(withheld === undefined || withholdingBps === undefined
        ? []
        : [
            {
              name: t('company.withheld'),
              value: money(withheld, currency ?? ''),
              note: percentOfBps(withholdingBps),
            },
          ]),
      ...(from === undefined || to === undefined
        ? []
        : [
            {
              name: t('company.ratio'),
              value: t('company.ratioValue', { from: decimal(from), to: decimal(to) }),
            },
          ]),
      ...(fraction === undefined
        ? []
        : [{ name: t('company.fraction'), value: fraction, note: fractionNote(action) }]),
      ...(lastPrice === undefined
        ? []
        : [{ name: t('company.lastPrice'), value: priced(lastPrice, currency) }]),
    ]
  }

  function fractionNote({ fractionPaid, fractionCurrency }: CompanyAction): string {
    if (fractionPaid === undefined || fractionCurrency === undefined) return t('company.fractionUnpriced')
    if (/^[0.]*$/u.test(fractionPaid)) return t('company.fractionWorthless')
    return t('company.fractionPaid', { amount: money(fractionPaid, fractionCurrency) })
  }

  return { companyTitle, companySteps }
}
