import { beforeEach, describe, expect, test } from 'vitest'
import { fakeFeed } from './fake-feed.ts'
import { probePolygon, FREE_PLAN, PAID_PLAN } from './polygon-entitlement.ts'
import { accessTo, json, openBudget } from './polygon-fixture.ts'
import { polygonMarketStatus, polygonSnapshot, polygonUpcoming } from './polygon-now.ts'
import { hasRecorded, recorded } from './recorded.ts'
import type { FakeAnswer } from './fake-feed.ts'

const feed = await fakeFeed()
const budget = openBudget()
const access = accessTo(feed.url, budget)
const call = { signal: new AbortController().signal }
// 9:31 of Friday 20 November 2026 in New York.
const NOW = new Date('2026-11-20T14:31:00Z')

beforeEach(() => {
  feed.asked.length = 0
  budget.plans.length = 0
})

test('a snapshot keeps moments in ns to the last digit, past what a double can hold', async () => {
  feed.answer = () =>
    json(`{"status":"OK","count":1,"tickers":[{"ticker":"AAPL","updated":1651251948407646487,
      "lastTrade":{"p":159.99,"s":200,"t":1651251948294080343},
      "lastQuote":{"P":159.99,"S":5,"p":159.98,"s":3,"t":1651251948407646487}}]}`)
  const { snapshots } = await polygonSnapshot(access, ['AAPL', 'BRK.B'], call)
  expect(feed.asked[0]?.path).toBe('/v2/snapshot/locale/us/markets/stocks/tickers?tickers=AAPL%2CBRK.B')
  expect(snapshots[0]?.trade).toMatchObject({ price: '159.99', size: '200', asOfNs: 1651251948294080343n })
  expect(snapshots[0]?.quote).toMatchObject({ bid: '159.98', ask: '159.99', asOfNs: 1651251948407646487n })
  expect(snapshots[0]?.asOf).toEqual(new Date(1651251948407))
})

test.each([
  [
    'zeros before the first trade',
    { day: { o: 0, h: 0, l: 0, c: 0, v: 0 }, updated: 0 },
    { day: null, asOf: null },
  ],
  ['a crossed quote', { lastQuote: { P: 1, S: 1, p: 2, s: 1, t: 1651251948407 } }, { quote: null }],
  ['a trade without a price', { lastTrade: { p: null, s: 1, t: 1651251948407 } }, { trade: null }],
  ['a trade without a moment', { lastTrade: { p: 1, s: 1 } }, { trade: null }],
  ['nothing', {}, { trade: null, quote: null, minute: null, day: null, previousDay: null }],
])('%s: is not there', async (_name, more, expected) => {
  feed.answer = () => json({ status: 'DELAYED', tickers: [{ ticker: 'AAPL', ...more }] })
  const answer = await polygonSnapshot(access, ['AAPL'], call)
  expect(answer).toMatchObject({ delayed: true, snapshots: [expected] })
})

test('a snapshot holds only what was asked for; none is asked for nothing', async () => {
  feed.answer = () => json({ status: 'OK', tickers: [{ ticker: 'AAPL' }, { ticker: 'EVIL' }] })
  const { snapshots } = await polygonSnapshot(access, ['AAPL'], call)
  expect(snapshots.map(({ ticker }) => ticker)).toEqual(['AAPL'])
  feed.asked.length = 0
  expect((await polygonSnapshot(access, [], call)).snapshots).toEqual([])
  expect(feed.asked).toEqual([])
  feed.answer = () => json({ status: 'OK' })
  expect((await polygonSnapshot(access, ['AAPL'], call)).snapshots).toEqual([])
})

test('a word for the market that we do not know is not "open"', async () => {
  const status = (market: string) => ({
    market,
    serverTime: '2026-11-20T09:31:00-05:00',
    exchanges: { nyse: 'open', otc: market },
  })
  feed.answer = () => json(status('lunch'))
  const answer = await polygonMarketStatus(access, call)
  expect(answer).toEqual({
    market: 'closed',
    exchanges: new Map([
      ['nyse', 'open'],
      ['otc', 'closed'],
    ]),
    asOf: NOW,
  })
  feed.answer = () => json({ market: 'open' })
  await expect(polygonMarketStatus(access, call)).rejects.toMatchObject({ code: 'unexpected_shape' })
})

