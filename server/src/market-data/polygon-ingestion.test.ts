import { expect, test } from 'vitest'
import { wishCandles } from './candle-wishes.ts'
import { corporateActions, standingActions } from './corporate-actions.ts'
import { dailyCloses } from './daily-closes.ts'
import { openInstrumentBook } from './instrument-book.ts'
import { polygonMarket } from './polygon-market-fixture.ts'
import { createPriceBook } from './price-book.ts'
import { readCandles } from './read-candles.ts'
import { readFeeds } from './stock-feeds.ts'
import { readEntitlement } from './stock-source.ts'
import { ingestCandles, pollStockPrices, refreshStockReference } from './stock-jobs.ts'
import { pricesSince } from './stock-prices.ts'
import { stocksFixture } from './stocks-fixture.ts'

const { market, provider } = await polygonMarket()
const { deps, clock, database } = await stocksFixture({ provider, at: '2026-03-03T02:00:00.000Z' })
const { db } = database
const { signal } = new AbortController()
const prices = createPriceBook({
  db,
  provider: deps.provider,
  hours: deps.hours,
  clock: clock.now,
  log: deps.log,
})

market.tickers = [
  { ticker: 'ALL', name: 'The Allstate Corporation', exchange: 'XNYS', figi: 'BBG000BVMGF2' },
  { ticker: 'FB', name: 'Facebook, Inc. Class A', figi: 'BBG000MM2P62' },
  { ticker: 'GONE', name: 'Gone Soon Corporation', figi: 'BBG000000001' },
  { ticker: 'SPLT', name: 'Split Industries', figi: 'BBG000000002' },
  { ticker: 'WRNT', name: 'Some Warrant', type: 'WARRANT' },
]
market.bars = ['2026-02-26', '2026-02-27', '2026-03-02'].flatMap((date, index) => [
  { ticker: 'ALL', date, close: 200 + index },
  { ticker: 'FB', date, close: `${500 + index}.25`, volume: '1.25e6' },
  { ticker: 'GONE', date, close: 5 },
  { ticker: 'SPLT', date, close: 400 + index, volume: 100 },
  { ticker: 'UNKNOWN', date, close: 1 },
])

const day = async (at: string) => {
  clock.set(at)
  await deps.hours.refresh()
  await refreshStockReference(deps, signal)
  await pollStockPrices(deps, signal)
  await ingestCandles(deps, signal)
  await prices.refresh()
}
// A new one each time: the book may keep an instrument for some seconds of a clock that stands still.
const book = () => openInstrumentBook(db, clock.now)
const idOf = async (ticker: string) => {
  const instrument = await book().byIdOrTicker(ticker)
  if (instrument === null) throw new Error(`no ${ticker}`)
  return instrument.id
}
const range = { from: '2026-02-01', to: '2026-03-31', provider: 'polygon' }

test('a free key is found to be end-of-day, and the closes of the last day are the prices', async () => {
  await day('2026-03-03T02:00:00.000Z')
  const entitlement = await readEntitlement(db, 'polygon')
  expect(entitlement).toMatchObject({ timeliness: 'endOfDay', snapshots: false, requestsPerMinute: 5 })
  expect(prices.timeliness()).toBe('endOfDay')
  const price = prices.price(await idOf('FB'))
  expect(price).toMatchObject({
    unknown: false,
    lastText: '502.25',
    bid: null,
    stale: false,
    simulated: false,
  })
  if (price.unknown) throw new Error('unknown')
  expect(price.asOf.toISOString()).toBe('2026-03-02T21:00:00.000Z')
})

test('a stock with a currency’s code gets its market’s beside it, and what is no stock is not offered', async () => {
  expect(await book().byIdOrTicker('ALL')).toMatchObject({ ticker: 'ALL', code: 'ALL.XNYS' })
  expect(await book().byIdOrTicker('ALL.XNYS')).toMatchObject({ ticker: 'ALL' })
  expect(await book().byIdOrTicker('WRNT')).toBeNull()
})

test('the past comes as ranges, days without trade stay gaps, and volumes are exact', async () => {
  const id = await idOf('FB')
  await wishCandles(db, { instrumentId: id, provider: 'polygon', span: 'day', now: clock.now() })
  await ingestCandles(deps, signal)
  const closes = await dailyCloses(db, id, range)
  expect(closes.map(({ date, close }) => `${date} ${close}`)).toEqual([
    '2026-02-26 500.25',
    '2026-02-27 501.25',
    '2026-03-02 502.25',
  ])
  const asked = { instrumentId: id, provider: 'polygon', today: '2026-03-03' }
  const span = { span: 'day', from: new Date('2026-02-20T00:00:00Z'), to: clock.now() } as const
  const [candle] = await readCandles(db, { ...asked, ...span })
  expect(candle).toMatchObject({ volume: '1250000', close: '500.25' })
})

