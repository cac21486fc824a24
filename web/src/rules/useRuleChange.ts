import { useQueryCache } from '@pinia/colada'
import { computed, ref, shallowRef } from 'vue'
import { changeRule } from '#api'
import { useText } from '#i18n'
import { isZeroAmount, showToast } from '#ui'
import { plainDecimal } from './plain-decimal.ts'
import { openingSchedule, scheduleOf, type ScheduleForm } from './schedule-form.ts'
import { RULES_KEY } from './usePlan.ts'
import type { AnyRule } from './useRuleWords.ts'

/** The one figure of a rule that its owner changes: an amount, or the value of an alert. */
function figureOf(any: AnyRule): { asset: string; text: string } {
  if (any.kind === 'standing-orders') return { asset: any.rule.asset, text: any.rule.amount }
  if (any.kind === 'price-alerts') return { asset: 'RATE', text: any.rule.value }
  const { from, to, fromAmount, toAmount } = any.rule
  return fromAmount === undefined ? { asset: to, text: toAmount ?? '' } : { asset: from, text: fromAmount }
}

function formOf(any: AnyRule): ScheduleForm | null {
  if (any.kind !== 'standing-orders' && any.kind !== 'recurring-conversions') return null
  const { schedule } = any.rule
  const form = { ...openingSchedule(schedule.repeat), at: schedule.at }
  if (schedule.repeat === 'once') return { ...form, on: schedule.on }
  return schedule.repeat === 'weekly'
    ? { ...form, weekday: String(schedule.weekday) }
    : { ...form, day: String(schedule.day) }
}

/** Changes a rule's amount, its limit and its dates; in the zone that it was made for. */
export function useRuleChange(any: AnyRule, onChanged: () => void) {
  const { t } = useText()
  const cache = useQueryCache()
  const figure = figureOf(any)
  const amount = ref<string | null>(figure.text)
  const limit = ref<string | null>(any.kind === 'conversion-orders' ? any.rule.limit.rate : null)
  const schedule = ref(formOf(any))
  const error = shallowRef<unknown>(null)
  const sending = ref(false)
  const ready = computed(() => Boolean(amount.value) && !isZeroAmount(amount.value ?? ''))

  function send(text: string): Promise<unknown> {
    const { id } = any.rule
    if (any.kind === 'price-alerts') return changeRule(any.kind, id, { value: plainDecimal(text) })
    if (any.kind === 'standing-orders') return changeRule(any.kind, id, { amount: text, ...dates(any.rule) })
    const fixed = any.rule.fromAmount === undefined ? { toAmount: text } : { fromAmount: text }
    if (any.kind === 'recurring-conversions')
      return changeRule(any.kind, id, { ...fixed, ...dates(any.rule) })
    const rate = limit.value ? { limit: { base: any.rule.limit.base, rate: plainDecimal(limit.value) } } : {}
    return changeRule(any.kind, id, { ...fixed, ...rate })
  }

  /** Left out when they are as before, so that a date which is due is not moved. */
  function dates({ schedule: before }: Extract<AnyRule, { rule: { schedule: unknown } }>['rule']) {
    const wanted = schedule.value && scheduleOf(schedule.value, before.timeZone)
    if (wanted === null) return {}
    const kept =
      before.repeat !== 'once' && wanted.repeat === before.repeat
        ? { ...wanted, from: before.from, until: before.until, count: before.count }
        : wanted
    return JSON.stringify(sorted(kept)) === JSON.stringify(sorted(before)) ? {} : { schedule: kept }
  }

  async function save(): Promise<void> {
    if (sending.value || !amount.value) return
    sending.value = true
    error.value = null
    try {
      await send(amount.value)
      showToast(t('rules.saved'))
      onChanged()
    } catch (failure) {
      error.value = failure
    }
    sending.value = false
    await cache.invalidateQueries({ key: [RULES_KEY] })
  }

  return { asset: figure.asset, amount, limit, schedule, ready, error, sending, save }
}

const sorted = (given: object) => Object.entries(given).toSorted(([one], [other]) => one.localeCompare(other))
