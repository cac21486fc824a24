import { createApp } from '#app'
import { loadConfig } from '#config'
import type { Database } from '#db'
import { declareAssets } from '#ledger'
import { stockJobs } from '#market-data'
import { prepareDatabase } from '#start'
import { createLog, createMetrics } from '#telemetry'
import { tradingJobs } from '#trading'
import type { FakeClock } from '#test/fake-clock'
import { POLYGON_KEY } from './polygon-server.ts'

/** Kantor in this process, with a clock that a test moves through years. Nothing runs but when it is told to. */
export interface StocksDesk {
  readonly address: string
  readonly environment: Readonly<Record<string, string>>
  /** Instruments, hours, splits and dividends, as the real job reads them. */
  readReference(): Promise<void>
  /** The day's prices as the real job reads them, the orders that they fill, and what companies paid by then. */
  closeDay(): Promise<void>
  close(): Promise<void>
}

/** From a free key at Polygon, which gives the closes of the days that are over. */
export async function openStocksDesk(given: {
  readonly db: Database
  readonly databaseUrl: string
  readonly polygonUrl: string
  readonly clock: FakeClock
}): Promise<StocksDesk> {
  const { db, databaseUrl, clock } = given
  const environment = {
    DATABASE_URL: databaseUrl,
    SECRET_KEY: 'k'.repeat(43),
    WELCOME_GRANT: 'USD:100000',
    STOCKS_PROVIDER: 'polygon',
    POLYGON_API_KEY: POLYGON_KEY,
    POLYGON_URL: given.polygonUrl,
    RATE_LIMITS: 'off',
    LOG_LEVEL: 'error',
  }
  const config = loadConfig(environment)
  const log = createLog({ level: config.logLevel, name: 'kantor-stocks-test' })
  await prepareDatabase(databaseUrl, log, Math.random)
  const app = await createApp({
    config,
    databaseUrl,
    version: 'test',
    webDirectory: null,
    log,
    metrics: createMetrics(),
    clock: clock.now,
    random: Math.random,
  })
  const ofStocks = stockJobs({
    ...app.stocks,
    db,
    clock: clock.now,
    log,
    declareInstruments: (q, instruments) =>
      declareAssets(
        q,
        instruments.map(({ id, code, name }) => ({ id, code, name, kind: 'instrument', scale: 9 })),
      ),
  })
  const jobs = [...ofStocks, ...tradingJobs(app.trading.jobs)]
  const { signal } = new AbortController()
  const run = (job: string) => {
    const found = jobs.find(({ name }) => name === job)
    if (found === undefined) throw new Error(`there is no job ${job}`)
    return found.start({}, { signal, attempt: 1 })
  }
  return {
    address: await app.http.listen({ host: '127.0.0.1', port: 0 }),
    environment,
    async readReference() {
      await run('refresh-stock-reference')
      await app.stocks.prices.refresh()
    },
    async closeDay() {
      await run('ingest-candles')
      await app.stocks.prices.refresh()
      await app.trading.engine.runOnce()
      await run('post-corporate-actions')
      await run('record-worth')
    },
    async close() {
      app.drain()
      await app.http.close()
      await app.close()
    },
  }
}
