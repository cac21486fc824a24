import { randomUUID } from 'node:crypto'
import type { SeededRandom } from '#test/seeded-random'
import type { Customer } from './customers.ts'

export type MoneyKind = 'transfer' | 'deposit' | 'conversion' | 'order'
export const RULE_KINDS = [
  'standing-order',
  'recurring-conversion',
  'conversion-order',
  'price-alert',
] as const
export type RuleKind = (typeof RULE_KINDS)[number]
export type CommandKind = MoneyKind | RuleKind

export const isRuleKind = (kind: string): kind is RuleKind => (RULE_KINDS as readonly string[]).includes(kind)

/** Something that moves value once, or makes one rule, however often it is asked for. */
export interface Command {
  readonly kind: CommandKind
  readonly customer: Customer
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
  readonly key: string
}

export const CURRENCIES = ['EUR', 'USD', 'PLN', 'JPY'] as const
/** Of the simulated market. */
export const TICKERS = ['AAPL', 'MSFT', 'TSLA'] as const
/** Of a transfer: more than anybody has, so that it has to be refused. */
export const TOO_MUCH = '900000000'

export function transferOf(random: SeededRandom, from: Customer, to: Customer): Command {
  const isShare = random.next() < 0.1
  const asset = random.pick(isShare ? TICKERS : CURRENCIES)
  const amount = isShare
    ? `0.${random.int(1, 99).toString().padStart(4, '0')}`
    : random.next() < 0.05
      ? TOO_MUCH
      : amountOf(random, asset, 1, 4_000)
  const note = random.next() < 0.3 ? { note: `drill ${random.int(1, 99)}` } : {}
  return command('transfer', from, '/transfers', { to: `@${to.handle}`, asset, amount, ...note })
}

export function depositOf(random: SeededRandom, customer: Customer): Command {
  const asset = random.pick(['EUR', 'USD'])
  return command('deposit', customer, '/wallet/deposits', {
    asset,
    amount: amountOf(random, asset, 1, 100_000),
  })
}

export function orderOf(random: SeededRandom, customer: Customer): Command {
  const side = random.next() < 0.7 ? 'buy' : 'sell'
  const size =
    side === 'buy' && random.next() < 0.6
      ? { notional: { asset: random.pick(['USD', 'EUR']), amount: amountOf(random, 'USD', 100, 20_000) } }
      : { quantity: `0.${random.int(1, 999).toString().padStart(3, '0')}` }
  const price =
    random.next() < 0.7
      ? { type: 'market' }
      : { type: 'limit', limitPrice: side === 'buy' ? `${random.int(1, 50)}` : `${random.int(2_000, 9_000)}` }
  return command('order', customer, '/orders', {
    instrument: random.pick(TICKERS),
    side,
    ...size,
    ...price,
    timeInForce: random.pick(['day', 'gtc']),
  })
}

export function conversionOf(customer: Customer, quoteId: string): Command {
  return command('conversion', customer, '/conversions', { quoteId })
}

/** What a conversion is asked for: money that customers have, or receive from others. */
export function quoteRequestOf(random: SeededRandom): Readonly<Record<string, unknown>> {
  const from = random.pick(CURRENCIES)
  const to = random.pick(CURRENCIES.filter((code) => code !== from))
  return random.next() < 0.8
    ? { from, to, fromAmount: amountOf(random, from, 100, 20_000) }
    : { from, to, toAmount: amountOf(random, to, 100, 20_000) }
}

function command(kind: MoneyKind, customer: Customer, path: string, body: Command['body']): Command {
  return { kind, customer, path, body, key: randomUUID() }
}

/** Between so many cents, as text. */
export function amountOf(random: SeededRandom, asset: string, leastCents: number, mostCents: number): string {
  const cents = random.int(leastCents, mostCents)
  if (asset === 'JPY') return `${cents}`
  return `${Math.floor(cents / 100)}.${(cents % 100).toString().padStart(2, '0')}`
}
