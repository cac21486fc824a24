import { randomUUID } from 'node:crypto'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { fakeSocket, type FakeClient } from './providers/fake-socket.ts'
import { newYorkMidnight } from './providers/new-york.ts'
import { polygonMarket } from './polygon-market-fixture.ts'
import { createPriceStream, type PriceStream, type PriceStreamOptions } from './price-stream.ts'
import { createPriceBook } from './price-book.ts'
import { readCandles } from './read-candles.ts'
import { readFeeds } from './stock-feeds.ts'
import { ingestCandles, pollStockPrices, refreshStockReference } from './stock-jobs.ts'
import { newestPriceSeq, pricesSince } from './stock-prices.ts'
import { readEntitlement } from './stock-source.ts'
import { stocksFixture } from './stocks-fixture.ts'
import { recordLook } from './stream-interest.ts'
import { readStockStream } from './stream-lease.ts'

// Against a server of ours that speaks Polygon's WebSocket, with the tables, jobs and judging of the real thing.

const socket = await fakeSocket()
const usual = { greet: socket.greet, answer: socket.answer }
const { market, provider } = await polygonMarket({
  wsUrl: socket.url,
  timings: { handshakeMs: 60_000, pingEveryMs: 20, silentMaxMs: 60_000, retryFirstMs: 10, retryMaxMs: 40 },
})
// A Monday, 10:00 in New York.
const NOON = '2026-03-02T15:00:00.000Z'
const { deps, clock, database, warnings } = await stocksFixture({ provider, at: NOON })
const { db, ownerDb } = database
const { signal } = new AbortController()
const prices = createPriceBook({ ...deps, clock: clock.now })
const QUICK = {
  leaseMs: 60_000,
  renewEveryMs: 30,
  lookEveryMs: 20,
  interestEveryMs: 30,
  writeEveryMs: 10,
  quietAfterMs: 60_000,
  retryMs: 30,
  instrumentsMax: 3,
}
const SUBSCRIBED = { action: 'subscribe' }

let streams: PriceStream[] = []
let wanted: number[] = []
const ids = new Map<string, number>()
const idOf = (ticker: string) => ids.get(ticker) ?? Number.NaN

const listen = (more: Partial<PriceStreamOptions> = {}): PriceStream => {
  const interest = () => Promise.resolve(wanted)
  const stream = createPriceStream({ ...deps, interest, newId: randomUUID, timings: QUICK, ...more })
  streams.push(stream)
  stream.start()
  return stream
}
const eventually = <T>(look: () => T | Promise<T>) => vi.waitFor(look, { interval: 10, timeout: 60_000 })
const said = async () => (await readStockStream(db, 'polygon')) ?? { state: 'none', held: false }
const connected = async (count = 1): Promise<FakeClient> => {
  await eventually(async () => {
    expect(socket.clients).toHaveLength(count)
    expect(await said()).toMatchObject({ state: 'live' })
  })
  const client = socket.clients.at(-1)
  if (client === undefined) throw new Error('nobody is connected')
  return client
}
/** A second's bar that ended just now. */
const second = (sym: string, close: number, endMs = clock.now().getTime()) => {
  const all = { o: close, h: close, l: close, c: close, v: 10, s: endMs - 1_000, e: endMs }
  return { ev: 'A', sym, ...all }
}
const minute = (sym: string, close: number, startMs: number) => {
  const all = { o: close, h: close, l: close, c: close, v: 10, s: startMs, e: startMs + 60_000 }
  return { ev: 'AM', sym, ...all }
}
const priceIs = (ticker: string, lastText: string) =>
  eventually(async () => {
    await prices.refresh()
    expect(prices.price(idOf(ticker))).toMatchObject({ lastText })
  })
const minutesOf = async (ticker: string) => {
  const asked = {
    instrumentId: idOf(ticker),
    provider: 'polygon',
    today: '2026-03-02',
    span: 'minute',
  } as const
  const from = new Date(newYorkMidnight('2026-03-02'))
  const candles = await readCandles(db, { ...asked, from, to: new Date('2026-03-03T05:00:00Z') })
  return candles.map(({ at, close }) => `${at.toISOString().slice(11, 16)} ${close}`)
}
const pricesFeed = async () => (await readFeeds(db, 'polygon')).find(({ feed }) => feed === 'prices')
/** Asks for prices now. @returns in how many seconds they would be asked for next */
const poll = async () => {
  await ownerDb.query(`update market_data.stock_feeds set next_at = null where feed = 'prices'`)
  await pollStockPrices(deps, signal)
  return (((await pricesFeed())?.nextAt ?? clock.now()).getTime() - clock.now().getTime()) / 1000
}

