import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { fakeClock } from '#test/fake-clock'
import { simulatedListings } from './simulated-listings.ts'
import { simulatedStocks } from './simulated-stocks.ts'
import type { StockBar, StreamEvent, StreamGap } from './stock-provider.ts'

const call = { signal: new AbortController().signal }
const at = (time: string, more: { seed?: number; sessionHours?: boolean } = {}) =>
  simulatedStocks({ seed: 1, ...more, clock: () => new Date(time) })
const NOW = '2026-11-20T15:04:05Z'
const range = async (
  span: 'minute' | 'hour' | 'day' | 'week',
  from: string,
  to: string,
  ticker = 'AAPL',
  time = NOW,
  more = {},
) => (await at(time, more).range({ ticker, span, from, to }, call)).bars
const highest = (bars: readonly StockBar[]) => Math.max(...bars.map(({ high }) => Number(high)))
const lowest = (bars: readonly StockBar[]) => Math.min(...bars.map(({ low }) => Number(low)))
const volume = (bars: readonly StockBar[]) => bars.reduce((sum, bar) => sum + Number(bar.volume), 0)
const joinedAs = (bars: readonly StockBar[]) => ({
  open: bars[0]?.open,
  close: bars.at(-1)?.close,
  high: highest(bars),
  low: lowest(bars),
  volume: volume(bars),
})
const asNumbers = (bar: StockBar | undefined) => ({
  open: bar?.open,
  close: bar?.close,
  high: Number(bar?.high),
  low: Number(bar?.low),
  volume: Number(bar?.volume),
})

test('forty known names, found by ticker and name', async () => {
  const market = at(NOW)
  const { items } = await market.tickers({ active: true }, call)
  expect(items).toHaveLength(40)
  expect(new Set(items.map(({ ticker }) => ticker)).size).toBe(40)
  expect((await market.tickers({ active: true, search: 'apple' }, call)).items).toMatchObject([
    { ticker: 'AAPL', mic: 'XNAS', type: 'stock', currency: 'USD' },
  ])
  expect((await market.tickers({ active: false }, call)).items).toEqual([])
})

test('the same seed and moment give the same prices in any order of asking; another seed others', async () => {
  const [one, two] = [at(NOW), at(NOW)]
  const sequential = (
    await one.range({ ticker: 'NVDA', span: 'minute', from: '2026-11-10', to: '2026-11-19' }, call)
  ).bars
  for (const date of ['2026-11-17', '2026-11-11', '2026-11-19', '2026-11-10']) {
    const alone = (await two.range({ ticker: 'NVDA', span: 'minute', from: date, to: date }, call)).bars
    expect(alone).toHaveLength(1440)
    expect(alone).toEqual(sequential.filter((bar) => bar.date === date))
  }
  const snapshots = await Promise.all(
    [at(NOW), at(NOW), at(NOW, { seed: 2 })].map((market) => market.snapshot(['TSLA'], call)),
  )
  expect(snapshots[0]).toEqual(snapshots[1])
  expect(snapshots[0]?.snapshots[0]?.trade?.price).not.toBe(snapshots[2]?.snapshots[0]?.trade?.price)
})

test.each([{ sessionHours: false }, { sessionHours: true }])(
  'minutes make hours, hours make days, days make weeks: to the cent and the share, %o',
  async (more) => {
    // A week with the end of daylight saving, Thanksgiving's with its half day, and a quiet one.
    for (const [sunday, saturday] of [
      ['2025-11-02', '2025-11-08'],
      ['2025-11-23', '2025-11-29'],
      ['2026-02-15', '2026-02-21'],
    ] as const) {
      const days = await range('day', sunday, saturday, 'MSFT', NOW, more)
      const [minutes, hours, weeks] = await Promise.all(
        (['minute', 'hour', 'week'] as const).map((span) => range(span, sunday, saturday, 'MSFT', NOW, more)),
      )
      expect(days.length).toBe(more.sessionHours ? (sunday === '2025-11-02' ? 5 : 4) : 7)
      for (const day of days) {
        const its = (bars: readonly StockBar[] | undefined) =>
          (bars ?? []).filter(({ date }) => date === day.date)
        expect(joinedAs(its(minutes))).toEqual(asNumbers(day))
        expect(joinedAs(its(hours))).toEqual(asNumbers(day))
      }
      expect(weeks).toHaveLength(1)
      expect(weeks?.[0]?.date).toBe(sunday)
      expect(joinedAs(days)).toEqual(asNumbers(weeks?.[0]))
    }
  },
)