test('upcoming days that cannot be read, or close before they open, are left out', async () => {
  feed.answer = () =>
    json([
      { exchange: 'NYSE', name: 'X', date: '2026-12-25', status: 'closed' },
      {
        exchange: 'NYSE',
        name: 'X',
        date: '2026-12-24',
        status: 'early-close',
        open: '2026-12-24T18:00:00Z',
        close: '2026-12-24T14:30:00Z',
      },
      { exchange: 'NYSE', name: 'X', date: '2026-12-24', status: 'early-close' },
      { exchange: 'NYSE', name: 'X', date: '2026-02-30', status: 'closed' },
      { exchange: 'NYSE', name: 'X', date: '2026-12-26', status: 'odd' },
      null,
    ])
  expect(await polygonUpcoming(access, call)).toEqual([
    { mic: 'XNYS', name: 'X', date: '2026-12-25', status: 'closed', opensAt: null, closesAt: null },
  ])
})

describe('what a key may see is found by asking', () => {
  const no = json({ status: 'NOT_AUTHORIZED', message: 'Please upgrade your plan.' }, 403)
  const bars = (status: string, t = NOW.getTime() - 60_000) =>
    json({ status, results: [{ o: 1, h: 1, l: 1, c: 1, v: 1, t }] })
  const snapshot = (status: string) => json({ status, tickers: [{ ticker: 'AAPL' }] })
  const cases: [name: string, snapshot: FakeAnswer, bars: FakeAnswer, expected: object, plan: object][] = [
    [
      'a free key',
      no,
      no,
      { timeliness: 'endOfDay', snapshots: false, intraday: false, requestsPerMinute: 5 },
      FREE_PLAN,
    ],
    [
      'a free key on a weekend',
      no,
      json({ status: 'OK' }),
      { timeliness: 'endOfDay', intraday: false },
      FREE_PLAN,
    ],
    [
      'a delayed key',
      snapshot('DELAYED'),
      bars('DELAYED'),
      { timeliness: 'delayed', refused: [] },
      PAID_PLAN,
    ],
    [
      'a delayed key that says so once',
      snapshot('OK'),
      bars('DELAYED'),
      { timeliness: 'delayed' },
      PAID_PLAN,
    ],
    [
      'delayed bars without snapshots',
      no,
      bars('DELAYED'),
      { timeliness: 'delayed', snapshots: false },
      PAID_PLAN,
    ],
    [
      'a real-time key',
      snapshot('OK'),
      bars('OK'),
      { timeliness: 'realTime', requestsPerMinute: null },
      PAID_PLAN,
    ],
  ]
  test.each(cases)('%s', async (_name, first, second, expected, plan) => {
    feed.answer = (path) => (path.includes('/snapshot/') ? first : second)
    const found = await probePolygon(access, { plan: null, clock: () => NOW }, call)
    expect(found).toMatchObject(expected)
    expect(budget.plans).toEqual([plan])
    expect(feed.asked).toHaveLength(2)
    if (!found.snapshots) expect(found.refused[0]).toMatchObject({ what: 'snapshots' })
  })

  test('a failure is no finding; a plan that the operator named stands', async () => {
    feed.answer = () => json('', 503)
    const ask = () => probePolygon(access, { plan: FREE_PLAN, clock: () => NOW }, call)
    await expect(ask()).rejects.toMatchObject({ code: 'http_503' })
    expect(budget.plans).toEqual([])
    feed.answer = (path) => (path.includes('/snapshot/') ? snapshot('OK') : bars('OK'))
    expect(await ask()).toMatchObject({ timeliness: 'realTime', requestsPerMinute: 5, stream: null })
    expect(budget.plans).toEqual([FREE_PLAN])
  })
})

describe.runIf(hasRecorded)('recorded bodies', () => {
  test('snapshot', async () => {
    feed.answer = () => json(recorded('polygon/snapshot-AAPL.json'))
    const { snapshots } = await polygonSnapshot(access, ['AAPL'], call)
    expect(snapshots).toMatchObject([
      {
        ticker: 'AAPL',
        trade: { price: '159.99', asOfNs: 1651251948294080343n },
        quote: { bid: '159.98', ask: '159.99', bidSize: '3', askSize: '5' },
        minute: { open: '160.71', startAt: new Date(1684428600000) },
        day: { close: '160.315', volume: '68840127' },
        previousDay: { close: '163.64' },
      },
    ])
  })

  test('market status and upcoming days', async () => {
    feed.answer = () => json(recorded('polygon/marketstatus-now.json'))
    const status = await polygonMarketStatus(access, call)
    expect([status.market, status.exchanges.get('nyse'), status.asOf.toISOString()]).toEqual([
      'extendedHours',
      'extendedHours',
      '2022-04-28T20:48:08.000Z',
    ])
    feed.answer = () => json(recorded('polygon/marketstatus-upcoming.json'))
    const days = await polygonUpcoming(access, call)
    expect(days).toHaveLength(14)
    expect(days.filter(({ status }) => status === 'earlyClose')).toMatchObject([
      { mic: 'XNYS', date: '2022-11-25', closesAt: new Date('2022-11-25T18:00:00Z') },
      { mic: 'XNAS' },
    ])
  })
})
