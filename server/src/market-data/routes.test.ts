import { beforeAll, describe, expect, test } from 'vitest'
import { assets, problem, rateHistory, rates } from '@kantor/contract/api'
import { CURRENCIES } from '@kantor/contract/money'
import { pino } from 'pino'
import { createHttpServer } from '#http'
import { createMetrics } from '#telemetry'
import { fakeClock } from '#test/fake-clock'
import { testDatabase } from '#test/harness'
import { DEFAULT_AGE_LIMITS } from './age-limits.ts'
import { createRateBook } from './latest-rates.ts'
import { pollRates } from './poll-rates.ts'
import { ingestRates } from './ingest-rates.ts'
import { simulatedRates } from './providers/simulated-rates.ts'
import { marketDataRoutes } from './routes.ts'
import { draftOf, scriptedProvider } from './scripted-provider.ts'

const { db } = await testDatabase()
const clock = fakeClock('2026-11-20T12:00:00Z')
const simulated = simulatedRates({ seed: 5, clock: clock.now, historyDays: 60 })
const real = scriptedProvider('ecb', { kind: 'daily' })
const providers = [real, simulated]
const quiet = { info: () => {}, warn: () => {} }
const book = createRateBook({ db, providers, clock: clock.now, ageLimits: DEFAULT_AGE_LIMITS, log: quiet })
let frozen = new Set<string>()

const app = createHttpServer({
  routes: marketDataRoutes({
    db,
    rates: book,
    providers,
    clock: clock.now,
    frozenAssets: async () => frozen,
  }),
  authenticate: async () => null,
  publicUrl: new URL('http://127.0.0.1:8080'),
  trustedProxies: [],
  log: pino({ level: 'silent' }),
  metrics: createMetrics(),
  problemOf: () => null,
})
const get = (url: string) => app.inject({ url: `/api/v1${url}` })

beforeAll(async () => {
  await pollRates({ db, clock: clock.now, log: quiet, providers: [simulated] }, new AbortController().signal)
  await book.refresh()
})

test('every currency is listed with its digits, and whether its rate is known', async () => {
  frozen = new Set(['USD'])
  const answer = await get('/assets')
  expect(answer.statusCode).toBe(200)
  const { items } = assets.parse(answer.json())
  expect(items).toHaveLength(CURRENCIES.length)
  const of = (code: string) => items.find((item) => item.code === code)
  expect(of('EUR')).toMatchObject({ kind: 'currency', scale: 2, flag: 'EU', frozen: false, rate: 'fresh' })
  expect(of('USD')).toMatchObject({ frozen: true, rate: 'fresh' })
  expect(of('BTC')).toMatchObject({ kind: 'crypto', scale: 8, rate: 'fresh' })
  expect(of('KWD')).toMatchObject({ scale: 3, rate: 'unknown' })
})

test('rates come with their time, source and age; the unknown are named, not made up', async () => {
  const answer = await get('/rates')
  const body = rates.parse(answer.json())
  expect(body).toMatchObject({ base: 'EUR', simulated: true, nextCursor: null })
  expect(body.items).toHaveLength(35)
  expect(body.items.find(({ counter }) => counter === 'USD')).toMatchObject({
    mid: expect.stringMatching(/^1\.[0-9]{9}$/),
    asOf: '2026-11-20T12:00:00.000Z',
    source: 'simulated',
    ageSeconds: 0,
    stale: false,
  })
  expect(body.unknown).toContain('KWD')
  expect(body.items.length + body.unknown.length).toBe(CURRENCIES.length - 1)
})

test('the same rates seen from another base are their exact crosses', async () => {
  const eur = rates.parse((await get('/rates')).json())
  const pln = rates.parse((await get('/rates?base=PLN')).json())
  const mid = (of: typeof eur, counter: string) =>
    Number(of.items.find((item) => item.counter === counter)?.mid)
  expect(mid(pln, 'EUR')).toBeCloseTo(1 / mid(eur, 'PLN'), 9)
  expect(mid(pln, 'USD')).toBeCloseTo(mid(eur, 'USD') / mid(eur, 'PLN'), 8)
})

