import type { Database } from '#db'
import { polygonProvider } from './providers/polygon.ts'
import { simulatedStocks } from './providers/simulated-stocks.ts'
import type { StockProvider } from './providers/stock-provider.ts'

export interface StockProviderConfig {
  readonly name: 'polygon' | 'simulated'
  readonly polygonUrl: string
  readonly polygonWsUrl: string | null
  readonly polygonApiKey: string | null
  /** The simulated market is a function of this and the time. */
  readonly simulatedSeed?: number
  /** Whether the simulated market keeps New York's hours. Otherwise it never closes, so that a demo always fills. */
  readonly simulatedSessionHours?: boolean
  readonly db: Database
  readonly clock: () => Date
  readonly random: () => number
}

const SEED = 20_261_122
/** Of a demo that may run for months: a price every second of each stock would be gigabytes of them. */
const SIMULATED_STREAM_MS = 5_000

/** The one source of stock prices, and whether its market never closes. */
export function configuredStockProvider(config: StockProviderConfig): {
  provider: StockProvider
  aroundTheClock: boolean
} {
  const { clock, db, random } = config
  if (config.name === 'simulated') {
    const sessionHours = config.simulatedSessionHours ?? false
    const seed = config.simulatedSeed ?? SEED
    const provider = simulatedStocks({ seed, clock, sessionHours, streamEveryMs: SIMULATED_STREAM_MS })
    return { provider, aroundTheClock: !sessionHours }
  }
  const { polygonUrl: url, polygonWsUrl: wsUrl, polygonApiKey: apiKey } = config
  if (apiKey === null) throw new Error('the stock provider polygon needs a key')
  const provider = polygonProvider({ url, wsUrl, apiKey, plan: 'probe', db, clock, random })
  return { provider, aroundTheClock: false }
}
