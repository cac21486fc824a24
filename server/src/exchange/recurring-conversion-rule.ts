import { ruleSchedule } from '@kantor/contract/api'
import { defineRule, markOf } from '#rules'
import type { DefinedRule } from '#rules'
import type { z } from 'zod'
import type { ConversionRuleDeps } from './conversion-order-rule.ts'
import { draftQuote } from './quote-conversion.ts'
import { dealDefinition, dealWithin } from './rule-deals.ts'

export const recurringConversionDefinition = dealDefinition.extend({ schedule: ruleSchedule })
export type RecurringConversionDefinition = z.infer<typeof recurringConversionDefinition>

const WEEK_SECONDS = 7 * 86_400

/**
 * A conversion every week or month, at the rate there is then. After an outage the latest missed one is made, up to a
 * week late: buying for three months at once on one day is what its owner wanted not to do.
 */
export function recurringConversionRule(
  deps: ConversionRuleDeps,
): DefinedRule<RecurringConversionDefinition> {
  return defineRule({
    name: 'recurring-conversion',
    definition: recurringConversionDefinition,
    movesValue: true,
    lateness: { secondsMax: WEEK_SECONDS, missed: 'latest' },
    timing: ({ schedule }) => ({ schedule }),
    prepare: async ({ walletId, definition }) => {
      const { from, to, fromAmount, toAmount } = definition
      const { quote } = await draftQuote(deps, walletId, { from, to, fromAmount, toAmount })
      return {
        outcome: 'ready',
        execute: async (tx, run) => ({
          journalId: await dealWithin(deps, tx, quote, { run, mark: markOf(run) }),
        }),
      }
    },
  })
}
