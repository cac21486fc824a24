import { beforeEach, describe, expect, test } from 'vitest'
import { rateOf } from '@kantor/contract/money'
import { fakeClock } from '#test/fake-clock'
import { testDatabase } from '#test/harness'
import { DEFAULT_AGE_LIMITS } from './age-limits.ts'
import { ingestRates } from './ingest-rates.ts'
import { createRateBook } from './latest-rates.ts'
import type { RateProvider } from './providers/rate-provider.ts'
import { draftOf, forgetAll, scriptedProvider } from './scripted-provider.ts'

const { db, ownerDb } = await testDatabase()
const clock = fakeClock()
const log = { warn: () => {} }
const fixer = scriptedProvider('fixer')
const ecb = scriptedProvider('ecb', { kind: 'daily' })
const simulated = scriptedProvider('simulated', { simulated: true })
const openBook = (providers: RateProvider[], more: { refreshMs?: number } = {}) =>
  createRateBook({ db, clock: clock.now, ageLimits: DEFAULT_AGE_LIMITS, log, providers, ...more })

async function take(name: string, asOf: string, rates: Record<string, string>): Promise<bigint> {
  const outcome = await ingestRates(
    { db, clock: clock.now, providers: [fixer, ecb, simulated] },
    draftOf(name, asOf, rates),
  )
  if (outcome.outcome !== 'stored') throw new Error(`not stored: ${outcome.outcome}`)
  return outcome.snapshotId
}

beforeEach(async () => {
  await forgetAll(ownerDb)
  clock.set('2026-11-20T16:00:00Z')
})

test('a cross is exact, of one snapshot, and says all that must be said of it', async () => {
  const snapshotId = await take('fixer', '2026-11-20T15:30:00Z', { USD: '1.1642', PLN: '4.2304/3.6056' })
  const book = openBook([fixer])
  await book.refresh()
  expect(book.rate('USD', 'PLN')).toEqual({
    unknown: false,
    rate: rateOf(42_304n * 10_000n, 36_056n * 11_642n),
    mid: '1.007804501',
    asOf: new Date('2026-11-20T15:30:00Z'),
    fetchedAt: clock.now(),
    source: 'fixer',
    kind: 'hourly',
    simulated: false,
    ageSeconds: 1800,
    ageLimitSeconds: 7200,
    stale: false,
    legs: [
      { snapshotId, code: 'USD' },
      { snapshotId, code: 'PLN' },
    ],
  })
  expect(book.rate('EUR', 'USD')).toMatchObject({ mid: '1.164200000', legs: [{ snapshotId, code: 'USD' }] })
  expect(book.rate('USD', 'EUR')).toMatchObject({ rate: rateOf(10_000n, 11_642n) })
})

test('a missing rate is unknown: never 1', async () => {
  await take('fixer', '2026-11-20T15:30:00Z', { USD: '1.1642' })
  const book = openBook([fixer])
  expect(book.rate('EUR', 'USD')).toEqual({ unknown: true })
  expect(book.rate('USD', 'USD')).toMatchObject({ unknown: false, mid: '1' })
  await book.refresh()
  expect(book.rate('EUR', 'PLN')).toEqual({ unknown: true })
  expect(book.rate('PLN', 'USD')).toEqual({ unknown: true })
  expect(book.rate('XYZ', 'XYZ')).toEqual({ unknown: true })
  expect(book.rate('USD', 'USD')).toMatchObject({ mid: '1', source: 'none', legs: [] })
})

