import { beforeEach, describe, expect, test } from 'vitest'
import { fakeFeed } from './fake-feed.ts'
import { polygonGroupedDay, polygonPreviousClose, polygonRange } from './polygon-bars.ts'
import { accessTo, json, KEY } from './polygon-fixture.ts'
import { hasRecorded, recorded } from './recorded.ts'

const feed = await fakeFeed()
const access = accessTo(feed.url)
const call = { signal: new AbortController().signal }
const DAYS = { ticker: 'AAPL', span: 'day', from: '2026-11-02', to: '2026-11-20' } as const
// Midnight of Friday 20 November 2026 in New York.
const MIDNIGHT = 1795150800000
const row = (more: object = {}) => ({
  v: 12,
  vw: 10.1,
  o: 10,
  c: 10.2,
  h: 10.5,
  l: 9.9,
  t: MIDNIGHT,
  n: 3,
  ...more,
})

beforeEach(() => {
  feed.asked.length = 0
})

test('a range asks for raw bars with the key in a header only, and keeps every number to the digit', async () => {
  feed.answer = () =>
    json(`{"status":"OK","ticker":"AAPL","adjusted":false,"resultsCount":1,"results":[
      {"v":6.42646396e+08,"vw":1.469,"o":1.5032,"c":1.4604,"h":1.5064,"l":1.4489,"t":${MIDNIGHT},"n":82132}]}`)
  const { bars, delayed, refused } = await polygonRange(access, DAYS, call)
  expect(feed.asked[0]?.path).toBe(
    '/v2/aggs/ticker/AAPL/range/1/day/2026-11-02/2026-11-20?adjusted=false&sort=asc&limit=50000',
  )
  expect(feed.asked[0]?.headers['authorization']).toBe(`Bearer ${KEY}`)
  expect(bars).toEqual([
    {
      ticker: 'AAPL',
      startAt: new Date(MIDNIGHT),
      date: '2026-11-20',
      open: '1.5032',
      high: '1.5064',
      low: '1.4489',
      close: '1.4604',
      volume: '642646396',
      vwap: '1.469',
      trades: 82132,
    },
  ])
  expect([delayed, refused]).toEqual([false, []])
})

test.each([
  ['12.5', '12.5'],
  ['895345', '895345'],
  ['95595226.0', '95595226.0'],
  ['1.2345678901234567e8', '123456789.01234567'],
  ['6.42e+08', '642000000'],
  ['4.2e-3', '0.0042'],
  ['0', '0'],
])('a volume of %s is exactly %s', async (written, exact) => {
  feed.answer = () =>
    json(`{"status":"OK","results":[{"v":${written},"o":1,"c":1,"h":1,"l":1,"t":${MIDNIGHT}}]}`)
  const { bars } = await polygonRange(access, DAYS, call)
  expect(bars[0]).toMatchObject({ volume: exact, vwap: null, trades: null })
})

test('DELAYED is data, flagged; absent, null-like and empty results are no data', async () => {
  feed.answer = () => json({ status: 'DELAYED', results: [row()] })
  expect(await polygonRange(access, DAYS, call)).toMatchObject({ delayed: true, bars: [{ close: '10.2' }] })
  for (const body of [
    { status: 'OK' },
    { status: 'OK', results: [] },
    { status: 'DELAYED', resultsCount: 0 },
  ]) {
    feed.answer = () => json(body)
    expect((await polygonRange(access, DAYS, call)).bars).toEqual([])
    expect((await polygonGroupedDay(access, '2026-11-20', call)).bars).toEqual([])
    expect(await polygonPreviousClose(access, 'AAPL', call)).toBeNull()
  }
})

test.each([
  ['a price of zero', { o: 0 }, 'price'],
  ['a negative price', { l: -1 }, 'price'],
  ['a price beyond belief', { h: 1e9 }, 'price'],
  ['a price that is text', { c: '10.2' }, 'price'],
  ['no close', { c: null }, 'price'],
  ['a negative volume', { v: -1 }, 'volume'],
  ['no volume', { v: undefined }, 'volume'],
  ['a high below its open', { h: 9.95 }, 'high_low'],
  ['a low above its close', { l: 10.3, o: 10.4 }, 'high_low'],
  ['no time', { t: undefined }, 'time'],
  ['a time that is no whole number', { t: 1.5 }, 'time'],
  ['the time of the bar before', {}, 'time'],
])('%s leaves that row out, named, and keeps the others', async (_name, more, why) => {
  feed.answer = () => json({ status: 'OK', results: [row(), row({ ...more })] })
  const { bars, refused } = await polygonRange(access, DAYS, call)
  expect(bars).toHaveLength(1)
  expect(refused).toMatchObject([{ why }])
})