test('every bar is one: high above, low below, and two decimals', async () => {
  for (const { ticker } of simulatedListings) {
    const days = await range('day', '2016-01-01', '2026-11-19', ticker)
    expect(days.length).toBe(3976)
    for (const { open, high, low, close, vwap, volume: shares } of days) {
      expect(open).toMatch(/^[0-9]+\.([0-9]{2}|[0-9]{4})$/)
      const inside = [open, close, vwap].every(
        (price) => Number(low) <= Number(price) && Number(price) <= Number(high),
      )
      expect(inside && Number(shares) > 0).toBe(true)
    }
  }
})

test('a snapshot lies in the day that it belongs to, and what was said stays true', async () => {
  const day = (await range('day', '2026-11-18', '2026-11-18', 'AMD'))[0]
  for (const time of ['05:00:00', '09:17:31', '15:04:05', '23:59:59'].map((text) => `2026-11-18T${text}Z`)) {
    const { snapshots } = await at(time).snapshot(['AMD'], call)
    const [snapshot] = snapshots
    const price = Number(snapshot?.trade?.price)
    expect(price >= Number(day?.low) && price <= Number(day?.high)).toBe(true)
    expect(Number(snapshot?.quote?.bid)).toBeLessThan(price)
    expect(Number(snapshot?.quote?.ask)).toBeGreaterThan(price)
    expect(snapshot?.asOf).toEqual(new Date(time))
    expect(snapshot?.previousDay?.close).toBe(day?.open)
  }
})

test('the running day is what its minutes have made of it, and never more than the whole', async () => {
  const soFar = (await range('day', '2026-11-20', '2026-11-20'))[0]
  const minutes = await range('minute', '2026-11-20', '2026-11-21')
  expect(joinedAs(minutes)).toEqual(asNumbers(soFar))
  expect(minutes.at(-1)?.startAt).toEqual(new Date('2026-11-20T15:03:00Z'))
  const whole = (await range('day', '2026-11-20', '2026-11-20', 'AAPL', '2026-11-22T00:00:00Z'))[0]
  expect(whole?.open).toBe(soFar?.open)
  expect(Number(whole?.high)).toBeGreaterThanOrEqual(Number(soFar?.high))
  expect(Number(whole?.volume)).toBeGreaterThan(Number(soFar?.volume))
})

test('a market’s day comes when it is over, and agrees with the range', async () => {
  const market = at(NOW)
  expect((await market.groupedDay('2026-11-20', call)).bars).toEqual([])
  const { bars } = await market.groupedDay('2026-11-19', call)
  expect(bars).toHaveLength(40)
  expect([bars.find(({ ticker }) => ticker === 'KO')]).toEqual(
    await range('day', '2026-11-19', '2026-11-19', 'KO'),
  )
  expect(await market.previousClose('KO', call)).toEqual(bars.find(({ ticker }) => ticker === 'KO'))
})

