import {
  conversionOrder,
  conversionOrderChange,
  conversionOrderRequest,
  recurringConversion,
  recurringConversionChange,
  recurringConversionRequest,
} from '@kantor/contract/api'
import type { ErrorCode } from '@kantor/contract/errors'
import type { Route } from '#http'
import { ruleRoutes, ruleStateBody } from '#rules'
import type { DefinedRule, KeepDeps } from '#rules'
import type { ConversionOrderDefinition } from './conversion-order-rule.ts'
import type { RecurringConversionDefinition } from './recurring-conversion-rule.ts'
import { judgeDeal, withAmounts } from './rule-deals.ts'
import { tryOrder, tryRecurring } from './try-conversions.ts'
import type { TryDeps } from './try-conversions.ts'

export type ConversionRuleRoutesDeps = TryDeps &
  KeepDeps & {
    readonly kinds: {
      readonly orders: DefinedRule<ConversionOrderDefinition>
      readonly recurring: DefinedRule<RecurringConversionDefinition>
    }
  }

const judgement: readonly ErrorCode[] = [
  'unknown_asset',
  'same_asset',
  'rate_unknown',
  'amount_not_positive',
  'amount_too_small',
  'amount_too_large',
]

export function conversionRuleRoutes(deps: ConversionRuleRoutesDeps): Route[] {
  return [...orderRoutes(deps), ...recurringRoutes(deps)]
}

function orderRoutes(deps: ConversionRuleRoutesDeps): Route[] {
  const judged = async (definition: ConversionOrderDefinition) => {
    await judgeDeal(deps, definition)
    return definition
  }
  return ruleRoutes(deps, {
    path: '/conversion-orders',
    tag: 'exchange',
    access: 'trade',
    kind: deps.kinds.orders,
    noun: 'a limit conversion',
    summary:
      'Convert as soon as the rate, margin included, is as good as the limit, at the rate there is then. Nothing is set aside: funds are checked when it is made.',
    request: conversionOrderRequest,
    change: conversionOrderChange,
    reply: conversionOrder,
    problems: judgement,
    define: (_walletId, { expiresAt, ...wanted }) =>
      judged({ ...wanted, expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString() }),
    redefine: ({ definition }, { limit, expiresAt, ...change }) =>
      judged({
        ...withAmounts(definition, change),
        limit: limit ?? definition.limit,
        expiresAt:
          expiresAt === undefined
            ? definition.expiresAt
            : expiresAt === null
              ? null
              : new Date(expiresAt).toISOString(),
      }),
    show: async (rules) =>
      rules.map((rule) => ({
        ...ruleStateBody(rule),
        ...rule.definition,
        direction: rule.definition.limit.base === rule.definition.from ? 'atLeast' : 'atMost',
      })),
    dryRun: (_walletId, definition) => tryOrder(deps, definition),
  })
}

function recurringRoutes(deps: ConversionRuleRoutesDeps): Route[] {
  const judged = async (definition: RecurringConversionDefinition) => {
    await judgeDeal(deps, definition)
    return definition
  }
  return ruleRoutes(deps, {
    path: '/recurring-conversions',
    tag: 'exchange',
    access: 'trade',
    kind: deps.kinds.recurring,
    noun: 'a recurring conversion',
    summary: 'Convert the same amount every week or month, at the rate there is then.',
    request: recurringConversionRequest,
    change: recurringConversionChange,
    reply: recurringConversion,
    problems: judgement,
    define: (_walletId, wanted) => judged(wanted),
    redefine: ({ definition }, { schedule, ...change }) =>
      judged({ ...withAmounts(definition, change), schedule: schedule ?? definition.schedule }),
    show: async (rules) => rules.map((rule) => ({ ...ruleStateBody(rule), ...rule.definition })),
    dryRun: (_walletId, definition) => tryRecurring(deps, definition),
  })
}