test('where most rows cannot be read, nothing is believed', async () => {
  feed.answer = () => json({ status: 'OK', results: Array.from({ length: 30 }, () => row({ o: 'x' })) })
  await expect(polygonRange(access, DAYS, call)).rejects.toMatchObject({ code: 'unexpected_shape' })
})

test('adjusted prices in answer to a question for raw ones are refused', async () => {
  feed.answer = () => json({ status: 'OK', adjusted: true, results: [row()] })
  await expect(polygonRange(access, DAYS, call)).rejects.toMatchObject({ code: 'adjusted' })
})

test('days begin at midnight in New York, in winter and summer, whatever moment they are stamped with', async () => {
  feed.answer = () => json({ status: 'OK', results: [{ T: 'GIK', ...row({ t: 1602705600000 }) }] })
  const { bars } = await polygonGroupedDay(access, '2020-10-14', call)
  expect(bars).toMatchObject([
    { ticker: 'GIK', date: '2020-10-14', startAt: new Date('2020-10-14T04:00:00Z') },
  ])
  feed.answer = () => json({ status: 'OK', results: [row({ t: Date.UTC(2026, 10, 20, 14, 31) })] })
  const minutes = await polygonRange(access, { ...DAYS, span: 'minute' }, call)
  expect(minutes.bars).toMatchObject([{ date: '2026-11-20', startAt: new Date('2026-11-20T14:31:00Z') }])
})

test('a market’s day holds each ticker once, and only that day', async () => {
  const results = [
    { T: 'AAPL', ...row() },
    { T: 'AAPL', ...row({ c: 10.3 }) },
    { T: 'MSFT', ...row({ t: MIDNIGHT - 3_600_000 }) },
    { T: '<b>', ...row() },
    { ...row() },
    'row',
    { T: 'BRK.B', ...row() },
  ]
  feed.answer = () => json({ status: 'OK', results })
  const { bars, refused } = await polygonGroupedDay(access, '2026-11-20', call)
  expect(bars.map(({ ticker, close }) => [ticker, close])).toEqual([
    ['AAPL', '10.2'],
    ['BRK.B', '10.2'],
  ])
  expect(refused.map(({ ticker, why }) => [ticker, why])).toEqual([
    ['AAPL', 'time'],
    ['MSFT', 'time'],
    [null, 'shape'],
    [null, 'shape'],
    [null, 'shape'],
  ])
})

test('12,000 rows are read in slices: the process is never stopped for long', async () => {
  const rows = Array.from({ length: 12_000 }, (_, index) => ({ T: `T${index}`, ...row({ vw: 10.123456 }) }))
  feed.answer = () => json({ status: 'OK', queryCount: 12_000, results: rows, request_id: 'x' })
  // By the thread's own time: what else the machine does must not decide it.
  const spentMs = () => process.threadCpuUsage().user / 1000
  const turnsMs: number[] = []
  let before = spentMs()
  const watch = setInterval(() => {
    turnsMs.push(spentMs() - before)
    before = spentMs()
  })
  const { bars } = await polygonGroupedDay(access, '2026-11-20', call)
  clearInterval(watch)
  expect(bars).toHaveLength(12_000)
  // In one go reading takes 50 ms, and judging as long again.
  expect(Math.max(...turnsMs)).toBeLessThan(35)
})

