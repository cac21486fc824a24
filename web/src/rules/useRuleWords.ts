import type { RuleSchedule, RuleStateBody } from '@kantor/contract/api'
import type { RuleKind, RuleKinds } from '#api'
import { useFormat, useText, type MessageKey } from '#i18n'
import { ownZone } from './schedule-form.ts'

/** A rule with its kind, so that one list can hold all. */
export type AnyRule = { [Kind in RuleKind]: { kind: Kind; rule: RuleKinds[Kind]['rule'] } }[RuleKind]

/** A Monday. */
const MONDAY = Date.UTC(2024, 0, 1)
const DAY_MS = 86_400_000

/** Rules in words. */
export function useRuleWords() {
  const { t, tag } = useText()
  const { money, decimal, moment, date } = useFormat()

  const weekdayName = (weekday: number) =>
    new Intl.DateTimeFormat(tag.value, { weekday: 'long', timeZone: 'UTC' }).format(
      new Date(MONDAY + (weekday - 1) * DAY_MS),
    )

  function scheduleOf(schedule: RuleSchedule): string {
    const { at, timeZone } = schedule
    const said =
      schedule.repeat === 'once'
        ? t('rules.once', { on: date(`${schedule.on}T12:00:00`), at })
        : schedule.repeat === 'weekly'
          ? t('rules.weekly', { day: weekdayName(schedule.weekday), at })
          : t(schedule.day === 31 ? 'rules.monthlyLast' : 'rules.monthly', { day: schedule.day, at })
    return timeZone === ownZone() ? said : `${said} ${t('rules.inZone', { zone: timeZone })}`
  }

  function converted(rule: {
    from: string
    to: string
    fromAmount?: string | undefined
    toAmount?: string | undefined
  }) {
    const { from, to, fromAmount, toAmount } = rule
    return fromAmount === undefined
      ? t('rules.convertGet', { amount: money(toAmount ?? '0', to), from })
      : t('rules.convertTitle', { amount: money(fromAmount, from), to })
  }

  function titleOf(any: AnyRule): string {
    if (any.kind === 'standing-orders') {
      const { amount, asset, to } = any.rule
      return t('rules.sendTitle', { amount: money(amount, asset), handle: to.handle })
    }
    if (any.kind !== 'price-alerts') return converted(any.rule)
    const { pair, instrument, direction, value, currency } = any.rule
    const subject = pair === null ? (instrument?.ticker ?? '') : `${pair.base}/${pair.counter}`
    return t('rules.alertTitle', {
      subject,
      direction: t(`rules.${direction}`),
      value: `${decimal(value)}\u00a0${currency}`,
    })
  }

  /** When it happens. */
  function whenOf(any: AnyRule): string {
    if (any.kind === 'price-alerts') return t(any.rule.repeat ? 'rules.repeats' : 'rules.toldOnce')
    if (any.kind !== 'conversion-orders') return scheduleOf(any.rule.schedule)
    const { limit, from, to, direction, expiresAt } = any.rule
    const counter = limit.base === from ? to : from
    const said = t(`rules.${direction}`, { base: limit.base, rate: decimal(limit.rate), counter })
    return expiresAt === null ? said : `${said}, ${t('rules.until', { at: moment(expiresAt) })}`
  }

  const reasonOf = (code: string) => t(`errors.${code}` as MessageKey)

  /** What is to be said of its state beside that it runs. */
  function stateOf({ status, reason, nextRunAt, lastTry }: RuleStateBody): string[] {
    return [
      ...(status === 'active' ? [] : [t(`rules.statuses.${status}`)]),
      ...(nextRunAt === null ? [] : [t('rules.next', { at: moment(nextRunAt) })]),
      ...(reason === null
        ? []
        : [
            t(status === 'failed' ? 'rules.failedBecause' : 'rules.pausedBecause', {
              reason: reasonOf(reason),
            }),
          ]),
      ...(lastTry === null
        ? []
        : [
            t('rules.lastTry', {
              at: moment(lastTry.at),
              reason: reasonOf(lastTry.reason),
              next: moment(lastTry.nextTryAt),
            }),
          ]),
    ]
  }

  return { titleOf, whenOf, stateOf, reasonOf, weekdayName }
}
