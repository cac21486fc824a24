import type { Database } from '#db'
import type { MarketHours } from './market-hours.ts'
import type { StockProvider } from './providers/stock-provider.ts'

/** What all work on stock data needs. */
export interface StocksDeps {
  readonly db: Database
  readonly provider: StockProvider
  readonly hours: MarketHours
  readonly clock: () => Date
  readonly log: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
  }
}
