import { beforeEach, describe, expect, test } from 'vitest'
import { fakeClock } from '#test/fake-clock'
import { testDatabase } from '#test/harness'
import { DEFAULT_AGE_LIMITS } from './age-limits.ts'
import { pollRates } from './poll-rates.ts'
import { providerRecords } from './provider-queries.ts'
import { providerStatuses } from './provider-status.ts'
import { fakeFeed, type FakeAnswer } from './providers/fake-feed.ts'
import { fixerProvider } from './providers/fixer.ts'
import { ProviderError, type RateProvider } from './providers/rate-provider.ts'
import { simulatedRates } from './providers/simulated-rates.ts'
import { draftOf, forgetAll, scriptedProvider, stored } from './scripted-provider.ts'

const { db, ownerDb } = await testDatabase()
const clock = fakeClock('2026-11-20T12:00:00Z')
const never = new AbortController().signal
const log = { info: () => {}, warn: () => {} }
const poll = (...providers: RateProvider[]) => pollRates({ db, clock: clock.now, log, providers }, never)
const minutes = (count: number) => clock.advance(count * 60_000)
const record = async (name: string) => (await providerRecords(db)).get(name)
const status = async (provider: RateProvider) =>
  (await providerStatuses(db, { providers: [provider], clock: clock.now, ageLimits: DEFAULT_AGE_LIMITS }))[0]

/** Says 1 EUR = 1.16 USD as of now. */
function steady(name: string, more: Partial<RateProvider> = {}) {
  const provider = scriptedProvider(name, more)
  provider.answer = () => draftOf(name, clock.now().toISOString(), { USD: '1.16' })
  return provider
}

function failing(name: string, error: ProviderError, more: Partial<RateProvider> = {}) {
  const provider = scriptedProvider(name, more)
  provider.answer = () => {
    throw error
  }
  return provider
}

beforeEach(async () => {
  await forgetAll(ownerDb)
  clock.set('2026-11-20T12:00:00Z')
})

test('everybody who is due is asked, in order; a failing one does not keep the next from answering', async () => {
  const down = failing('fixer', new ProviderError('transient', 'http_503', 'It failed.'))
  const outcomes = await poll(down, steady('ecb'))
  expect([...outcomes].map(([name, { outcome }]) => [name, outcome])).toEqual([
    ['fixer', 'failed'],
    ['ecb', 'stored'],
  ])
  expect(await stored(db)).toEqual(['ecb 11-20 12:00 USD 1.16'])
})

test('an hourly provider is asked once an hour, however often it is looked', async () => {
  const provider = steady('fixer')
  for (let tick = 0; tick < 24; tick += 1) {
    await poll(provider)
    minutes(5)
  }
  expect(provider.asked).toBe(2)
})

test('ten processes at once ask once, and take one request off the budget', async () => {
  const provider = steady('fixer', { requestsPerMonth: 100 })
  await Promise.all(Array.from({ length: 10 }, () => poll(provider)))
  expect(provider.asked).toBe(1)
  expect(await record('fixer')).toMatchObject({ quota: { limit: 100, remaining: 99 } })
})

test('a request is taken off the budget before it is sent, even if the process dies on it', async () => {
  const provider = scriptedProvider('fixer', { requestsPerMonth: 100 })
  provider.answer = () => {
    throw new Error('the process died')
  }
  await expect(poll(provider)).rejects.toThrow('the process died')
  expect(await record('fixer')).toMatchObject({ quota: { remaining: 99 } })
  await poll(provider)
  expect(provider.asked).toBe(1)
})

test('a plan of 100 requests is stretched to the end of the month, and says so', async () => {
  clock.set('2026-12-01T00:00:00Z')
  const provider = steady('fixer', { requestsPerMonth: 100 })
  for (let tick = 0; tick < 10 * 24; tick += 1) {
    await poll(provider)
    minutes(60)
  }
  // Ten days of 31.
  expect(provider.asked).toBeGreaterThanOrEqual(30)
  expect(provider.asked).toBeLessThanOrEqual(34)
  expect((await status(provider))?.sentence).toMatch(
    /^Asked every 7 h \d+ min instead of every 1 h, so that the month's quota lasts: [67]\d of 100 requests are left until 2027-01-01\. Other providers fill the gaps\.$/,
  )
})

test("the provider's own count of the month is believed", async () => {
  const provider = scriptedProvider('fixer', { requestsPerMonth: 100 })
  provider.answer = () =>
    draftOf('fixer', clock.now().toISOString(), { USD: '1.16' }, { quota: { limit: 1000, remaining: 500 } })
  await poll(provider)
  expect(await status(provider)).toMatchObject({
    quota: { limit: 1000, remaining: 500 },
    intervalSeconds: 3600,
    sentence: 'Asked every 1 h; 500 of 1000 requests are left until 2026-12-01.',
  })
})

test('a spent month is said, tried once a day, and over with the month', async () => {
  const spent = new ProviderError('quota', 'fixer_104', "The month's requests of this plan are used up.")
  const provider = failing('fixer', spent, { requestsPerMonth: 100 })
  for (let tick = 0; tick < 48; tick += 1) {
    await poll(provider)
    minutes(60)
  }
  expect(provider.asked).toBe(2)
  expect((await status(provider))?.sentence).toContain(
    "The month's 100 requests are spent; tried once a day until 2026-12-01.",
  )
  clock.set('2026-12-01T00:00:00Z')
  await poll(provider)
  expect(provider.asked).toBe(3)
})

