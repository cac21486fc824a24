import { expect, test } from 'vitest'
import { wishCandles } from './candle-wishes.ts'
import { openInstrumentBook } from './instrument-book.ts'
import { presentInFull } from './present-instrument.ts'
import { createPriceBook } from './price-book.ts'
import { simulatedStocks } from './providers/simulated-stocks.ts'
import { readCandles } from './read-candles.ts'
import { ingestCandles, pollStockPrices, refreshStockReference } from './stock-jobs.ts'
import { newestPriceSeq, pricesSince } from './stock-prices.ts'
import { stocksFixture } from './stocks-fixture.ts'

const { deps, clock, database } = await stocksFixture({
  provider: (given) => simulatedStocks({ seed: 7, clock: given.clock.now }),
  at: '2026-11-20T15:00:00.000Z',
  aroundTheClock: true,
})
const { db } = database
const { signal } = new AbortController()
const book = openInstrumentBook(db, clock.now)
const prices = createPriceBook({
  db,
  provider: deps.provider,
  hours: deps.hours,
  clock: clock.now,
  log: deps.log,
})

test('a first start has 40 stocks with prices and years of days, and each is an asset of the ledger', async () => {
  await refreshStockReference(deps, signal)
  const apple = await book.byIdOrTicker('AAPL')
  expect(apple).toMatchObject({ code: 'AAPL', ticker: 'AAPL', mic: 'XNAS', status: 'active' })
  const { rows } = await db.query<{ instruments: bigint; assets: bigint; candles: bigint }>(
    `select (select count(*) from market_data.instruments) as instruments,
            (select count(*) from ledger.assets where kind = 'instrument' and scale = 9) as assets,
            (select count(*) from market_data.candles where span = 3) as candles`,
  )
  expect(rows[0]?.instruments).toBe(40n)
  expect(rows[0]?.assets).toBe(40n)
  expect(Number(rows[0]?.candles)).toBeGreaterThan(40 * 365)
  await prices.refresh()
  const price = prices.price(apple?.id ?? 0)
  expect(price).toMatchObject({
    unknown: false,
    stale: false,
    simulated: true,
    timeliness: 'realTime',
    source: 'simulated',
  })
})

test('each poll gives every stock a newer observation, in order', async () => {
  const before = await newestPriceSeq(db)
  clock.advance(60_000)
  await pollStockPrices(deps, signal)
  const observed = await pricesSince(db, before, 1_000, 'simulated')
  expect(observed).toHaveLength(40)
  expect(new Set(observed.map(({ instrumentId }) => instrumentId)).size).toBe(40)
  expect(observed.every(({ asOf }) => asOf.getTime() === clock.now().getTime())).toBe(true)
  const seqs = observed.map(({ seq }) => seq)
  expect(seqs).toEqual(seqs.toSorted((left, right) => (left < right ? -1 : 1)))
  expect(observed.every(({ bid, ask }) => bid !== null && ask !== null)).toBe(true)
})

test('an instrument is shown with its change, ranges, hours and actions', async () => {
  const apple = await book.byIdOrTicker('aapl')
  if (apple === null) throw new Error('no AAPL')
  const { price, sparkline, market, yearRange, corporateActions } = await presentInFull(
    { db, prices, hours: deps.hours, clock: clock.now },
    apple,
  )
  expect(price?.change).toMatch(/^-?\d+(\.\d+)?$/)
  expect(sparkline).toHaveLength(30)
  expect(market.open).toBe(true)
  expect(Number(yearRange?.low)).toBeLessThan(Number(yearRange?.high))
  expect(corporateActions.length).toBeGreaterThan(4)
})

test('weeks and hours are rolled up of what is stored', async () => {
  await ingestCandles(deps, signal)
  const apple = await book.byIdOrTicker('AAPL')
  const asked = { instrumentId: apple?.id ?? 0, provider: 'simulated', today: '2026-11-20', to: clock.now() }
  const days = await readCandles(db, { ...asked, span: 'day', from: new Date('2026-11-09T05:00:00Z') })
  const [week] = await readCandles(db, { ...asked, span: 'week', from: new Date('2026-11-09T05:00:00Z') })
  const inWeek = days.filter(({ at }) => at < new Date('2026-11-16T05:00:00Z'))
  expect(week?.at.toISOString()).toBe('2026-11-09T05:00:00.000Z')
  expect(week?.open).toBe(inWeek[0]?.open)
  expect(week?.close).toBe(inWeek.at(-1)?.close)
  expect(Number(week?.high)).toBe(Math.max(...inWeek.map(({ high }) => Number(high))))
  const wish = { instrumentId: asked.instrumentId, provider: 'simulated', now: clock.now() } as const
  await wishCandles(db, { ...wish, span: 'hour' })
  await wishCandles(db, { ...wish, span: 'minute' })
  await ingestCandles(deps, signal)
  const hours = await readCandles(db, { ...asked, span: 'hour', from: new Date('2026-11-18T00:00:00Z') })
  expect(hours.length).toBeGreaterThan(60)
  const fives = await readCandles(db, {
    ...asked,
    span: 'fiveMinutes',
    from: new Date('2026-11-20T13:00:00Z'),
    to: new Date('2026-11-20T14:00:00Z'),
  })
  expect(fives).toHaveLength(12)
})