test('rates say that they are stale, and are shown with their age', async () => {
  clock.advance(3 * 3600_000)
  const body = rates.parse((await get('/rates')).json())
  expect(body.items.every(({ stale, ageSeconds }) => stale && ageSeconds === 10_800)).toBe(true)
  expect(assets.parse((await get('/assets')).json()).items.find(({ code }) => code === 'PLN')?.rate).toBe(
    'stale',
  )
  clock.set('2026-11-20T12:00:00Z')
})

describe('the history of a pair', () => {
  test('is that of the last year by the day unless asked otherwise', async () => {
    const body = rateHistory.parse((await get('/rates/USD/PLN/history')).json())
    expect(body).toMatchObject({ base: 'USD', counter: 'PLN', span: 'day', source: 'simulated' })
    expect(body.items.length).toBeGreaterThanOrEqual(60)
    for (const { open, high, low, close } of body.items) {
      for (const value of [open, close]) {
        expect(Number(value)).toBeLessThanOrEqual(Number(high))
        expect(Number(value)).toBeGreaterThanOrEqual(Number(low))
      }
    }
  })

  test('by the hour within a range', async () => {
    const query = 'span=hour&from=2026-11-20T02:00:00%2B02:00&to=2026-11-20T06:00:00Z'
    const body = rateHistory.parse((await get(`/rates/EUR/USD/history?${query}`)).json())
    expect(body.items.map(({ at }) => at.slice(11, 16))).toEqual([
      '00:00',
      '01:00',
      '02:00',
      '03:00',
      '04:00',
      '05:00',
    ])
  })

  test('of a pair without one is empty, with no source', async () => {
    const body = rateHistory.parse((await get('/rates/EUR/KWD/history')).json())
    expect(body).toMatchObject({ source: null, items: [] })
  })
})

test.each([
  ['/rates?base=XYZ', 422, 'unknown_asset', 'query.base'],
  ['/rates?base=BGN', 422, 'unknown_asset', 'query.base'],
  ['/rates?base=eur', 400, 'invalid_request', 'query.base'],
  ['/rates?base=', 400, 'invalid_request', 'query.base'],
  ['/rates?base=EUR&base=USD', 400, 'invalid_request', 'query.base'],
  ['/rates?foo=1', 400, 'invalid_request', 'query.foo'],
  ['/rates/EUR/XYZ/history', 422, 'unknown_asset', 'params.counter'],
  ['/rates/XYZ/EUR/history', 422, 'unknown_asset', 'params.base'],
  ['/rates/EUR/EUR/history', 422, 'same_asset', undefined],
  ['/rates/EUR/USD/history?span=minute', 400, 'invalid_request', 'query.span'],
  ['/rates/EUR/USD/history?from=yesterday', 400, 'invalid_request', 'query.from'],
  ['/rates/EUR/USD/history?from=2026-02-30T00:00:00Z', 400, 'invalid_request', 'query.from'],
  ['/rates/EUR/USD/history?from=2026-11-20T00:00:00%2B24:00', 400, 'invalid_request', 'query.from'],
  [
    '/rates/EUR/USD/history?from=2026-11-20T12:00:00Z&to=2026-11-20T12:00:00Z',
    400,
    'invalid_request',
    'query.from',
  ],
  ['/rates/EUR/USD/history?from=2027-11-20T12:00:00Z', 400, 'invalid_request', 'query.from'],
  ['/rates/EUR/USD/history?span=hour&from=2020-01-01T00:00:00Z', 400, 'invalid_request', 'query.from'],
  ["/rates/EUR/USD';--/history", 400, 'invalid_request', 'params.counter'],
])('%s is refused with %i %s', async (url, status, code, path) => {
  const answer = await get(url)
  expect([answer.statusCode, problem.parse(answer.json()).code]).toEqual([status, code])
  expect(problem.parse(answer.json()).errors?.[0]?.path).toBe(path)
})

test('the first years that a date can have are answered, if with nothing', async () => {
  const answer = await get('/rates/EUR/USD/history?from=0000-01-01T00:00:00Z&to=0000-02-01T00:00:00Z')
  expect(answer.statusCode).toBe(200)
  await ingestRates(
    { db, clock: clock.now, providers },
    draftOf('ecb', '2026-11-20T11:00:00Z', { USD: '1.2' }),
  )
  await book.refresh()
  expect(rates.parse((await get('/rates')).json())).toMatchObject({ simulated: false })
})
