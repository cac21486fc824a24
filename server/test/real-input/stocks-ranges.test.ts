import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeClock } from '#test/fake-clock'
import { testDatabase } from '#test/harness'
import { keptCandles, writtenCandles } from './kept-candles.ts'
import { samplePolygon, type SamplePolygon } from './polygon-server.ts'
import { openStocksDesk, type StocksDesk } from './stocks-desk.ts'
import { hasStocksSample, readSample } from './stocks-sample.ts'

// A market that gives single instruments' histories only: the other way in for the same years. Day by day: stocks.test.ts.

describe.skipIf(!hasStocksSample)('real stocks, as ranges', async () => {
  const { db, url } = await testDatabase()
  const clock = fakeClock('2017-06-16T23:00:00Z')
  let polygon: SamplePolygon
  let desk: StocksDesk

  beforeAll(async () => {
    polygon = await samplePolygon(readSample(), clock)
    polygon.grouped = false
    desk = await openStocksDesk({ db, databaseUrl: url, polygonUrl: polygon.url, clock })
  })
  afterAll(async () => {
    await desk?.close()
    await polygon?.close()
  })

  test('a first start reads five histories, and an opened chart what came since, each digit as it was', async () => {
    await desk.readReference()
    await desk.closeDay()
    const before = writtenCandles(readSample().filter(({ date }) => date <= '2017-06-16'))
    expect(await keptCandles(db)).toEqual(before)

    clock.set('2017-12-30T12:00:00Z')
    await desk.readReference()
    for (const ticker of ['AAPL', 'COKE', 'GOOGL', 'TSLA']) {
      const chart = await fetch(`${desk.address}/api/v1/instruments/${ticker}/candles?span=day`)
      expect(chart.status).toBe(200)
    }
    await desk.closeDay()
    expect(await keptCandles(db)).toEqual(writtenCandles(readSample()))
    const asked = polygon.asked.map(({ path }) => path).filter((path) => path.includes('/range/1/day/'))
    // Two pages of each of five histories; and then only the days since.
    expect(asked).toHaveLength(14)
    expect(asked.slice(10).every((path) => path.includes('/2017-06-16/'))).toBe(true)
  })
})
