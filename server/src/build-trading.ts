import { randomUUIDv7 } from 'node:crypto'
import type { Database, Queryable } from '#db'
import type { ExchangeSettings } from '#exchange'
import type { Ledger } from '#ledger'
import type { InstrumentBook, MarketHours, PriceBook, RateBook, Volatility } from '#market-data'
import type { Log } from '#telemetry'
import {
  checkTradingSettings,
  createOrderEngine,
  createOrderIntake,
  createPositionBooks,
  DEFAULT_TRADING_SETTINGS,
} from '#trading'
import type { OrderDeps, OrderEngine, OrderIntake, PositionBooks, TradingJobsDeps } from '#trading'
import type { AssetBook, SharePrice } from '#wallets'

export interface TradingRoomDeps {
  readonly db: Database
  readonly ledger: Ledger
  readonly assets: AssetBook
  readonly rates: RateBook
  readonly volatility: Volatility
  readonly exchangeSettings: ExchangeSettings
  readonly withholdingBps: number
  readonly stocks: {
    readonly prices: PriceBook
    readonly instruments: InstrumentBook
    readonly hours: MarketHours
  }
  readonly baseCurrenciesOf: (
    walletIds: readonly bigint[],
    q?: Queryable,
  ) => Promise<ReadonlyMap<bigint, string>>
  readonly priceOf: (instrumentId: number) => Promise<SharePrice | null>
  readonly clock: () => Date
  readonly log: Log
}

/** The trading room with all that it needs of the others. */
export interface TradingRoom {
  readonly orders: OrderDeps
  readonly engine: OrderEngine
  readonly intake: OrderIntake
  readonly books: PositionBooks
  readonly jobs: TradingJobsDeps
  /** Begins to fill orders in this process: a worker's part. */
  startEngine(): void
  close(): Promise<void>
}

export function buildTrading(deps: TradingRoomDeps): TradingRoom {
  const { prices, instruments, hours: marketHours } = deps.stocks
  const settings = checkTradingSettings(DEFAULT_TRADING_SETTINGS)
  const intake = createOrderIntake(deps)
  const books = createPositionBooks(deps)
  const engine = createOrderEngine({
    ...deps,
    instruments,
    marketHours,
    settings,
    holdings: books,
    priceSource: prices.source,
  })
  const orders = { ...deps, prices, instruments, marketHours, settings, intake, newId: randomUUIDv7 }
  let unsubscribe: (() => void) | null = null
  return {
    orders,
    engine,
    intake,
    books,
    jobs: { ...deps, instruments, prices, priceSource: prices.source },
    startEngine: () => {
      engine.start()
      unsubscribe ??= prices.subscribe(engine.wake)
    },
    close: async () => {
      unsubscribe?.()
      await engine.stop()
      await intake.close()
    },
  }
}
