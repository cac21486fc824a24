import { randomUUID } from 'node:crypto'
import type { SeededRandom } from '#test/seeded-random'
import { amountOf, CURRENCIES, TICKERS, TOO_MUCH, type Command, type RuleKind } from './commands.ts'
import type { Customer } from './customers.ts'

/** Where the API keeps rules of each kind. */
export const RULE_PATHS: Readonly<Record<RuleKind, string>> = {
  'standing-order': '/standing-orders',
  'recurring-conversion': '/recurring-conversions',
  'conversion-order': '/conversion-orders',
  'price-alert': '/price-alerts',
}

/** Met by every rate there is, and by none. */
const EASY_LIMIT = '0.000001'
const HARD_LIMIT = '1000000'
/** Their clocks never change, so that a week is as long as any other when one is let go by. */
const ZONES = ['UTC', 'Asia/Tokyo', 'Asia/Kolkata'] as const
const MINUTE_MS = 60_000

export function standingOrderOf(random: SeededRandom, from: Customer, to: Customer): Command {
  const asset = random.pick([...CURRENCIES, ...TICKERS])
  const schedule = random.next() < 0.25 ? soon() : weekly(random)
  const isShare = (TICKERS as readonly string[]).includes(asset)
  const amount = isShare ? `0.${random.int(1, 99).toString().padStart(4, '0')}` : ruleAmount(random, asset)
  return command('standing-order', from, { to: `@${to.handle}`, asset, amount, schedule })
}

/** Which needs neither a rate nor shares to be made, and falls due as soon as time goes by. */
export function certainlyDueOf(random: SeededRandom, from: Customer, to: Customer): Command {
  const amount = amountOf(random, 'EUR', 100, 4_000)
  return command('standing-order', from, {
    to: `@${to.handle}`,
    asset: 'EUR',
    amount,
    schedule: weekly(random),
  })
}

export function recurringConversionOf(random: SeededRandom, customer: Customer): Command {
  return command('recurring-conversion', customer, { ...dealOf(random), schedule: weekly(random) })
}

export function conversionOrderOf(random: SeededRandom, customer: Customer): Command {
  const deal = dealOf(random)
  const isEasy = random.next() < 0.7
  const limit =
    random.next() < 0.5
      ? { base: deal.from, rate: isEasy ? EASY_LIMIT : HARD_LIMIT }
      : { base: deal.to, rate: isEasy ? HARD_LIMIT : EASY_LIMIT }
  const expiresAt = new Date(Date.now() + random.int(2_000, 30_000)).toISOString()
  return command('conversion-order', customer, {
    ...deal,
    limit,
    ...(random.next() < 0.2 ? { expiresAt } : {}),
  })
}

/** A cent away from what the share is at: it gets there within seconds, or soon. */
export function priceAlertOf(
  random: SeededRandom,
  customer: Customer,
  ticker: string,
  last: string,
): Command {
  const direction = random.pick(['above', 'below'])
  const cents = Math.round(Number(last) * 100) + (direction === 'above' ? 1 : -1)
  const value = (cents / 100).toFixed(2)
  const repeat = random.next() < 0.3
  return command('price-alert', customer, { instrument: ticker, direction, value, repeat })
}

function dealOf(random: SeededRandom) {
  const from = random.pick(CURRENCIES)
  const to = random.pick(CURRENCIES.filter((code) => code !== from))
  return { from, to, fromAmount: ruleAmount(random, from) }
}

function ruleAmount(random: SeededRandom, asset: string): string {
  return random.next() < 0.1 ? TOO_MUCH : amountOf(random, asset, 100, 4_000)
}

/** On the next minute but one, by the real clock. */
function soon(): Readonly<Record<string, unknown>> {
  const moment = new Date(Date.now() + 2 * MINUTE_MS).toISOString()
  return { repeat: 'once', on: moment.slice(0, 10), at: moment.slice(11, 16), timeZone: 'UTC' }
}

function weekly(random: SeededRandom): Readonly<Record<string, unknown>> {
  const two = (number: number) => number.toString().padStart(2, '0')
  return {
    repeat: 'weekly',
    weekday: random.int(1, 7),
    at: `${two(random.int(0, 23))}:${two(random.int(0, 59))}`,
    timeZone: random.pick(ZONES),
    count: random.int(1, 3),
  }
}

function command(kind: RuleKind, customer: Customer, body: Command['body']): Command {
  return { kind, customer, path: RULE_PATHS[kind], body, key: randomUUID() }
}