describe('splits and dividends', () => {
  const later = at('2029-12-31T00:00:00Z')

  test('a split is declared two weeks ahead, and the raw price jumps by its ratio on its day', async () => {
    const { items } = await later.splits({ since: '2016-01-01' }, call)
    expect(items.length).toBeGreaterThan(10)
    expect(items.length).toBeLessThan(80)
    for (const { ticker, exDate, from, to } of items) {
      const before = new Date(`${exDate}T12:00:00Z`).getTime() - 15 * 86_400_000
      const known = async (ms: number) =>
        (await at(new Date(ms).toISOString()).splits({ since: exDate }, call)).items.some(
          (split) => split.ticker === ticker && split.exDate === exDate,
        )
      expect([await known(before), await known(before + 86_400_000)]).toEqual([false, true])
      const days = (await later.range({ ticker, span: 'day', from: shifted(exDate, -1), to: exDate }, call))
        .bars
      // Around the clock one day opens where the last one closed, but for the cent of rounding.
      const jump = Number(days[0]?.close) / Number(days[1]?.open)
      expect(jump / (Number(to) / Number(from))).toBeCloseTo(1, 2)
    }
  })

  test('dividends come four times a year, are paid after their ex-date, and are known before it', async () => {
    const { items } = await at(NOW).dividends({ since: '2025-01-01' }, call)
    const apple = items.filter(({ ticker, exDate }) => ticker === 'AAPL' && exDate < '2026-01-01')
    expect(apple).toHaveLength(4)
    for (const { exDate, payDate, declaredOn, amount, currency } of items) {
      expect([declaredOn ?? '', exDate, payDate ?? ''].toSorted()).toEqual([declaredOn, exDate, payDate])
      expect(amount).toMatch(/^[0-9]+\.[0-9]{2}$/)
      expect([Number(amount) > 0, currency]).toEqual([true, 'USD'])
      expect([0, 6]).not.toContain(new Date(`${exDate}T00:00:00Z`).getUTCDay())
    }
    // What is announced is ahead, and all of it is known by now.
    expect(items.some(({ exDate }) => exDate > '2026-11-20')).toBe(true)
    expect(items.every(({ declaredOn }) => (declaredOn ?? '') <= '2026-11-20')).toBe(true)
    expect(items.map(({ exDate }) => exDate)).toEqual(items.map(({ exDate }) => exDate).toSorted())
  })
})

function shifted(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}

test('prices move as much as such stocks do, and stay where one would look for them', async () => {
  const deviation = async (ticker: string) => {
    const closes = (await range('day', '2021-11-19', '2026-11-19', ticker)).map(({ close }) => Number(close))
    const moves = closes.slice(1).map((close, index) => Math.log(close / (closes[index] ?? close)))
    const quiet = moves.filter((move) => Math.abs(move) < 0.3)
    return Math.sqrt((quiet.reduce((sum, move) => sum + move ** 2, 0) / quiet.length) * 365.25)
  }
  expect(await deviation('KO')).toBeGreaterThan(0.08)
  expect(await deviation('KO')).toBeLessThan(0.15)
  expect(await deviation('TSLA')).toBeGreaterThan(0.42)
  expect(await deviation('TSLA')).toBeLessThan(0.65)
  for (const { ticker, level } of simulatedListings) {
    const { snapshots } = await at('2026-11-01T12:00:00Z').snapshot([ticker], call)
    const price = Number(snapshots[0]?.trade?.price)
    expect(price > level / 4 && price < level * 4, `${ticker} ${price}`).toBe(true)
  }
})

describe('with session hours', () => {
  const sessions = (time: string) => at(time, { sessionHours: true })
  test.each([
    ['a Friday morning', '2026-11-20T14:30:00Z', 'open'],
    ['before the opening', '2026-11-20T14:29:59Z', 'closed'],
    ['the close in winter', '2026-11-20T21:00:00Z', 'closed'],
    ['before the close in summer', '2026-07-10T19:59:00Z', 'open'],
    ['a Saturday', '2026-11-21T15:00:00Z', 'closed'],
    ['Thanksgiving', '2026-11-26T15:00:00Z', 'closed'],
    ['the half day after it', '2026-11-27T17:59:00Z', 'open'],
    ['after one on that day', '2026-11-27T18:00:00Z', 'closed'],
    ['Good Friday', '2026-04-03T15:00:00Z', 'closed'],
    ['Independence Day, observed', '2026-07-03T15:00:00Z', 'closed'],
    ['Juneteenth', '2026-06-19T15:00:00Z', 'closed'],
    ['Memorial Day', '2026-05-25T15:00:00Z', 'closed'],
    ['Christmas Eve', '2026-12-24T18:30:00Z', 'closed'],
  ])('%s', async (_name, time, state) => {
    expect((await sessions(time).marketStatus(call)).market).toBe(state)
    expect((await at(time).marketStatus(call)).market).toBe('open')
  })

  test('there is no bar and no new price outside of them', async () => {
    const snapshot = (await sessions('2026-11-22T12:00:00Z').snapshot(['AAPL'], call)).snapshots[0]
    expect(snapshot).toMatchObject({ asOf: new Date('2026-11-20T21:00:00Z'), quote: null, day: null })
    const days = (
      await sessions('2026-12-01T00:00:00Z').range(
        { ticker: 'AAPL', span: 'day', from: '2026-11-21', to: '2026-11-29' },
        call,
      )
    ).bars
    expect(days.map(({ date }) => date)).toEqual(['2026-11-23', '2026-11-24', '2026-11-25', '2026-11-27'])
    const minutes = (
      await sessions('2026-12-01T00:00:00Z').range(
        { ticker: 'AAPL', span: 'minute', from: '2026-11-26', to: '2026-11-27' },
        call,
      )
    ).bars
    expect(minutes).toHaveLength(210)
    expect((await sessions('2026-12-01T00:00:00Z').groupedDay('2026-11-26', call)).bars).toEqual([])
    expect(await sessions('2026-11-22T12:00:00Z').previousClose('AAPL', call)).toMatchObject({
      date: '2026-11-20',
    })
  })

  test('the days that are not ordinary are announced for both exchanges', async () => {
    const days = await sessions(NOW).upcoming(call)
    expect(days.slice(0, 4)).toMatchObject([
      { mic: 'XNYS', date: '2026-11-26', status: 'closed', opensAt: null },
      { mic: 'XNAS', date: '2026-11-26', status: 'closed' },
      { mic: 'XNYS', date: '2026-11-27', status: 'earlyClose', closesAt: new Date('2026-11-27T18:00:00Z') },
      { mic: 'XNAS', date: '2026-11-27' },
    ])
    expect(await at(NOW).upcoming(call)).toEqual([])
  })
})