test('a negative, a zero and a missing price are left out and said, and the last good one stays', async () => {
  market.bars.push(
    { ticker: 'ALL', date: '2026-03-03', close: -203, high: -203, low: -203, open: -203 },
    { ticker: 'FB', date: '2026-03-03', close: 0 },
    { ticker: 'GONE', date: '2026-03-03', close: 'null' },
    { ticker: 'SPLT', date: '2026-03-03', close: 403, volume: 100 },
  )
  await day('2026-03-04T02:00:00.000Z')
  expect(prices.price(await idOf('ALL'))).toMatchObject({ lastText: '202' })
  expect(prices.price(await idOf('FB'))).toMatchObject({ lastText: '502.25' })
  expect(prices.price(await idOf('SPLT'))).toMatchObject({ lastText: '403' })
  const days = (await readFeeds(db, 'polygon')).find(({ feed }) => feed === 'days')
  expect(days).toMatchObject({ refused: 3n, reachedOn: '2026-03-03' })
  expect(days?.lastRefusal).toMatch(/price/)
})

test('an absurd jump is kept aside until a second close agrees', async () => {
  market.bars.push({ ticker: 'FB', date: '2026-03-04', close: 5_022.5 })
  await day('2026-03-05T02:00:00.000Z')
  expect(prices.price(await idOf('FB'))).toMatchObject({ lastText: '502.25' })
  market.bars.push({ ticker: 'FB', date: '2026-03-05', close: 5_030 })
  await day('2026-03-06T02:00:00.000Z')
  expect(prices.price(await idOf('FB'))).toMatchObject({ lastText: '5030' })
})

test('a split is no jump, and what came before it is shown in today’s shares while raw prices stay', async () => {
  market.splits = [{ ticker: 'SPLT', execution_date: '2026-03-06', split_from: 1, split_to: 4 }]
  market.bars.push({ ticker: 'SPLT', date: '2026-03-06', close: 101, volume: 400 })
  await day('2026-03-07T02:00:00.000Z')
  const id = await idOf('SPLT')
  expect(prices.price(id)).toMatchObject({ lastText: '101' })
  const asked = { instrumentId: id, provider: 'polygon', today: '2026-03-06', to: clock.now() }
  const candles = await readCandles(db, { ...asked, span: 'day', from: new Date('2026-03-01T00:00:00Z') })
  expect(candles.map(({ close, volume }) => [close, volume])).toEqual([
    ['100.5', '400'],
    ['100.75', '400'],
    ['101', '400'],
  ])
  const [week] = await readCandles(db, { ...asked, span: 'week', from: new Date('2026-03-05T00:00:00Z') })
  expect(week).toMatchObject({ open: '100.5', high: '101', low: '100.5', close: '101', volume: '1200' })
  const raw = await dailyCloses(db, id, { ...range, from: '2026-03-02' })
  expect(raw.map(({ close }) => close)).toEqual(['402', '403', '101'])
  expect(raw[0]?.splitFactor).toEqual({ numerator: 1n, denominator: 4n })
})

test('actions come once however often they are asked for, and a corrected one names what it corrects', async () => {
  const before = await corporateActions(db, { sinceId: 0n, provider: 'polygon' })
  expect(before.map(({ kind }) => kind)).toEqual(['split'])
  market.dividends = [
    {
      ticker: 'FB',
      cash_amount: 0.525,
      currency: 'USD',
      dividend_type: 'CD',
      ex_dividend_date: '2026-03-16',
      pay_date: '2026-03-26',
      frequency: 4,
    },
  ]
  await day('2026-03-07T20:00:00.000Z')
  await day('2026-03-08T04:00:00.000Z')
  market.dividends = [{ ...market.dividends[0], cash_amount: 0.53 }]
  await day('2026-03-08T12:00:00.000Z')
  const [, first, corrected, ...more] = await corporateActions(db, { sinceId: 0n, provider: 'polygon' })
  expect(more).toEqual([])
  expect(first).toMatchObject({
    kind: 'dividend',
    amountPerShare: '0.525',
    payDate: '2026-03-26',
    corrects: null,
  })
  expect(corrected).toMatchObject({ kind: 'dividend', amountPerShare: '0.53', corrects: first?.id })
})