beforeAll(async () => {
  market.tickers = ['ALFA', 'BETA', 'GAMA', 'DELT'].map((ticker) => ({
    ticker,
    name: `${ticker} Corporation`,
  }))
  market.snapshot = (tickers) =>
    tickers.map((ticker) => ({ ticker, lastTrade: { p: 100, s: 1, t: clock.now().getTime() * 1e6 } }))
  await refreshStockReference(deps, signal)
  const { rows } = await db.query<{ id: number; ticker: string }>(
    'select id, ticker from market_data.instruments',
  )
  for (const { id, ticker } of rows) ids.set(ticker, id)
})
beforeEach(async () => {
  Object.assign(socket, usual)
  socket.clients.length = 0
  streams = []
  wanted = [idOf('ALFA'), idOf('BETA')]
  warnings.length = 0
  await ownerDb.query(
    `truncate market_data.stock_streams, market_data.instrument_looks, market_data.candle_wishes`,
  )
  clock.advance(60_000)
})
afterEach(async () => {
  await Promise.all(streams.map((stream) => stream.stop()))
})

test('a streamed price is taken in as a polled one is, and a minute becomes a candle', async () => {
  listen()
  const client = await connected()
  expect(client.heard.at(-1)).toEqual({ ...SUBSCRIBED, params: 'A.ALFA,AM.ALFA,A.BETA,AM.BETA' })
  const before = await newestPriceSeq(db)
  const nowMs = clock.now().getTime()
  client.say(second('ALFA', 101.25), second('BETA', 99), minute('ALFA', 101.25, nowMs - 60_000))
  await priceIs('ALFA', '101.25')
  expect(prices.price(idOf('ALFA'))).toMatchObject({ timeliness: 'realTime', asOf: new Date(nowMs - 1) })
  const [first] = await pricesSince(db, before, 10, 'polygon')
  expect(first).toMatchObject({ source: 'polygon', simulated: false, bid: null })
  await eventually(async () => expect(await minutesOf('ALFA')).toContain('15:00 101.25'))
  expect(await readEntitlement(db, 'polygon')).toMatchObject({ stream: true })
})

test('what is no price of the session, an absurd jump and another’s ticker change nothing', async () => {
  listen()
  const client = await connected()
  client.say(second('ALFA', 101.5))
  await priceIs('ALFA', '101.5')
  const nightMs = Date.parse('2026-03-02T10:00:00Z')
  client.say(second('ALFA', 102, nightMs), second('BETA', 9_999), second('NONE', 1), second('GAMA', 77))
  client.sayText('[{"ev":"A","sym":"ALFA","c":-5,"o":1,"h":1,"l":1,"v":1,"s":1,"e":2},{"ev":"A"}]')
  clock.advance(1_000)
  client.say(second('ALFA', 101.75))
  await priceIs('ALFA', '101.75')
  expect(prices.price(idOf('BETA'))).toMatchObject({ lastText: '99' })
  expect(prices.price(idOf('GAMA'))).toMatchObject({ lastText: '100' })
  await eventually(async () => expect(await said()).toMatchObject({ refused: 2 }))
  expect(warnings).toMatchObject([{ sentence: expect.stringContaining('waits for a second price') }])
})

test('while prices stream in, polls are a minute apart; lost or silent, they are due at once', async () => {
  expect(await poll()).toBe(15)
  listen({ timings: { ...QUICK, quietAfterMs: 150 } })
  // Not until it is called live: before the first price that may be over at once.
  await eventually(() => expect(socket.clients[0]?.heard.at(-1)).toMatchObject(SUBSCRIBED))
  const [client] = socket.clients
  if (client === undefined) throw new Error('nobody is connected')
  client.say(second('ALFA', 102))
  await eventually(async () => expect(await poll()).toBe(60))
  // The connection stands and answers pings, and no price comes.
  clock.advance(1_000)
  await eventually(async () => expect(await said()).toMatchObject({ state: 'quiet' }))
  expect(await poll()).toBe(15)
  clock.advance(1_000)
  client.say(second('ALFA', 102.5))
  await eventually(async () => expect(await said()).toMatchObject({ state: 'live' }))
  await eventually(async () => expect(await poll()).toBe(60))
  socket.greet = () => {}
  client.cut()
  await eventually(async () => expect((await pricesFeed())?.nextAt).toEqual(clock.now()))
  expect(await poll()).toBe(15)
})

test('what a lost connection missed is filled over REST, for the instruments that are listened to', async () => {
  listen()
  const client = await connected()
  const nowMs = clock.now().getTime()
  client.say(minute('ALFA', 103, nowMs - 60_000))
  await eventually(async () => expect((await minutesOf('ALFA')).at(-1)).toMatch(/ 103$/))
  market.minutes = () => [{ o: 104, h: 104, l: 104, c: 104, v: 5, t: nowMs, n: 1 }]
  client.cut()
  clock.advance(120_000)
  await connected(2)
  await eventually(async () => {
    await ingestCandles(deps, signal)
    expect((await minutesOf('ALFA')).at(-1)).toMatch(/ 104$/)
  })
  const asked = market.asked.filter(({ path }) => path.includes('/range/1/minute/'))
  expect(
    asked
      .map(({ path }) => path.split('/')[4])
      .slice(-2)
      .toSorted(),
  ).toEqual(['ALFA', 'BETA'])
  expect((await said()) as object).toMatchObject({ reconnects: 1 })
  market.minutes = null
})

