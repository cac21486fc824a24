import { beforeEach, expect, test } from 'vitest'
import { fakeClock } from '#test/fake-clock'
import { testDatabase } from '#test/harness'
import { fakeFeed } from './fake-feed.ts'
import { fakeSocket } from './fake-socket.ts'
import { json, KEY } from './polygon-fixture.ts'
import { polygonProvider } from './polygon.ts'

const { db, ownerDb } = await testDatabase()
const feed = await fakeFeed()
const socket = await fakeSocket()
const clock = fakeClock('2026-11-20T15:00:00Z')
const now = { signal: new AbortController().signal, waitSecondsMax: 0 }

const provider = (more: { plan?: 'free' | 'paid' | 'probe'; apiKey?: string } = {}) =>
  polygonProvider({
    url: feed.url,
    wsUrl: socket.url,
    apiKey: KEY,
    plan: 'probe',
    db,
    clock: clock.now,
    random: () => 0,
    ...more,
  })

beforeEach(async () => {
  await ownerDb.query('truncate market_data.provider_budgets')
  feed.asked.length = 0
  feed.answer = () => json({ status: 'OK' })
})

test('all its requests are of one budget, which another key does not share', async () => {
  const [one, two] = [provider(), provider()]
  for (const date of ['2026-11-16', '2026-11-17', '2026-11-18']) await one.groupedDay(date, now)
  await two.splits({ since: '2026-01-01' }, now)
  await two.previousClose('AAPL', now)
  await expect(one.snapshot(['AAPL'], now)).rejects.toMatchObject({ kind: 'rate_limited', code: 'budget' })
  expect(feed.asked).toHaveLength(5)
  await provider({ apiKey: 'another' }).dividends({ since: '2026-01-01' }, now)
  expect(feed.asked).toHaveLength(6)
})

test('429 in one process keeps the others from asking', async () => {
  feed.answer = () => json({ status: 'ERROR', error: 'slow down' }, 429, { 'retry-after': '30' })
  await expect(provider().upcoming(now)).rejects.toMatchObject({ code: 'http_429' })
  await expect(provider().upcoming(now)).rejects.toMatchObject({ code: 'budget', retryAfterSeconds: 30 })
  expect(feed.asked).toHaveLength(1)
  clock.advance(30_000)
  feed.answer = () => json([])
  expect(await provider().upcoming(now)).toEqual([])
})

test('a paid key that was found by asking is no longer held to five a minute, in any process', async () => {
  feed.answer = (path) =>
    path.includes('/snapshot/')
      ? json({ status: 'OK', tickers: [{ ticker: 'AAPL' }] })
      : json({ status: 'OK' })
  expect(await provider().entitlement(now)).toMatchObject({ timeliness: 'realTime', requestsPerMinute: null })
  for (let request = 0; request < 20; request += 1) await provider().previousClose('AAPL', now)
  expect(feed.asked).toHaveLength(22)
})

test('a free key is found as such, and that its plan has no stream is known from connecting only', async () => {
  feed.answer = () => json({ status: 'NOT_AUTHORIZED', message: 'Upgrade.' }, 403)
  socket.answer = (client) =>
    client.say({ ev: 'status', status: 'auth_failed', message: 'Your plan doesn’t include it' })
  const polygon = provider()
  const found = await polygon.entitlement(now)
  expect(found).toMatchObject({ timeliness: 'endOfDay', stream: null, requestsPerMinute: 5 })
  expect(found.refused.map(({ what }) => what)).toEqual(['snapshots', 'intraday bars'])
  const silent = { topics: [], onEvents: () => {}, onGap: () => {} }
  const stream = polygon.stream({ ...silent, timeliness: 'realTime', signal: now.signal })
  expect(await stream.ended).toMatchObject({ code: 'not_authorized' })
  expect(JSON.stringify([found, polygon.configuredAs])).not.toContain(KEY)
})