test('nothing is known of what does not exist, is not listed yet, or has not happened', async () => {
  const market = at(NOW)
  expect(await range('day', '2026-11-01', '2026-11-10', 'ZZZZ')).toEqual([])
  expect(await range('day', '2010-01-01', '2015-01-03')).toHaveLength(2)
  expect(await range('minute', '2026-11-21', '2027-11-21')).toEqual([])
  expect(await market.previousClose('ZZZZ', call)).toBeNull()
  expect((await market.snapshot(['ZZZZ', 'AAPL'], call)).snapshots).toHaveLength(1)
  expect(await market.entitlement(call)).toMatchObject({ timeliness: 'realTime', requestsPerMinute: null })
})

test('the stream says each minute once, trades and quotes of now, and names what it slept through', async () => {
  const clock = fakeClock('2026-11-20T15:00:30Z')
  const stopping = new AbortController()
  const events: StreamEvent[] = []
  const gaps: StreamGap[] = []
  const stream = simulatedStocks({ seed: 1, clock: clock.now, streamEveryMs: 5 }).stream({
    timeliness: 'realTime',
    topics: [
      { channel: 'minuteBars', ticker: 'AAPL' },
      { channel: 'quotes', ticker: 'MSFT' },
      { channel: 'trades', ticker: 'MSFT' },
    ],
    onEvents: (some) => {
      events.push(...some)
    },
    onGap: (gap) => {
      gaps.push(gap)
    },
    signal: stopping.signal,
  })
  for (const seconds of [20, 20, 60, 60]) {
    clock.advance(seconds * 1000)
    const wanted = clock.now()
    await expect.poll(() => stream.status().lastEventAt, { interval: 5 }).toEqual(wanted)
  }
  const bars = events.flatMap((event) => (event.kind === 'bar' ? [event.bar] : []))
  const minutes = (await range('minute', '2026-11-20', '2026-11-20')).filter(
    ({ startAt }) => startAt >= new Date('2026-11-20T15:00:00Z'),
  )
  expect(bars).toEqual(minutes.slice(0, 3))
  expect(events.filter(({ kind }) => kind === 'quote')).toHaveLength(4)
  clock.advance(3_600_000)
  await expect.poll(() => gaps).toHaveLength(1)
  expect(gaps[0]).toMatchObject({
    from: new Date('2026-11-20T15:03:10Z'),
    to: new Date('2026-11-20T16:03:10Z'),
  })
  stopping.abort()
  expect(await stream.ended).toMatchObject({ code: 'stopped' })
  await pause(20)
  expect(stream.status().state).toBe('ended')
})