test('of two processes one is connected, and the other takes over where it stopped', async () => {
  const first = listen()
  const client = await connected()
  listen()
  client.say(second('ALFA', 104))
  await priceIs('ALFA', '104')
  await eventually(async () => expect(await said()).toMatchObject({ lastEventAt: clock.now(), prices: 1n }))
  expect(socket.clients).toHaveLength(1)
  clock.advance(180_000)
  await first.stop()
  const other = await connected(2)
  expect(other.heard.at(-1)).toMatchObject(SUBSCRIBED)
  // What came between the two is wished for.
  const { rows } = await db.query<{ ids: number[] }>(
    'select array_agg(instrument_id order by instrument_id) as ids from market_data.candle_wishes where span = 1',
  )
  expect(rows[0]?.ids).toEqual(wanted.toSorted())
})

test('whoever lost the lease, as one that was paused too long does, stops listening', async () => {
  listen()
  await connected()
  await ownerDb.query(
    `update market_data.stock_streams set holder = gen_random_uuid(), lease_until = now() + interval '1 hour'`,
  )
  const client = socket.clients[0]
  await eventually(() => expect(client?.gone()).toBe(true))
  expect(await said()).toMatchObject({ held: true })
  expect(socket.clients).toHaveLength(1)
})

test('prices that cannot be written end the connection, and it begins again', async () => {
  listen()
  const client = await connected()
  await ownerDb.query('alter table market_data.price_observations rename to away')
  client.say(second('ALFA', 105))
  await eventually(() => expect(client.gone()).toBe(true))
  await ownerDb.query('alter table market_data.away rename to price_observations')
  await eventually(() => expect(socket.clients.length).toBeGreaterThan(1))
  expect(warnings).not.toEqual([])
  socket.clients.splice(0, socket.clients.length - 1)
  clock.advance(1_000)
  const again = await connected()
  again.say(second('ALFA', 105))
  await priceIs('ALFA', '105')
})

test('what is looked at is listened to, the bound holds, and what is over it is counted', async () => {
  listen()
  const client = await connected()
  await recordLook(db, idOf('GAMA'), clock.now())
  await eventually(() => expect(client.heard.at(-1)).toEqual({ ...SUBSCRIBED, params: 'A.GAMA,AM.GAMA' }))
  clock.advance(1)
  await recordLook(db, idOf('DELT'), clock.now())
  await eventually(async () => expect(await said()).toMatchObject({ instruments: 3, leftOut: 1 }))
  wanted = []
  clock.advance(16 * 60_000)
  await eventually(async () => expect(await said()).toMatchObject({ instruments: 0, leftOut: 0 }))
})

test('a refusal is written down and shown, and stands until the key or its plan is another', async () => {
  socket.answer = (one) =>
    one.say({ ev: 'status', status: 'auth_failed', message: 'Your plan has no websocket' })
  listen()
  await eventually(async () => expect((await readEntitlement(db, 'polygon'))?.stream).toBe(false))
  expect((await readEntitlement(db, 'polygon'))?.refused.map(({ what }) => what)).toEqual([
    'intraday bars',
    'stream',
  ])
  await eventually(async () => expect(await said()).toMatchObject({ state: 'ended', held: false }))
  // A probe of the same plan does not forget it.
  await ownerDb.query(`update market_data.stock_feeds set next_at = null where feed = 'entitlement'`)
  await refreshStockReference(deps, signal)
  expect(await readEntitlement(db, 'polygon')).toMatchObject({ stream: false })
  expect(socket.clients).toHaveLength(1)
  socket.answer = usual.answer
  market.minutes = () => [{ o: 1, h: 1, l: 1, c: 1, v: 5, t: clock.now().getTime(), n: 1 }]
  await ownerDb.query(`update market_data.stock_feeds set next_at = null where feed = 'entitlement'`)
  await refreshStockReference(deps, signal)
  await connected(2)
  market.minutes = null
})

test('an end-of-day key is never connected with', async () => {
  const { snapshot } = market
  market.snapshot = null
  await ownerDb.query(`update market_data.stock_feeds set next_at = null where feed = 'entitlement'`)
  await refreshStockReference(deps, signal)
  expect(await readEntitlement(db, 'polygon')).toMatchObject({ timeliness: 'endOfDay', stream: null })
  const stream = listen()
  await new Promise((resolve) => setTimeout(resolve, 5 * QUICK.lookEveryMs))
  expect(socket.clients).toHaveLength(0)
  await stream.stop()
  expect(await readStockStream(db, 'polygon')).toBeNull()
  market.snapshot = snapshot
})
