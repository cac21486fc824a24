import { INSTRUMENT_SCALE } from '@kantor/contract/money'
import type { Tx } from '#db'
import { expect, test } from 'vitest'
import type { HoldingFill } from './holdings.ts'
import { createPositionBooks } from './position-books.ts'
import { positionRoutes } from './position-routes.ts'
import { RATES, tradingFixture } from './trading-fixture.ts'
import { watchlistRoutes, worthRoutes } from './watchlist-routes.ts'
import { recordWorth } from './worth-points.ts'

const fixture = await tradingFixture({ aroundTheClock: true })
const { ask, clock, db, engineDeps, ownerDb, prices, publishRates, somebody } = fixture
const deps = {
  ...engineDeps,
  prices,
  hours: engineDeps.marketHours,
  clock: clock.now,
  baseCurrencyOf: () => Promise.resolve('EUR'),
  priceOf: () => Promise.resolve(null),
}
fixture.serve([...positionRoutes(deps), ...watchlistRoutes(deps), ...worthRoutes(deps)])
await publishRates(RATES)
const [aapl, msft] = [await fixture.list('AAPL'), await fixture.list('MSFT')]

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

async function recordAfter(ms: number): Promise<void> {
  clock.advance(ms)
  await publishRates(RATES)
  await recordWorth(deps)
}

interface Worth {
  readonly items: { at: string; worth: string }[]
  readonly change: string | null
  readonly changePercent: string | null
}
const worthOf = async (of: Parameters<typeof ask>[0], range: string) =>
  (await ask(of, 'GET', `/wallet/worth?range=${range}`)).body as unknown as Worth

test('worth over time is the points written each hour and what it is now, with the change between', async () => {
  const ewa = await somebody({ EUR: '100.00' })
  expect(await worthOf(ewa, '1D')).toMatchObject({ change: null, changePercent: null })
  await recordAfter(HOUR_MS)
  await recordWorth(deps)
  await recordAfter(HOUR_MS)
  clock.advance(60_000)
  await ownerDb.query(
    `update trading.worth_points set worth_minor = 8000
      where wallet_id = $1 and at = (select min(at) from trading.worth_points where wallet_id = $1)`,
    [ewa.walletId],
  )
  const shown = await worthOf(ewa, '1D')
  expect(shown.items.map(({ worth }) => worth)).toEqual(['80.00', '100.00', '100.00'])
  expect([shown.change, shown.changePercent]).toEqual(['20.00', '25.00'])
})

test('of days past one point a day is kept, and longer ranges show one a day', async () => {
  const ewa = await somebody({ EUR: '100.00' })
  for (let hours = 0; hours < 30; hours += 5) await recordAfter(5 * HOUR_MS)
  expect((await worthOf(ewa, '1W')).items.length).toBe(7)
  expect((await worthOf(ewa, '1M')).items.length).toBeLessThan(5)
  await recordAfter(9 * DAY_MS)
  const { rows } = await db.query<{ points: bigint }>(
    `select count(*) as points from trading.worth_points where wallet_id = $1 group by date_trunc('day', at, 'UTC')`,
    [ewa.walletId],
  )
  expect(rows.every(({ points }) => points === 1n)).toBe(true)
  expect(rows.length).toBeGreaterThan(2)
})

test('points of before a change of the base currency are shown in the new one, unknown ones are left out', async () => {
  const ewa = await somebody({ EUR: '100.00' })
  const point = async (hoursAgo: number, currency: string, minor: number) =>
    ownerDb.query(`insert into trading.worth_points values ($1, $2, $3, $4, false)`, [
      ewa.walletId,
      new Date(clock.now().getTime() - hoursAgo * HOUR_MS),
      currency,
      minor,
    ])
  await point(3, 'PLN', 42_719)
  await point(2, 'CHF', 5_000)
  expect((await worthOf(ewa, '1D')).items.map(({ worth }) => worth)).toEqual(['100.00', '100.00'])
})

