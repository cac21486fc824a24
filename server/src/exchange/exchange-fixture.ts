/** For this room's tests: its routes on a real ledger, rates that are fresh for each test, and customers who ask. */
import { randomUUID } from 'node:crypto'
import { parseAmount } from '@kantor/contract/money'
import { createVolatility } from '#market-data'
import { moneyFixture } from '#test/money-fixture'
import type { Answer, Customer, MoneyFixture } from '#test/money-fixture'
import { beforeEach } from 'vitest'
import { exchangeRoutes } from './routes.ts'
import { DEFAULT_EXCHANGE_SETTINGS } from './settings.ts'
import type { ExchangeSettings } from './settings.ts'

export const RATES = { USD: '1.0811', PLN: '4.2719', JPY: '158.77', BTC: '0.00001234', BHD: '0.40761' }

export interface OfferedQuote {
  readonly id: string
  readonly from: { asset: string; amount: string }
  readonly mid: string
}

export interface ExchangeFixture extends MoneyFixture {
  /** From now on by these settings; before each test they are the usual again. */
  dealBy(change: Partial<ExchangeSettings>): void
  askQuote(of: Customer, body: Record<string, unknown>): Promise<Answer>
  /** With the payment fixed; throws when it is refused. */
  quote(of: Customer, from: string, to: string, fromAmount: string): Promise<OfferedQuote>
  convert(of: Customer, quoteId: string, key?: string): Promise<Answer>
  /** A customer of any name. */
  somebody(money?: Readonly<Record<string, string>>): Promise<Customer>
}

export async function exchangeFixture(): Promise<ExchangeFixture> {
  const fixture = await moneyFixture()
  const { ask, clock, customer } = fixture
  const dealBy = (change: Partial<ExchangeSettings>) =>
    fixture.serve(
      exchangeRoutes({
        ...fixture,
        clock: clock.now,
        newId: randomUUID,
        volatility: createVolatility({ ...fixture, clock: clock.now }),
        settings: { ...DEFAULT_EXCHANGE_SETTINGS, ...change },
      }),
    )
  const askQuote: ExchangeFixture['askQuote'] = (of, body) => ask(of, 'POST', '/conversion-quotes', { body })
  beforeEach(async () => {
    dealBy({})
    // Each test deals at its own version of the rates, so that exposure of the others does not count.
    clock.advance(61_000)
    await fixture.publishRates(RATES)
  })
  return {
    ...fixture,
    dealBy,
    askQuote,
    quote: async (of, from, to, fromAmount) => {
      const { status, body } = await askQuote(of, { from, to, fromAmount })
      if (status !== 201) throw new Error(`no quote: ${JSON.stringify(body)}`)
      return body as unknown as OfferedQuote
    },
    convert: (of, quoteId, key = randomUUID()) => ask(of, 'POST', '/conversions', { body: { quoteId }, key }),
    somebody: (money) => customer(`c${randomUUID().replaceAll('-', '').slice(0, 16)}`, money),
  }
}

/** `ok`, or the problem's code, of each. */
export function codesOf(answers: readonly Answer[]): unknown[] {
  return answers.map(({ status, body }) => (status === 201 ? 'ok' : body['code']))
}

/** Minor units of an amount with two decimals, which may be below zero. */
export function cents(text: string): bigint {
  const parsed = parseAmount(text.replace('-', ''), 2)
  if (!parsed.ok) throw new Error(`${text} is not an amount`)
  return text.startsWith('-') ? -parsed.minor : parsed.minor
}
