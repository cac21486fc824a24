import { conversionLimit } from '@kantor/contract/api'
import type { ConversionLimit } from '@kantor/contract/api'
import { applyBps, compareRates, invertRate, parseRate, rateOf } from '@kantor/contract/money'
import type { Rate } from '@kantor/contract/money'
import type { Ledger } from '#ledger'
import { defineRule, markOf } from '#rules'
import type { DefinedRule, Timing } from '#rules'
import { z } from 'zod'
import { draftQuote } from './quote-conversion.ts'
import type { QuotingDeps } from './quote-conversion.ts'
import { dealDefinition, dealWithin } from './rule-deals.ts'
import type { StoredQuote } from './stored-quotes.ts'

export const conversionOrderDefinition = dealDefinition.extend({
  limit: conversionLimit,
  expiresAt: z.string().nullable(),
})
export type ConversionOrderDefinition = z.infer<typeof conversionOrderDefinition>

export interface ConversionRuleDeps extends QuotingDeps {
  readonly ledger: Ledger
}

/** A conversion that waits for its rate, and is made at the rate there is then: never one that is worse. */
export function conversionOrderRule(deps: ConversionRuleDeps): DefinedRule<ConversionOrderDefinition> {
  return defineRule({
    name: 'conversion-order',
    definition: conversionOrderDefinition,
    movesValue: true,
    // It has no date that it could be late for.
    lateness: { secondsMax: 0, missed: 'latest' },
    timing: timingOf,
    prepare: async ({ walletId, definition }) => {
      const { from, to, fromAmount, toAmount, limit } = definition
      const { quote } = await draftQuote(deps, walletId, { from, to, fromAmount, toAmount })
      if (!isGoodEnough(rateOfQuote(quote), limit, from)) return { outcome: 'notYet' }
      return {
        outcome: 'ready',
        execute: async (tx, run) => {
          const mark = markOf(run, { limit: limit.rate, limitBase: limit.base })
          return { journalId: await dealWithin(deps, tx, quote, { run, mark }) }
        },
      }
    },
  })
}

/**
 * Watches mid, which the store compares without knowing margins; the customer's rate is always worse, so nothing is
 * missed, and `prepare` judges by that.
 */
function timingOf({ from, to, limit, expiresAt }: ConversionOrderDefinition): Timing {
  const isOfPaid = limit.base === from
  const topic = isOfPaid ? `rate:${from}/${to}` : `rate:${to}/${from}`
  const bounds = isOfPaid
    ? { atOrAbove: limit.rate, atOrBelow: null }
    : { atOrAbove: null, atOrBelow: limit.rate }
  return { trigger: { topic, ...bounds }, expiresAt: expiresAt === null ? null : new Date(expiresAt) }
}

/** Exactly, margin included: what the quote shows is rounded. */
function rateOfQuote(quote: StoredQuote): Rate {
  const mid = rateOf(quote.midNumerator, quote.midDenominator)
  return applyBps(mid, BigInt(quote.baseBps + quote.weekendBps + quote.ageBps), 'down')
}

/** Whether 1 of what is paid brings as much as the limit asks; with a limit on what is got, whether 1 costs as little. */
export function isGoodEnough(rate: Rate, limit: ConversionLimit, from: string): boolean {
  const read = parseRate(limit.rate)
  if (!read.ok) throw new Error(`a limit of ${limit.rate} passed its schema`)
  const least = limit.base === from ? read.rate : invertRate(read.rate)
  return compareRates(rate, least) >= 0
}