describe('which provider is taken', () => {
  test('the first of the list while it is fresh, then the next that is; the newest stale one last', async () => {
    await take('ecb', '2026-11-20T13:15:00Z', { USD: '1.1600', PLN: '4.25' })
    await take('fixer', '2026-11-20T16:00:00Z', { USD: '1.1642', PLN: '4.26' })
    const book = openBook([fixer, ecb])
    await book.refresh()
    const source = () => {
      const rate = book.rate('USD', 'PLN')
      return rate.unknown ? 'unknown' : `${rate.source} ${rate.stale ? 'stale' : 'fresh'}`
    }
    expect(source()).toBe('fixer fresh')
    clock.advance(7200_000)
    expect(source()).toBe('fixer fresh')
    clock.advance(1000)
    expect(source()).toBe('ecb fresh')
    clock.set('2026-11-25T19:15:00Z')
    expect(source()).toBe('ecb fresh')
    clock.advance(1000)
    expect(source()).toBe('fixer stale')
  })

  test("the operator's order decides, not the time", async () => {
    await take('ecb', '2026-11-20T13:15:00Z', { USD: '1.1600' })
    await take('fixer', '2026-11-20T16:00:00Z', { USD: '1.1642' })
    const book = openBook([ecb, fixer])
    await book.refresh()
    expect(book.rate('EUR', 'USD')).toMatchObject({ source: 'ecb', kind: 'daily', ageLimitSeconds: 453_600 })
  })

  test('both legs come from one snapshot: a provider that has only one is passed over', async () => {
    await take('ecb', '2026-11-20T13:15:00Z', { USD: '1.1600', PLN: '4.25' })
    await take('fixer', '2026-11-20T16:00:00Z', { USD: '1.1642', ZAR: '20' })
    const book = openBook([fixer, ecb])
    await book.refresh()
    expect(book.rate('USD', 'PLN')).toMatchObject({ source: 'ecb' })
    expect(book.rate('EUR', 'USD')).toMatchObject({ source: 'fixer' })
    expect(book.rate('PLN', 'ZAR')).toEqual({ unknown: true })
  })

  test('over Easter, from Thursday 14:15 to Tuesday 16:00, a reference rate may be dealt at', async () => {
    clock.set('2027-03-25T16:00:00Z')
    await take('ecb', '2027-03-25T13:15:00Z', { USD: '1.16' })
    clock.set('2027-03-30T15:00:00Z')
    const book = openBook([ecb])
    await book.refresh()
    expect(book.rate('EUR', 'USD')).toMatchObject({ stale: false })
  })

  test('a provider that is no longer configured is not taken', async () => {
    await take('fixer', '2026-11-20T16:00:00Z', { USD: '1.1642' })
    const book = openBook([ecb])
    await book.refresh()
    expect(book.rate('EUR', 'USD')).toEqual({ unknown: true })
  })

  test('before the first rate, the first provider says whether prices are made up', () => {
    expect(openBook([simulated]).simulated()).toBe(true)
    expect(openBook([fixer, simulated]).simulated()).toBe(false)
  })

  test('made-up prices never stand in for real ones that turned stale', async () => {
    await take('simulated', '2026-11-20T16:00:00Z', { USD: '1.30', JPY: '170' })
    const book = openBook([fixer, simulated])
    await book.refresh()
    expect(book.simulated()).toBe(true)
    expect(book.rate('EUR', 'USD')).toMatchObject({ source: 'simulated', simulated: true })
    await take('fixer', '2026-11-20T16:00:00Z', { USD: '1.1642' })
    clock.set('2026-11-20T20:00:00Z')
    await take('simulated', '2026-11-20T20:00:00Z', { USD: '1.31', JPY: '171' })
    await book.refresh()
    expect(book.simulated()).toBe(false)
    expect(book.rate('EUR', 'USD')).toMatchObject({ source: 'fixer', stale: true })
  })
})

test('a rate that another process stored is seen within the refresh', async () => {
  const book = openBook([fixer], { refreshMs: 20 })
  await book.start()
  expect(book.rate('EUR', 'USD')).toEqual({ unknown: true })
  await take('fixer', '2026-11-20T16:00:00Z', { USD: '1.1642' })
  await expect.poll(() => book.rate('EUR', 'USD')).toMatchObject({ mid: '1.164200000' })
  await book.stop()
  await take('fixer', '2026-11-20T16:01:00Z', { USD: '1.17' })
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(book.rate('EUR', 'USD')).toMatchObject({ mid: '1.164200000' })
})

test('a database that is away leaves the book as it was, ageing', async () => {
  await take('fixer', '2026-11-20T16:00:00Z', { USD: '1.1642' })
  let away = false
  const query: typeof db.query = (...args) => (away ? Promise.reject(new Error('away')) : db.query(...args))
  const book = createRateBook({
    db: { query },
    clock: clock.now,
    ageLimits: DEFAULT_AGE_LIMITS,
    log,
    providers: [fixer],
    refreshMs: 10,
  })
  await book.start()
  away = true
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(book.rate('EUR', 'USD')).toMatchObject({ stale: false })
  clock.advance(3 * 3600_000)
  expect(book.rate('EUR', 'USD')).toMatchObject({ stale: true, ageSeconds: 10_800 })
  away = false
  await take('fixer', '2026-11-20T19:00:00Z', { USD: '1.17' })
  await expect.poll(() => book.rate('EUR', 'USD')).toMatchObject({ stale: false })
  await book.stop()
})