test('a split that is put off is withdrawn and stands on its new day; one that comes back stands again', async () => {
  const id = await idOf('SPLT')
  const splitOn = (date: string) => ({ ticker: 'SPLT', execution_date: date, split_from: 10, split_to: 1 })
  const others = market.splits
  const known = async () =>
    (await corporateActions(db, { sinceId: 0n, provider: 'polygon' }))
      .flatMap((one) => (one.kind === 'split' && one.exDate > '2026-04-01' ? [one] : []))
      .map(({ exDate, withdrawn }) => `${exDate} ${withdrawn ? 'withdrawn' : 'stands'}`)
  const look = async (splits: typeof others, at: string) => {
    market.splits = splits
    await db.query(`update market_data.stock_feeds set next_at = null where feed = 'actions'`)
    await day(at)
  }
  await look([...others, splitOn('2026-04-20')], '2026-03-09T02:00:00.000Z')
  await look([...others, splitOn('2026-04-27')], '2026-03-09T03:00:00.000Z')
  expect(await known()).toEqual(['2026-04-20 stands', '2026-04-27 stands', '2026-04-20 withdrawn'])
  const standing = await standingActions(db, [id], 'polygon')
  expect(standing.flatMap((one) => (one.kind === 'split' ? [one.exDate] : [])).at(-1)).toBe('2026-04-27')
  // An answer without any row says nothing.
  await look([], '2026-03-09T04:00:00.000Z')
  expect(await known()).toHaveLength(3)
  await look([...others, splitOn('2026-04-20'), splitOn('2026-04-27')], '2026-03-09T05:00:00.000Z')
  expect((await known()).at(-1)).toBe('2026-04-20 stands')
  await look([...others, splitOn('2026-04-27')], '2026-03-09T06:00:00.000Z')
  expect((await known()).at(-1)).toBe('2026-04-20 withdrawn')
  await look(others, '2026-03-09T07:00:00.000Z')
  expect((await known()).at(-1)).toBe('2026-04-27 withdrawn')
})

test('a dividend whose ex-date is moved on or after its day is withdrawn as long as it is not paid', async () => {
  const id = await idOf('SPLT')
  const others = market.dividends
  const dividend = (exDate: string, payDate: string) => ({
    ticker: 'SPLT',
    cash_amount: 1,
    currency: 'USD',
    dividend_type: 'CD',
    ex_dividend_date: exDate,
    pay_date: payDate,
    frequency: 4,
  })
  const look = async (dividends: typeof others, at: string) => {
    market.dividends = [...others, ...dividends]
    await db.query(`update market_data.stock_feeds set next_at = null where feed = 'actions'`)
    await day(at)
  }
  const paid = dividend('2026-02-20', '2026-03-02')
  await look([paid, dividend('2026-03-06', '2026-03-26')], '2026-03-09T08:00:00.000Z')
  await look([dividend('2026-03-09', '2026-03-26')], '2026-03-09T09:00:00.000Z')
  market.dividends = others
  const known = (await corporateActions(db, { sinceId: 0n, provider: 'polygon' })).flatMap((one) =>
    one.kind === 'dividend' && one.instrumentId === id
      ? [`${one.exDate} ${one.withdrawn ? 'withdrawn' : 'stands'}`]
      : [],
  )
  expect(known).toEqual([
    '2026-02-20 stands',
    '2026-03-06 stands',
    '2026-03-09 stands',
    '2026-03-06 withdrawn',
  ])
})

test('a rename keeps the instrument, and the ticker that it had still finds it', async () => {
  const id = await idOf('FB')
  market.tickers = market.tickers.map((one) =>
    one.ticker === 'FB' ? { ...one, ticker: 'META', name: 'Meta Platforms, Inc.' } : one,
  )
  market.bars.push({ ticker: 'META', date: '2026-03-09', close: 5_040 })
  await day('2026-03-10T02:00:00.000Z')
  expect(await book().byIdOrTicker('META')).toMatchObject({ id, code: 'META', name: 'Meta Platforms, Inc.' })
  expect(await book().byIdOrTicker('FB')).toMatchObject({ id, ticker: 'META' })
  expect(prices.price(id)).toMatchObject({ lastText: '5040' })
  const [asset] = (await db.query(`select code, name from ledger.assets where id = $1`, [id])).rows
  expect(asset).toEqual({ code: 'META', name: 'Meta Platforms, Inc.' })
  const [last] = (await corporateActions(db, { sinceId: 0n, provider: 'polygon' })).slice(-1)
  expect(last).toMatchObject({ kind: 'rename', newTicker: 'META', instrumentId: id })
})