test('a point of which something’s worth was unknown says so', async () => {
  const ewa = await somebody({ EUR: '100.00' })
  await ownerDb.query(`insert into trading.worth_points values ($1, $2, 'EUR', 9000, true)`, [
    ewa.walletId,
    new Date(clock.now().getTime() - 2 * HOUR_MS),
  ])
  expect((await worthOf(ewa, '1D')).items).toMatchObject([
    { worth: '90.00', incomplete: true },
    { worth: '100.00', incomplete: false },
  ])
})

test('an instrument is watched and unwatched; twice is once', async () => {
  const ewa = await somebody()
  const tickers = ({ body }: Awaited<ReturnType<typeof ask>>) =>
    (body['items'] as { ticker: string }[]).map(({ ticker }) => ticker)
  const watch = (instrument: string) => ask(ewa, 'POST', '/watchlist', { body: { instrument } })
  expect(tickers(await watch('MSFT'))).toEqual(['MSFT'])
  clock.advance(1_000)
  expect(tickers(await watch('AAPL'))).toEqual(['MSFT', 'AAPL'])
  expect(tickers(await watch(`${msft}`))).toEqual(['MSFT', 'AAPL'])
  expect((await watch('NOPE')).body['code']).toBe('instrument_not_found')
  expect(tickers(await ask(ewa, 'DELETE', '/watchlist/MSFT'))).toEqual(['AAPL'])
  expect(tickers(await ask(ewa, 'GET', '/watchlist'))).toEqual(['AAPL'])
  expect(tickers(await ask(await somebody(), 'GET', '/watchlist'))).toEqual([])
})

/** Lots only, without their postings: what reading costs does not depend on those. */
async function tradeMany(walletId: bigint, fills: number): Promise<void> {
  const books = createPositionBooks(engineDeps)
  const fill = (number: number): HoldingFill => ({
    walletId,
    instrumentId: aapl,
    side: number % 2 === 0 ? 'buy' : 'sell',
    quantity: 10n ** BigInt(INSTRUMENT_SCALE) + BigInt(number % 2 === 0 ? 1 : 0),
    cash: { assetId: 840, minor: 10_000n },
    fee: { assetId: 840, minor: 100n },
    at: clock.now(),
    orderId: 'x',
    fillNumber: number,
    journalKey: `order x fill ${number}`,
    baseRate: null,
  })
  const sold = (some: readonly HoldingFill[]) =>
    some.reduce((sum, { side, quantity }) => (side === 'sell' ? sum + quantity : sum), 0n)
  for (let first = 0; first < fills; first += 2_000) {
    const some = Array.from({ length: Math.min(2_000, fills - first) }, (_, index) => fill(first + index))
    await db.transaction(async (tx: Tx) => {
      const wanted = {
        walletId,
        instrumentId: aapl,
        currencyId: 840,
        sharesMax: sold(some),
        baseCurrency: null,
      }
      await (await books.open(tx, [wanted])).onFills(some)
    })
  }
}

/** Pages of tables and indexes that a question touches: unlike time, the same on every machine. */
async function pagesRead(walletId: bigint): Promise<number> {
  const { rows } = await ownerDb.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
    `explain (analyze, buffers, format json)
     select * from trading.positions where wallet_id = ${walletId}`,
  )
  const plan = rows[0]?.['QUERY PLAN'][0].Plan
  return (plan?.['Shared Hit Blocks'] ?? 0) + (plan?.['Shared Read Blocks'] ?? 0)
}

test('positions cost the same to read after 100,000 fills as after 100', async () => {
  const [few, many] = [await somebody(), await somebody()]
  await tradeMany(few.walletId, 100)
  await tradeMany(many.walletId, 100_000)
  await ownerDb.query('vacuum analyze trading.positions, trading.lots')
  const answer = await ask(many, 'GET', '/positions')
  expect(answer.body['items']).toMatchObject([{ quantity: '0.000050000' }])
  expect(await pagesRead(many.walletId)).toBeLessThanOrEqual((await pagesRead(few.walletId)) + 2)
})
