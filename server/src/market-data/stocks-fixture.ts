import { declareAssets } from '#ledger'
import { fakeClock, type FakeClock } from '#test/fake-clock'
import { testDatabase, type TestDatabase } from '#test/harness'
import { createMarketHours } from './market-hours.ts'
import type { StockProvider } from './providers/stock-provider.ts'
import type { StockJobsDeps } from './stock-jobs.ts'

/** What the jobs on stocks need, on a database of the test file's own. */
export async function stocksFixture(options: {
  readonly provider: (given: { db: TestDatabase['db']; clock: FakeClock }) => StockProvider
  readonly at: string
  readonly aroundTheClock?: boolean
}): Promise<{ deps: StockJobsDeps; clock: FakeClock; database: TestDatabase; warnings: object[] }> {
  const database = await testDatabase()
  const { db } = database
  const clock = fakeClock(options.at)
  const warnings: object[] = []
  const log = { info: () => {}, warn: (fields: object) => void warnings.push(fields) }
  const hours = createMarketHours({
    db,
    clock: clock.now,
    aroundTheClock: options.aroundTheClock ?? false,
    log,
  })
  const deps: StockJobsDeps = {
    db,
    clock: clock.now,
    hours,
    log,
    provider: options.provider({ db, clock }),
    declareInstruments: (q, instruments) =>
      declareAssets(
        q,
        instruments.map(({ id, code, name }) => ({ id, code, name, kind: 'instrument', scale: 9 })),
      ),
  }
  return { deps, clock, database, warnings }
}
