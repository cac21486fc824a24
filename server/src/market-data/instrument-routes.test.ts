import { expect, test } from 'vitest'
import { candles, instrumentInFull, instruments } from '@kantor/contract/api'
import { runningApp } from '#test/running-app'
import { simulatedStocks } from './providers/simulated-stocks.ts'
import { refreshStockReference } from './stock-jobs.ts'
import { declareAssets } from '#ledger'

const app = await runningApp()
const { db } = app.database
const ask = async (path: string) => {
  const reply = await app.http.inject({ url: `/api/v1${path}` })
  return { status: reply.statusCode, body: reply.json<Record<string, unknown>>() }
}

await refreshStockReference(
  {
    db,
    clock: () => new Date(),
    provider: simulatedStocks({ seed: 20_261_122, clock: () => new Date() }),
    hours: app.stocks.hours,
    log: { info: () => {}, warn: () => {} },
    declareInstruments: (q, found) =>
      declareAssets(
        q,
        found.map((one) => ({ ...one, kind: 'instrument', scale: 9 })),
      ),
  },
  AbortSignal.timeout(120_000),
)
await app.stocks.prices.refresh()

test('a search finds stocks with their price, change and a month of closes', async () => {
  const { status, body } = await ask('/instruments?q=apple')
  expect(status).toBe(200)
  const [apple] = instruments.parse(body).items
  expect(apple).toMatchObject({ ticker: 'AAPL', simulated: true, status: 'active' })
  expect(apple?.price).toMatchObject({ stale: false, timeliness: 'realTime', source: 'simulated' })
  expect(apple?.price?.change).not.toBeNull()
  expect(apple?.sparkline).toHaveLength(30)
})

test('without a search the first of all are listed', async () => {
  const { body } = await ask('/instruments?limit=50')
  expect(instruments.parse(body).items).toHaveLength(40)
})

test('a stock is found by ticker and by id alike', async () => {
  const byTicker = instrumentInFull.parse((await ask('/instruments/AAPL')).body)
  const byId = instrumentInFull.parse((await ask(`/instruments/${byTicker.id}`)).body)
  expect(byId.ticker).toBe('AAPL')
  expect(byTicker.yearRange).not.toBeNull()
  expect(byTicker.corporateActions.length).toBeGreaterThan(0)
})

test('years of daily candles come oldest first, and an empty span is empty rather than invented', async () => {
  const { body } = await ask('/instruments/AAPL/candles?span=day&from=2023-01-01T00:00:00Z')
  const days = candles.parse(body)
  expect(days.source).toBe('simulated')
  expect(days.items.length).toBeGreaterThan(1_000)
  const times = days.items.map(({ at }) => at)
  expect(times).toEqual(times.toSorted())
  const past = candles.parse(
    (await ask('/instruments/AAPL/candles?span=week&from=1990-01-01T00:00:00Z&to=1991-01-01T00:00:00Z')).body,
  )
  expect(past).toMatchObject({ items: [], source: null })
})

test.each([
  ['/instruments/NOSUCH', 404, 'unknown_instrument'],
  ['/instruments/99999', 404, 'unknown_instrument'],
  ['/instruments/A%20B', 404, 'unknown_instrument'],
  ['/instruments/NOSUCH/candles', 404, 'unknown_instrument'],
  ['/instruments/AAPL/candles?span=second', 400, 'invalid_request'],
  ['/instruments/AAPL/candles?span=minute&from=2020-01-01T00:00:00Z', 400, 'invalid_request'],
  ['/instruments/AAPL/candles?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 400, 'invalid_request'],
  ['/instruments?q=', 400, 'invalid_request'],
  ['/instruments?limit=51', 400, 'invalid_request'],
])('%s is refused with %i %s', async (path, status, code) => {
  const reply = await ask(path)
  expect(reply).toMatchObject({ status, body: { code } })
})

test('opening a chart of minutes asks for them, once', async () => {
  await ask('/instruments/MSFT/candles?span=minute')
  await ask('/instruments/MSFT/candles?span=minute')
  const { rows } = await db.query<{ wishes: bigint }>(
    `select count(*) as wishes from market_data.candle_wishes where span = 1 and fetched_at is null`,
  )
  expect(rows[0]?.wishes).toBe(1n)
})
