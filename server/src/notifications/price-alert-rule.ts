import { compareRates, formatRate, parseRate } from '@kantor/contract/money'
import type { Rate } from '@kantor/contract/money'
import type { InstrumentBook, PriceBook, RateBook } from '#market-data'
import { defineRule } from '#rules'
import type { DefinedRule, Prepared, Rule, Trigger } from '#rules'
import { z } from 'zod'
import type { Notify } from './notify.ts'

export const priceAlertDefinition = z.object({
  /** One of the two; the other is null. */
  instrumentId: z.int().nullable(),
  pair: z.object({ base: z.string(), counter: z.string() }).nullable(),
  direction: z.enum(['above', 'below']),
  value: z.string(),
  repeat: z.boolean(),
})
export type PriceAlertDefinition = z.infer<typeof priceAlertDefinition>

export interface AlertDeps {
  readonly rates: RateBook
  readonly prices: Pick<PriceBook, 'price'>
  readonly instruments: InstrumentBook
}

const SHOWN_DIGITS = 10
const REST_MS = 3_600_000

/**
 * Tells its owner once that a value has got there, and rests; or each time that it gets there again. Again means that
 * it was on the other side meanwhile, and an hour has passed, so that a price that trembles about the value tells once.
 */
export function priceAlertRule(
  deps: AlertDeps & { readonly notify: Notify },
): DefinedRule<PriceAlertDefinition> {
  return defineRule({
    name: 'price-alert',
    definition: priceAlertDefinition,
    movesValue: false,
    // It has no date that it could be late for.
    lateness: { secondsMax: 0, missed: 'latest' },
    timing: (definition) => ({ trigger: triggerOf(definition, 'there'), expiresAt: null }),
    prepare: (rule, now) => prepare(deps, rule, now),
  })
}

async function prepare(
  deps: AlertDeps & { readonly notify: Notify },
  rule: Rule<PriceAlertDefinition>,
  now: Date,
): Promise<Prepared> {
  const { definition } = rule
  const seen = await seenValue(deps, definition)
  if (seen === null) return { outcome: 'notYet' }
  const there = isThere(definition, seen.value)
  const waitsForReturn = (rule.trigger?.atOrAbove === null) === (definition.direction === 'above')
  if (waitsForReturn) {
    return there ? { outcome: 'notYet' } : { outcome: 'rearm', trigger: triggerOf(definition, 'there') }
  }
  if (!there) return { outcome: 'notYet' }
  return {
    outcome: 'ready',
    execute: async (tx, { key }) => {
      await deps.notify(tx, {
        walletId: rule.walletId,
        kind: 'price_alert',
        detail: {
          alertId: rule.id,
          subject: seen.subject,
          direction: definition.direction,
          threshold: definition.value,
          price: formatRate(seen.value, SHOWN_DIGITS, 'halfEven'),
          currency: seen.currency,
          asOf: seen.asOf.toISOString(),
        },
        dedupeKey: key,
      })
      if (!definition.repeat) return { journalId: null }
      const restUntil = new Date(now.getTime() + REST_MS)
      return { journalId: null, waitsFor: { trigger: triggerOf(definition, 'back'), restUntil } }
    },
  }
}

function triggerOf(
  { instrumentId, pair, direction, value }: PriceAlertDefinition,
  way: 'there' | 'back',
): Trigger {
  const topic = pair === null ? `price:${instrumentId ?? ''}` : `rate:${pair.base}/${pair.counter}`
  return (direction === 'above') === (way === 'there')
    ? { topic, atOrAbove: value, atOrBelow: null }
    : { topic, atOrAbove: null, atOrBelow: value }
}

export function isThere({ direction, value }: PriceAlertDefinition, seen: Rate): boolean {
  const read = parseRate(value)
  if (!read.ok) throw new Error(`an alert at ${value} passed its schema`)
  const compared = compareRates(seen, read.rate)
  return direction === 'above' ? compared >= 0 : compared <= 0
}

export interface SeenValue {
  readonly value: Rate
  /** An instrument's code, or a pair such as EUR/PLN. */
  readonly subject: string
  readonly currency: string
  readonly asOf: Date
}

/** The newest value, or null while it is unknown or too old to tell anybody of. */
export async function seenValue(
  { rates, prices, instruments }: AlertDeps,
  { instrumentId, pair }: Pick<PriceAlertDefinition, 'instrumentId' | 'pair'>,
): Promise<SeenValue | null> {
  if (pair !== null) {
    const known = rates.rate(pair.base, pair.counter)
    if (known.unknown || known.stale) return null
    const subject = `${pair.base}/${pair.counter}`
    return { value: known.rate, subject, currency: pair.counter, asOf: known.asOf }
  }
  const instrument = instrumentId === null ? null : await instruments.byId(instrumentId)
  if (instrument === null)
    throw new Error(`an alert on instrument ${String(instrumentId)}, which there is not`)
  const price = prices.price(instrument.id)
  if (price.unknown || price.stale) return null
  return { value: price.last, subject: instrument.code, currency: instrument.currency, asOf: price.asOf }
}