describe('pages of a range', () => {
  const pages = (next: (path: string) => string | undefined) => {
    feed.answer = (path) => {
      const page = Number(/cursor=p([0-9]+)/.exec(path)?.[1] ?? 0)
      return json({ status: 'OK', results: [row({ t: MIDNIGHT + page * 86_400_000 })], next_url: next(path) })
    }
  }

  test('are followed to the end, at the configured host, with the key', async () => {
    pages((path) =>
      path.includes('cursor=p1')
        ? undefined
        : 'https://api.massive.com/v2/aggs/ticker/AAPL/range/1/day/1795/1796?cursor=p1&apiKey=other',
    )
    expect((await polygonRange(access, DAYS, call)).bars).toHaveLength(2)
    expect(feed.asked[1]?.path).toBe('/v2/aggs/ticker/AAPL/range/1/day/1795/1796?cursor=p1')
    expect(feed.asked[1]?.headers['authorization']).toBe(`Bearer ${KEY}`)
  })

  test('that go round in a circle end', async () => {
    pages(() => `${feed.url}/v2/aggs/ticker/AAPL/range/1/day/1/2?cursor=p1`)
    await expect(polygonRange(access, DAYS, call)).rejects.toMatchObject({ code: 'page_loop' })
    expect(feed.asked).toHaveLength(2)
  })

  test('that never end are bounded', async () => {
    pages((path) => {
      const page = Number(/cursor=p([0-9]+)/.exec(path)?.[1] ?? 0)
      return `${feed.url}/v2/aggs/ticker/AAPL/range/1/day/1/2?cursor=p${page + 1}`
    })
    await expect(polygonRange(access, DAYS, call)).rejects.toMatchObject({ code: 'too_many_pages' })
    expect(feed.asked).toHaveLength(20)
  })

  test('hostile: the key is never taken to another host, nor to another endpoint', async () => {
    const other = await fakeFeed(() => json({ status: 'OK' }))
    pages((path) =>
      path.includes('cursor') ? undefined : `${other.url}/v2/aggs/ticker/AAPL/range/1/day/1/2?cursor=p1`,
    )
    await polygonRange(access, DAYS, call)
    expect(other.asked).toEqual([])
    const hostile = [
      `${feed.url}/v1/account?cursor=p1`,
      `${feed.url}/v2/aggs/ticker/AAPL/range/../../../../../v1/account?cursor=p1`,
      `${feed.url}/v2/aggs/ticker/MSFT/range/1/day/1/2?cursor=p1`,
      'javascript:alert(1)',
      'file:///v2/aggs/ticker/AAPL/range/1?cursor=p1',
      '//evil',
      '?cursor=p1',
      `${feed.url}/v2/aggs/ticker/AAPL/range/1?cursor=${'x'.repeat(5000)}`,
    ]
    for (const next of hostile) {
      feed.asked.length = 0
      pages(() => next)
      await expect(polygonRange(access, DAYS, call), next).rejects.toMatchObject({ code: 'foreign_page' })
      expect(feed.asked).toHaveLength(1)
    }
  })
})

test('what is asked is a ticker and a day, and nothing that could be another path', async () => {
  for (const ticker of ['../x', 'A/../../v1', '', 'a b', 'AAPL?x=1', 'ÄÖ'.repeat(20)])
    await expect(polygonRange(access, { ...DAYS, ticker }, call)).rejects.toThrow(RangeError)
  for (const date of ['2026-13-01', 'today', '2026-11-31', '2026-11-20/../..'])
    await expect(polygonGroupedDay(access, date, call)).rejects.toThrow(RangeError)
  expect(feed.asked).toEqual([])
})

describe.runIf(hasRecorded)('recorded bodies', () => {
  const raw = (name: string) => recorded(`polygon/${name}`).replace('"adjusted": true', '"adjusted": false')

  test('range', async () => {
    feed.answer = () => json(raw('aggs-range-AAPL.json'))
    const { bars } = await polygonRange(access, DAYS, call)
    expect(bars.map(({ date, close, volume }) => [date, close, volume])).toEqual([
      ['2005-04-01', '1.4604', '642646396.0'],
      ['2005-04-04', '1.4675', '578172308.0'],
    ])
  })

  test('grouped day and previous close', async () => {
    feed.answer = () => json(raw('aggs-grouped.json'))
    expect((await polygonGroupedDay(access, '2020-10-14', call)).bars).toMatchObject([{ ticker: 'GIK' }])
    feed.answer = () => json(raw('aggs-prev-AAPL.json'))
    expect(await polygonPreviousClose(access, 'AAPL', call)).toMatchObject({
      date: '2022-04-26',
      close: '156.8',
    })
  })
})
