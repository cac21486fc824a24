import { beforeAll, describe, expect, test } from 'vitest'
import { fakeClock } from '#test/fake-clock'
import { testDatabase } from '#test/harness'
import { ingestHistory, ingestRates } from './ingest-rates.ts'
import { simulatedRates } from './providers/simulated-rates.ts'
import { HISTORY_POINTS_MAX, rateHistory, type Span } from './rate-history.ts'
import { draftOf, scriptedProvider } from './scripted-provider.ts'
import { thinOutRates } from './thin-out-rates.ts'
import { createVolatility, sigmaOf } from './volatility.ts'

const { db } = await testDatabase()
const clock = fakeClock('2026-11-20T18:00:00Z')
const fixer = scriptedProvider('fixer')
const ecb = scriptedProvider('ecb', { kind: 'daily' })
const simulated = simulatedRates({ seed: 3, clock: clock.now, historyDays: 200 })
const deps = { db, clock: clock.now, providers: [fixer, ecb, simulated] }
const never = new AbortController().signal
const history = (
  base: string,
  counter: string,
  from: string,
  to: string,
  span: Span,
  providers = deps.providers,
) => rateHistory(db, providers, { base, counter, from: new Date(from), to: new Date(to), span })

beforeAll(async () => {
  const fixed = (time: string, usd: string, pln: string) => draftOf('fixer', time, { USD: usd, PLN: pln })
  await ingestRates(deps, fixed('2026-11-20T17:00:00Z', '1.20', '4.20'))
  await ingestHistory(deps, fixer, [
    fixed('2026-11-18T23:30:00Z', '1.10', '4.00'),
    fixed('2026-11-19T00:10:00Z', '1.11', '4.44'),
    fixed('2026-11-19T00:50:00Z', '1.12', '4.20'),
    fixed('2026-11-19T12:00:00Z', '1.25', '4.00'),
  ])
  await ingestRates(deps, draftOf('ecb', '2026-11-20T13:15:00Z', { USD: '1.19', CHF: '0.93' }))
  await ingestRates(deps, await simulated.latest(never))
  await ingestHistory(deps, simulated, (await simulated.history?.(never)) ?? [])
})

describe('points', () => {
  test('of an hour: open, high, low and close of a cross', async () => {
    const { source, points } = await history(
      'USD',
      'PLN',
      '2026-11-18T00:00:00Z',
      '2026-11-20T00:00:00Z',
      'hour',
    )
    expect(source).toBe('fixer')
    expect(points.slice(0, 2)).toEqual([
      {
        at: new Date('2026-11-18T23:00:00Z'),
        open: '3.636363636',
        high: '3.636363636',
        low: '3.636363636',
        close: '3.636363636',
      },
      {
        at: new Date('2026-11-19T00:00:00Z'),
        open: '4.000000000',
        high: '4.000000000',
        low: '3.750000000',
        close: '3.750000000',
      },
    ])
  })

  test('of a day and of a week, which begin at midnight and on Monday in UTC', async () => {
    const days = await history('EUR', 'USD', '2026-11-01T00:00:00Z', '2026-11-21T00:00:00Z', 'day')
    expect(days.points.map(({ at, open, close }) => [at.toISOString().slice(0, 10), open, close])).toEqual([
      ['2026-11-18', '1.100000000', '1.100000000'],
      ['2026-11-19', '1.110000000', '1.250000000'],
      ['2026-11-20', '1.200000000', '1.200000000'],
    ])
    const weeks = await history('EUR', 'USD', '2026-11-01T00:00:00Z', '2026-11-21T00:00:00Z', 'week')
    expect(weeks.points).toEqual([
      {
        at: new Date('2026-11-16T00:00:00Z'),
        open: '1.100000000',
        high: '1.250000000',
        low: '1.100000000',
        close: '1.200000000',
      },
    ])
  })

  test('turn over with the pair: the high of one way is the low of the other', async () => {
    const [there] = (await history('PLN', 'USD', '2026-11-19T00:00:00Z', '2026-11-20T00:00:00Z', 'day'))
      .points
    expect(there).toMatchObject({
      open: '0.2500000000',
      high: '0.3125000000',
      low: '0.2500000000',
      close: '0.3125000000',
    })
  })

  test('come from one provider: the first that has about as much as any, real before simulated', async () => {
    const range = ['2026-06-01T00:00:00Z', '2026-11-21T00:00:00Z', 'day'] as const
    expect((await history('EUR', 'USD', ...range)).source).toBe('fixer')
    expect((await history('EUR', 'CHF', ...range)).source).toBe('ecb')
    expect((await history('EUR', 'JPY', ...range)).source).toBe('simulated')
    const { points } = await history('EUR', 'JPY', ...range)
    expect(points.length).toBeGreaterThan(170)
    expect(await history('EUR', 'XYZ', ...range)).toEqual({ source: null, points: [] })
  })

  test('are bounded', async () => {
    const tooMuch = history('EUR', 'USD', '2026-01-01T00:00:00Z', '2026-11-20T00:00:00Z', 'hour')
    await expect(tooMuch).rejects.toThrow(RangeError)
    expect(HISTORY_POINTS_MAX).toBe(2000)
  })
})

