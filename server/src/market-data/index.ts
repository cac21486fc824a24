export { ageLimitSeconds, DEFAULT_AGE_LIMITS, type AgeLimits } from './age-limits.ts'
export {
  configuredProviders,
  RATE_PROVIDER_NAMES,
  type RateProviderName,
  type RateProvidersConfig,
} from './configured-providers.ts'
export { ingestRates, type IngestOutcome } from './ingest-rates.ts'
export { createRateBook, type KnownRate, type PairRate, type RateBook, type RateLeg } from './latest-rates.ts'
export { marketDataJobs, marketDataSchedule } from './market-data-jobs.ts'
export { pollRates, type PollOutcome } from './poll-rates.ts'
export {
  marketAlarms,
  providerStatuses,
  type DivergenceAlarm,
  type ProviderStatus,
  type WaitingSnapshot,
} from './provider-status.ts'
export type { RateProvider, RateSnapshotDraft } from './providers/rate-provider.ts'
export { pairPast, type PairPast, type PastRate } from './pair-past.ts'
export { presentRate } from './present-rate.ts'
export { rateHistory, type RateHistory, type RatePoint, type Span } from './rate-history.ts'
export { marketDataRoutes, type MarketDataRoutesDeps } from './routes.ts'
export { createVolatility, type Volatility } from './volatility.ts'

// Stocks.
export { configuredStockProvider, type StockProviderConfig } from './configured-stock-provider.ts'
export { corporateActions, type CorporateAction } from './corporate-actions.ts'
export { dailyCloses, type DailyClose } from './daily-closes.ts'
export { openInstrumentBook, type Instrument, type InstrumentBook } from './instrument-book.ts'
export { instrumentRoutes, type InstrumentRoutesDeps } from './instrument-routes.ts'
export { createMarketHours, type MarketHours, type MarketSession } from './market-hours.ts'
export { presentInstruments } from './present-instrument.ts'
export { createShownPrices, type ShownPrices } from './shown-prices.ts'
export { createPriceStream, type PriceStream } from './price-stream.ts'
export { createPriceBook, type KnownStockPrice, type PriceBook, type StockPrice } from './price-book.ts'
export type { StockProvider } from './providers/stock-provider.ts'
export { readFeeds, type FeedRecord } from './stock-feeds.ts'
export { readEntitlement } from './stock-source.ts'
export { readStockStream, type StreamRecord } from './stream-lease.ts'
export { recordLook, type InstrumentsOfInterest } from './stream-interest.ts'
export { stockJobs, stockSchedule, type StockJobsDeps } from './stock-jobs.ts'
export { newestPriceSeq, pricesSince, type PriceObservation } from './stock-prices.ts'
export type { DeclareInstruments } from './store-instruments.ts'
