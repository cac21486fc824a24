import type { Database } from '#db'
import type { Ledger } from '#ledger'
import type { InstrumentBook, MarketHours } from '#market-data'
import type { AssetBook } from '#wallets'
import type { Holdings } from './holdings.ts'
import type { SettlementDeps } from './settlement-rate.ts'
import type { TradingSettings } from './settings.ts'

export interface EngineDeps extends SettlementDeps {
  readonly db: Database
  readonly ledger: Ledger
  readonly assets: AssetBook
  readonly instruments: InstrumentBook
  readonly marketHours: MarketHours
  readonly settings: TradingSettings
  readonly holdings: Holdings
  /** What each wallet's owner reckons in. */
  readonly baseCurrenciesOf: (walletIds: readonly bigint[]) => Promise<ReadonlyMap<bigint, string>>
  /** Whose prices count: the configured provider. */
  readonly priceSource: string
  readonly log: { warn(fields: object, message: string): void }
}