describe('σ', () => {
  const volatility = createVolatility({ db, providers: [simulated], clock: clock.now })

  test('is that of the market it is measured on', async () => {
    // 7 % a year is 7.5 bps per square root of an hour, 45 % is 48.
    const usd = await volatility.sigmaBpsPerSqrtHour('EUR', 'USD')
    expect(usd).toBeGreaterThan(5.5)
    expect(usd).toBeLessThan(10)
    const btc = await volatility.sigmaBpsPerSqrtHour('BTC', 'PLN')
    expect(btc).toBeGreaterThan(35)
    expect(btc).toBeLessThan(65)
  })

  test('is the same either way', async () => {
    const there = await volatility.sigmaBpsPerSqrtHour('USD', 'PLN')
    expect(await volatility.sigmaBpsPerSqrtHour('PLN', 'USD')).toBeCloseTo(there, 4)
  })

  test('of a pair that is hardly known is assumed, and never zero', async () => {
    expect(
      await createVolatility({ db, providers: [ecb], clock: clock.now }).sigmaBpsPerSqrtHour('EUR', 'USD'),
    ).toBe(30)
    const peg = Array.from({ length: 50 }, (_, hours) => ({ hours, price: 3.75 }))
    expect(sigmaOf(peg)).toBe(1)
  })

  test('counts the time of a gap', () => {
    const step = (hours: number) =>
      sigmaOf(Array.from({ length: 50 }, (_, n) => ({ hours: n * hours, price: n % 2 === 0 ? 1 : 1.01 })))
    expect(step(1) / step(4)).toBeCloseTo(2, 6)
    expect(step(1)).toBeCloseTo(99.5, 1)
  })
})

test('old snapshots are thinned to the last of an hour, then of a day; newest and recent ones stay', async () => {
  const count = async () => {
    const { rows } = await db.query<{ age: string; count: bigint }>(
      `select case when as_of < '2026-09-01' then 'old' else 'recent' end as age, count(*)
         from market_data.rate_snapshots where provider = 'thin' group by 1 order by 1`,
    )
    return rows.map(({ age, count }) => `${age} ${count}`)
  }
  const thin = scriptedProvider('thin')
  const thinDeps = { ...deps, providers: [thin] }
  await ingestRates(thinDeps, draftOf('thin', '2026-11-20T17:30:00Z', { USD: '1.2' }))
  const tenMinutes = (from: string, many: number) =>
    Array.from({ length: many }, (_, n) =>
      draftOf('thin', new Date(Date.parse(from) + n * 600_000).toISOString(), { USD: `1.${100 + n}` }),
    )
  await ingestHistory(thinDeps, thin, [
    ...tenMinutes('2026-08-01T00:00:00Z', 288),
    ...tenMinutes('2026-11-19T00:00:00Z', 144),
  ])
  expect(await count()).toEqual(['old 288', 'recent 145'])
  await thinOutRates(deps)
  expect(await count()).toEqual(['old 48', 'recent 145'])
  await thinOutRates(deps, { hourlyAfterDays: 30, dailyAfterDays: 60 })
  expect(await count()).toEqual(['old 2', 'recent 145'])
  const { rows } = await db.query<{ as_of: Date }>(
    `select as_of from market_data.rate_snapshots where provider = 'thin' order by as_of limit 2`,
  )
  expect(rows.map((row) => row.as_of.toISOString())).toEqual([
    '2026-08-01T23:50:00.000Z',
    '2026-08-02T23:50:00.000Z',
  ])
})
