import type { OperationInFull } from '@kantor/contract/api'
import { useFormat, useText } from '#i18n'
import type { Step } from './explain-rows.ts'

const KINDS = ['standing-order', 'recurring-conversion', 'conversion-order'] as const
type Kind = (typeof KINDS)[number]

/** Why an operation happened by itself: which rule, for which date or by which limit. */
export function useRuleSteps() {
  const { t } = useText()
  const { moment, decimal } = useFormat()

  return function ruleSteps({ rule }: OperationInFull): Step[] {
    const kind: Kind | undefined = KINDS.find((known) => known === rule?.kind)
    if (rule === undefined || kind === undefined) return []
    const { run, plannedFor, limit, limitBase } = rule
    const note =
      limit !== undefined && limitBase !== undefined
        ? t('ruleMark.limit', { base: limitBase, rate: decimal(limit) })
        : plannedFor === undefined
          ? undefined
          : t('ruleMark.planned', { at: moment(plannedFor) })
    return [
      {
        name: t('ruleMark.name'),
        value: t(`ruleMark.${kind}`, { run }),
        ...(note && { note }),
        link: { name: 'planned' },
      },
    ]
  }
}