test.each(['auth', 'plan'] as const)('%s: not asked again within the hour', async (kind) => {
  const provider = failing('fixer', new ProviderError(kind, 'fixer_101', 'The API key is wrong.'))
  for (let tick = 0; tick < 12; tick += 1) {
    await poll(provider)
    minutes(5)
  }
  expect(provider.asked).toBe(1)
  expect(await status(provider)).toMatchObject({
    error: { code: 'fixer_101', sentence: 'The API key is wrong.' },
    sentence: 'Asked every 1 h. The API key is wrong.',
  })
})

test('another key is asked at once, and begins with a budget of its own', async () => {
  const wrong = new ProviderError('auth', 'fixer_101', 'The API key is wrong.')
  await poll(failing('fixer', wrong, { requestsPerMonth: 100 }))
  const corrected = steady('fixer', { requestsPerMonth: 100, configuredAs: 'as corrected' })
  await poll(corrected)
  expect(corrected.asked).toBe(1)
  expect(await record('fixer')).toMatchObject({ error: null, quota: { remaining: 99 } })
})

describe('history', () => {
  test('is loaded once, after the first rates, and the rates before it stay the latest', async () => {
    const provider = simulatedRates({ seed: 1, clock: clock.now, historyDays: 30 })
    await poll(provider)
    const { rows } = await db.query<{ origin: string; count: bigint }>(
      'select origin, count(*) from market_data.rate_snapshots group by origin order by origin',
    )
    expect(rows).toEqual([
      { origin: 'history', count: 16n + 14n * 24n },
      { origin: 'poll', count: 1n },
    ])
    minutes(60)
    await poll(provider)
    expect((await db.query('select from market_data.rate_snapshots')).rowCount).toBe(16 + 14 * 24 + 2)
  })

  test('costs a metered provider one request, and none when few are left', async () => {
    let asked = 0
    const history = async () => {
      asked += 1
      throw new ProviderError('plan', 'fixer_105', 'Not in this plan.')
    }
    const provider = steady('fixer', { requestsPerMonth: 100, history })
    await poll(provider)
    minutes(24 * 60)
    await poll(provider)
    expect(asked).toBe(1)
    await forgetAll(ownerDb)
    await poll(steady('fixer', { requestsPerMonth: 15, history }))
    expect(asked).toBe(1)
  })
})

describe('a hostile provider: nothing of it is stored and the last good rates stay', async () => {
  const feed = await fakeFeed()
  const fixer = (deadlineSeconds = 60) =>
    fixerProvider({ url: feed.url, apiKey: 'k', clock: clock.now, deadlineSeconds })
  const body = (usd: string, more: { base?: string; at?: string } = {}) =>
    `{"success":true,"timestamp":${Date.parse(more.at ?? '2026-11-20T13:00:00Z') / 1000},` +
    `"base":"${more.base ?? 'EUR'}","rates":{"USD":${usd},"PLN":4.2487}}`
  const cases: [string, FakeAnswer, string][] = [
    ['500', { status: 500, body: body('1.17') }, 'failed'],
    ['slow', { write: (response) => response.write('{') }, 'failed'],
    ['hangs up', { write: (response) => response.destroy() }, 'failed'],
    ['NaN', { body: body('NaN') }, 'failed'],
    ['"NaN"', { body: body('"NaN"') }, 'failed'],
    ['null', { body: body('null') }, 'failed'],
    ['0', { body: body('0') }, 'refused'],
    ['negative', { body: body('-1.17') }, 'refused'],
    ['1e400', { body: body('1e400') }, 'refused'],
    ['wrong base', { body: body('1.17', { base: 'USD' }) }, 'refused'],
    ['+50 %', { body: body('1.7463') }, 'quarantined'],
    ['-50 %', { body: body('0.5821') }, 'quarantined'],
    ['old', { body: body('1.17', { at: '2026-11-19T12:00:00Z' }) }, 'refused'],
    ['of next week', { body: body('1.17', { at: '2026-11-27T12:00:00Z' }) }, 'refused'],
    ['50 MB announced', { headers: { 'content-length': '52428800' }, write: (r) => r.write('{') }, 'failed'],
    [
      '50 MB streamed',
      {
        write: (response) => {
          const chunk = ' '.repeat(1_000_000)
          const more = (left: number) => {
            if (left > 0 && !response.destroyed) response.write(chunk, () => more(left - 1))
          }
          more(50)
        },
      },
      'failed',
    ],
    ['a page', { body: '<html></html>' }, 'failed'],
  ]
  test.each(cases)('%s', async (name, answer, outcome) => {
    feed.answer = () => ({ body: body('1.1642', { at: '2026-11-20T12:00:00Z' }) })
    // The feed answers the request for history in the same way, which is refused as a whole.
    await expect(poll(fixer())).resolves.toEqual(
      new Map([['fixer', expect.objectContaining({ outcome: 'stored' })]]),
    )
    const before = await stored(db)
    expect(before).toEqual(['fixer 11-20 12:00 PLN 4.2487', 'fixer 11-20 12:00 USD 1.1642'])
    clock.set('2026-11-20T20:00:00Z')
    feed.answer = () => answer
    const outcomes = await poll(fixer(name === 'slow' ? 0.2 : undefined))
    expect(outcomes.get('fixer')).toMatchObject({ outcome })
    expect(await stored(db)).toEqual(before)
    expect(await record('fixer')).toMatchObject({ failuresInARow: 1, error: { at: clock.now() } })
  })
})
