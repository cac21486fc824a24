/** For tests of rules: those of every room, and schedulers that execute them, on the money fixture. */
import { randomUUIDv7 } from 'node:crypto'
import type { Database } from '#db'
import {
  conversionOrderRule,
  conversionRuleRoutes,
  DEFAULT_EXCHANGE_SETTINGS,
  recurringConversionRule,
} from '#exchange'
import type { ExchangeSettings } from '#exchange'
import { customersByNumbers } from '#identity'
import { createVolatility } from '#market-data'
import { createRuleScheduler } from '#rules'
import type { AnyRuleKind, RuleNews, RuleScheduler } from '#rules'
import { standingOrderRoutes, standingOrderRule, transferRoutes } from '#transfers'
import { formatRate } from '@kantor/contract/money'
import { moneyFixture } from './money-fixture.ts'
import type { Answer, Customer, MoneyFixture } from './money-fixture.ts'

export interface RulesFixture extends MoneyFixture {
  readonly kinds: readonly AnyRuleKind[]
  /** What owners were told, in order. */
  readonly news: RuleNews[]
  /** One more process that executes rules, on connections of its own if given. */
  scheduler(more?: { db?: Database; random?: () => number }): RuleScheduler
  /** Executes all that is due now. @returns runs that moved */
  run(): Promise<number>
  /** Makes a rule; throws when that is refused. */
  make(of: Customer, path: string, body: Record<string, unknown>): Promise<Record<string, unknown>>
  show(of: Customer, path: string, id: unknown): Promise<Record<string, unknown>>
  runsOf(of: Customer, path: string, id: unknown): Promise<Record<string, unknown>[]>
}

let keys = 0
export const newKey = (): string => `key-${(keys += 1)}`

/** Without a fee and with a margin of half a percent, in and out of weekends, so that sums can be done in the head. */
const SETTINGS: ExchangeSettings = { ...DEFAULT_EXCHANGE_SETTINGS, baseBps: 50, weekendBps: 0, feeBps: 0 }

export async function rulesFixture(settings: Partial<ExchangeSettings> = {}): Promise<RulesFixture> {
  const fixture = await moneyFixture()
  const news: RuleNews[] = []
  const deps = {
    ...fixture,
    clock: fixture.clock.now,
    newId: randomUUIDv7,
    volatility: createVolatility({ ...fixture, clock: fixture.clock.now }),
    settings: { ...SETTINGS, ...settings },
    moveHoldings: () => Promise.reject(new Error('these tests send no shares')),
  }
  const conversions = { orders: conversionOrderRule(deps), recurring: recurringConversionRule(deps) }
  const standingOrder = standingOrderRule(deps)
  const kinds = [conversions.orders, conversions.recurring, standingOrder]
  fixture.serve([
    ...conversionRuleRoutes({ ...deps, kinds: conversions }),
    ...standingOrderRoutes({ ...deps, kind: standingOrder }),
    ...transferRoutes(deps),
  ])
  const scheduler: RulesFixture['scheduler'] = ({ db = fixture.db, random = Math.random } = {}) =>
    createRuleScheduler({
      db,
      kinds,
      clock: deps.clock,
      random,
      log: { warn: () => {} },
      isFrozen: async (q, walletId) =>
        (await customersByNumbers(q, [walletId])).get(walletId)?.frozen ?? true,
      tell: async (_tx, told) => {
        news.push(told)
      },
      valueOf: async (topic) => {
        const [, base = '', counter = ''] = /^rate:(\w+)\/(\w+)$/.exec(topic) ?? []
        const known = fixture.rates.rate(base, counter)
        if (known.unknown || known.stale) return null
        return { low: formatRate(known.rate, 20, 'down'), high: formatRate(known.rate, 20, 'up') }
      },
    })
  const only = scheduler()
  const answered = async (answer: Promise<Answer>, status: number) => {
    const { status: given, body, text } = await answer
    if (given !== status) throw new Error(`${given}: ${text}`)
    return body
  }
  return {
    ...fixture,
    kinds,
    news,
    scheduler,
    run: only.runOnce,
    make: (of, path, body) => answered(fixture.ask(of, 'POST', path, { body, key: newKey() }), 201),
    show: (of, path, id) => answered(fixture.ask(of, 'GET', `${path}/${String(id)}`), 200),
    runsOf: async (of, path, id) => {
      const { items } = await answered(fixture.ask(of, 'GET', `${path}/${String(id)}/runs`), 200)
      return items as Record<string, unknown>[]
    },
  }
}