test('a delisted stock is kept, flagged with its last day and price, and found', async () => {
  const id = await idOf('GONE')
  market.tickers = market.tickers.map((one) =>
    one.ticker === 'GONE' ? { ...one, delistedOn: '2026-03-02' } : one,
  )
  await day('2026-03-11T02:00:00.000Z')
  expect(await book().byIdOrTicker('GONE')).toMatchObject({
    id,
    status: 'delisted',
    delistedOn: '2026-03-02',
  })
  const [last] = (await corporateActions(db, { sinceId: 0n, provider: 'polygon' })).slice(-1)
  expect(last).toMatchObject({ kind: 'delisting', on: '2026-03-02', lastPrice: '5', instrumentId: id })
})

test('a list that lacks much of what we hold is not believed', async () => {
  const whole = market.tickers
  market.tickers = []
  const extra = Array.from({ length: 12 }, (_, index) => ({ ticker: `N${index}X`, name: `New ${index}` }))
  market.tickers = [...whole, ...extra]
  await day('2026-03-12T02:00:00.000Z')
  market.tickers = extra.slice(0, 3)
  await day('2026-03-13T02:00:00.000Z')
  const feed = (await readFeeds(db, 'polygon')).find((one) => one.feed === 'instruments')
  expect(feed).toMatchObject({ failuresInARow: 1, error: { code: 'list_incomplete' } })
  expect(await book().byIdOrTicker('META')).toMatchObject({ status: 'active' })
  market.tickers = [...whole, ...extra]
})

test('days that were missed are made up for in order, and every observation has a later number', async () => {
  const days = ['2026-03-10', '2026-03-11', '2026-03-12', '2026-03-13', '2026-03-16', '2026-03-17']
  market.bars.push(...days.map((date, index) => ({ ticker: 'META', date, close: 5_050 + index })))
  await day('2026-03-18T02:00:00.000Z')
  clock.advance(60_000)
  await ingestCandles(deps, signal)
  const id = await idOf('META')
  const seen = (await pricesSince(db, 0n, 10_000, 'polygon')).filter(
    ({ instrumentId }) => instrumentId === id,
  )
  const times = seen.map(({ asOf }) => asOf.getTime())
  expect(times).toEqual(times.toSorted((left, right) => left - right))
  expect(seen.at(-1)).toMatchObject({ lastText: '5055' })
})

test('an early close that is announced shortens the session, and a market found closed is closed', async () => {
  market.upcoming = [
    {
      exchange: 'NYSE',
      name: 'Early close',
      date: '2026-03-19',
      status: 'early-close',
      open: '2026-03-19T13:30:00.000Z',
      close: '2026-03-19T17:00:00.000Z',
    },
  ]
  await day('2026-03-19T12:00:00.000Z')
  expect(deps.hours.session('XNYS', clock.now())).toMatchObject({
    open: false,
    halfDay: true,
    closesAt: new Date('2026-03-19T17:00:00.000Z'),
  })
  market.exchanges = 'closed'
  await day('2026-03-20T15:00:00.000Z')
  expect(deps.hours.session('XNYS', clock.now())).toMatchObject({
    open: false,
    opensAt: new Date('2026-03-23T13:30:00.000Z'),
  })
})

test('with snapshots in the plan the last trade, bid and ask are the price; a jump waits for a second poll', async () => {
  market.snapshot = (tickers) =>
    tickers.map((ticker) => ({
      ticker,
      lastTrade: { p: 210.5, s: 10, t: clock.now().getTime() * 1_000_000 },
      lastQuote: { p: 210.49, P: 210.51, s: 1, S: 2, t: clock.now().getTime() * 1_000_000 },
      updated: clock.now().getTime() * 1_000_000,
    }))
  await db.query(`update market_data.stock_feeds set next_at = null`)
  market.exchanges = 'open'
  await day('2026-03-23T15:00:00.000Z')
  const live = { lastText: '210.5', timeliness: 'realTime', stale: false }
  expect(prices.price(await idOf('ALL'))).toMatchObject(live)
  expect(prices.price(await idOf('ALL'))).toMatchObject({ bid: { numerator: 21_049n, denominator: 100n } })
  expect(prices.price(await idOf('META'))).toMatchObject({ lastText: '5055' })
  clock.advance(15_000)
  await pollStockPrices(deps, signal)
  await prices.refresh()
  expect(prices.price(await idOf('META'))).toMatchObject(live)
})

test('a price ages by the hours of the market: stale in the session, good over the weekend', async () => {
  const id = await idOf('ALL')
  clock.set('2026-03-23T15:14:00.000Z')
  expect(prices.price(id)).toMatchObject({ stale: false, ageSeconds: 840 })
  clock.set('2026-03-23T15:20:00.000Z')
  expect(prices.price(id)).toMatchObject({ stale: true })
})
