import { randomUUIDv7 } from 'node:crypto'
import { RULE_KINDS_TOLD } from '@kantor/contract/api'
import { formatRate } from '@kantor/contract/money'
import type { Rate } from '@kantor/contract/money'
import type { Database, Queryable } from '#db'
import {
  checkExchangeSettings,
  conversionOrderRule,
  DEFAULT_EXCHANGE_SETTINGS,
  recurringConversionRule,
} from '#exchange'
import type { ConversionRuleRoutesDeps } from '#exchange'
import { customersByNumbers } from '#identity'
import type { Ledger } from '#ledger'
import { createVolatility } from '#market-data'
import type { InstrumentBook, PriceBook, RateBook, RateProvider } from '#market-data'
import { priceAlertRule } from '#notifications'
import type { Notify, PriceAlertRoutesDeps } from '#notifications'
import { createRuleScheduler } from '#rules'
import type { RuleScheduler, SchedulerDeps, TellOwner } from '#rules'
import type { Log } from '#telemetry'
import { standingOrderRule } from '#transfers'
import type { MoveHoldings, StandingOrderRoutesDeps } from '#transfers'
import { openAssetBook } from '#wallets'

export interface RulesRoomDeps {
  readonly db: Database
  readonly ledger: Ledger
  readonly rates: RateBook
  readonly providers: readonly RateProvider[]
  readonly stocks: { readonly prices: PriceBook; readonly instruments: InstrumentBook }
  readonly trading: { readonly books: { readonly moveHoldings: MoveHoldings } }
  readonly clock: () => Date
  /** Between 0 and 1. */
  readonly random: () => number
  readonly log: Log
  readonly notify: Notify
}

/** The rules of all rooms with the one scheduler that executes them. */
export interface RulesRoom {
  readonly conversions: ConversionRuleRoutesDeps
  readonly standingOrders: StandingOrderRoutesDeps
  readonly priceAlerts: PriceAlertRoutesDeps
  readonly scheduler: RuleScheduler
  /** Begins to execute rules in this process: a worker's part. */
  start(): void
  close(): Promise<void>
}

export function buildRules(given: RulesRoomDeps): RulesRoom {
  const { db, clock, providers, stocks, trading } = given
  const deps = {
    ...given,
    ...stocks,
    assets: openAssetBook(db, clock),
    volatility: createVolatility({ db, providers, clock }),
    settings: checkExchangeSettings(DEFAULT_EXCHANGE_SETTINGS),
    moveHoldings: trading.books.moveHoldings,
    newId: randomUUIDv7,
  }
  const kinds = { orders: conversionOrderRule(deps), recurring: recurringConversionRule(deps) }
  const standingOrder = standingOrderRule(deps)
  const priceAlert = priceAlertRule(deps)
  const scheduler = createRuleScheduler({
    ...deps,
    kinds: [kinds.orders, kinds.recurring, standingOrder, priceAlert],
    valueOf: valuesOf(deps),
    isFrozen,
    tell: tellOwner(given.notify),
  })
  let unsubscribe: (() => void) | null = null
  return {
    conversions: { ...deps, kinds },
    standingOrders: { ...deps, kind: standingOrder },
    priceAlerts: { ...deps, kind: priceAlert },
    scheduler,
    start: () => {
      scheduler.start()
      unsubscribe ??= deps.prices.subscribe(scheduler.wake)
    },
    close: async () => {
      unsubscribe?.()
      await scheduler.stop()
    },
  }
}

function tellOwner(notify: Notify): TellOwner {
  return async (tx, { walletId, kind, ruleId, run, reason: code, ended }) => {
    const told = Object.entries(RULE_KINDS_TOLD).find(([name]) => name === kind)?.[1]
    if (told === undefined) return
    await notify(tx, {
      walletId,
      kind: 'rule_failed',
      detail: { ruleId, ruleKind: told, run, code, ended },
      dedupeKey: `rule ${ruleId} run ${run} failed`,
    })
  }
}

async function isFrozen(q: Queryable, walletId: bigint): Promise<boolean> {
  const owner = (await customersByNumbers(q, [walletId])).get(walletId)
  if (owner === undefined) throw new Error(`a rule of wallet ${walletId}, which nobody owns`)
  return owner.frozen
}

const VALUE_DIGITS = 20

/** `rate:EUR/PLN` by the newest mid, `price:10001` by the last price. A value that is too old is none. */
function valuesOf({ rates, prices }: { rates: RateBook; prices: PriceBook }): SchedulerDeps['valueOf'] {
  return async (topic) => {
    const [, base, counter] = /^rate:([A-Z0-9.]+)\/([A-Z0-9.]+)$/.exec(topic) ?? []
    if (base !== undefined && counter !== undefined) {
      const known = rates.rate(base, counter)
      if (known.unknown || known.stale) return null
      return boundsOf(known.rate)
    }
    const [, instrumentId] = /^price:([0-9]+)$/.exec(topic) ?? []
    // What a newer release's rules wait for, its own workers know.
    if (instrumentId === undefined) return null
    const price = prices.price(Number(instrumentId))
    return price.unknown || price.stale ? null : boundsOf(price.last)
  }
}

function boundsOf(exact: Rate): { low: string; high: string } {
  return { low: formatRate(exact, VALUE_DIGITS, 'down'), high: formatRate(exact, VALUE_DIGITS, 'up') }
}
