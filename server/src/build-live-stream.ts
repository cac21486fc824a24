import type { Database } from '#db'
import type { Events } from '#events'
import { headOf, lastSeqOf } from '#ledger'
import { createShownPrices, recordLook } from '#market-data'
import type { MarketHours, PriceBook, RateBook } from '#market-data'
import { createLiveStream } from '#notifications'
import type { LiveStream } from '#notifications'
import type { Log, Metrics } from '#telemetry'
import { findOrder } from '#trading'
import type { TradingRoom } from './build-trading.ts'

export interface LiveStreamRoomDeps {
  readonly db: Database
  readonly databaseUrl: string
  readonly events: Events
  readonly rates: RateBook
  readonly stocks: { readonly prices: PriceBook; readonly hours: MarketHours }
  readonly trading: TradingRoom
  readonly clock: () => Date
  readonly random: () => number
  readonly log: Log
  readonly metrics: Metrics
}

/** The live stream with all that it needs of other rooms. */
export function buildLiveStream({ stocks, trading, ...deps }: LiveStreamRoomDeps): LiveStream {
  const { db, clock } = deps
  return createLiveStream({
    ...deps,
    prices: stocks.prices,
    shownPrices: createShownPrices({ ...stocks, db, clock }),
    recordLook: (instrumentId) => recordLook(db, instrumentId, clock()),
    newestSeq: async (q) => lastSeqOf((await headOf(q)).height),
    orderOf: (walletId, orderId) => findOrder(trading.orders, walletId, orderId),
  })
}
