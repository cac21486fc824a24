import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fakeClock } from '#test/fake-clock'
import { fakeSocket } from './fake-socket.ts'
import { KEY } from './polygon-fixture.ts'
import { readFrame } from './polygon-frames.ts'
import { polygonStream, type StreamTimings } from './polygon-stream.ts'
import { hasRecorded, recorded } from './recorded.ts'
import type { StockStream, StreamEvent, StreamGap, StreamOptions, StreamTopic } from './stock-provider.ts'

const server = await fakeSocket()
const usual = { greet: server.greet, answer: server.answer }
const TOPICS: StreamTopic[] = [
  { channel: 'minuteBars', ticker: 'AAPL' },
  { channel: 'trades', ticker: 'MSFT' },
]
const QUICK: StreamTimings = {
  handshakeMs: 60_000,
  pingEveryMs: 20,
  silentMaxMs: 60_000,
  retryFirstMs: 10,
  retryMaxMs: 40,
  crowdedMs: 80,
  eventsQueuedMax: 1000,
}

let clock = fakeClock('2026-11-20T15:00:00Z')
let stopping = new AbortController()
let events: StreamEvent[] = []
let gaps: StreamGap[] = []
let streams: StockStream[] = []
beforeEach(() => {
  Object.assign(server, usual)
  server.clients.length = 0
  clock = fakeClock('2026-11-20T15:00:00Z')
  stopping = new AbortController()
  ;[events, gaps, streams] = [[], [], []]
})
afterEach(async () => {
  vi.useRealTimers()
  stopping.abort()
  await Promise.all(streams.map(({ ended }) => ended))
})

function listen(more: Partial<StreamOptions> = {}, timings: Partial<StreamTimings> = {}): StockStream {
  const stream = polygonStream(
    {
      url: server.url,
      apiKey: KEY,
      clock: clock.now,
      random: () => 0,
      timings: { ...QUICK, ...timings },
    },
    {
      topics: TOPICS,
      timeliness: 'realTime',
      onEvents: (some) => {
        events.push(...some)
      },
      onGap: (gap) => {
        gaps.push(gap)
      },
      signal: stopping.signal,
      ...more,
    },
  )
  streams.push(stream)
  return stream
}

const live = (stream: StockStream) => expect.poll(() => stream.status().state, { interval: 5 }).toBe('live')
const bar = (more: object = {}) => ({
  ev: 'AM',
  sym: 'AAPL',
  v: 4110,
  o: 0.4488,
  c: 0.4486,
  h: 0.4489,
  l: 0.4486,
  vw: 0.4488,
  s: 1610144640000,
  e: 1610144700000,
  ...more,
})

test('it waits for "connected", sends the key, waits for "auth_success", and then subscribes', async () => {
  const stream = listen()
  await live(stream)
  expect(server.clients[0]?.heard).toEqual([
    { action: 'auth', params: KEY },
    { action: 'subscribe', params: 'AM.AAPL,T.MSFT' },
  ])
  expect(JSON.stringify(stream.status())).not.toContain(KEY)
})

test('bars, trades and quotes arrive exactly and in order; several in a frame, and what we did not ask is passed over', async () => {
  const stream = listen()
  await live(stream)
  server.clients[0]?.say(
    bar({ v: 12.5 }),
    { ev: 'T', sym: 'MSFT', p: 114.125, s: 100, t: 1536036818784 },
    { ev: 'Q', sym: 'MSFT', bp: 114.12, bs: 1, ap: 114.13, as: 2, t: 1536036818784 },
    { ev: 'LULD', sym: 'MSFT' },
  )
  server.clients[0]?.sayText('[{"ev":"T","sym":"MSFT","p":1.5e2,"s":0.25,"t":1536036818784123456}]')
  await expect.poll(() => events).toHaveLength(4)
  expect(events).toMatchObject([
    {
      kind: 'bar',
      span: 'minute',
      bar: { ticker: 'AAPL', low: '0.4486', volume: '12.5', date: '2021-01-08' },
    },
    { kind: 'trade', trade: { price: '114.125', asOfNs: 1536036818784000000n } },
    { kind: 'quote', quote: { bid: '114.12', ask: '114.13' } },
    { kind: 'trade', trade: { price: '150', size: '0.25', asOfNs: 1536036818784123456n } },
  ])
  expect(stream.status()).toMatchObject({ refusedFrames: 0, dropped: 0, lastEventAt: clock.now() })
})

test('after a cut it comes back, subscribes to what is wanted now, and names the time to be filled in', async () => {
  const stream = listen()
  await live(stream)
  clock.set('2026-11-20T15:10:00Z')
  server.clients[0]?.say(bar())
  await expect.poll(() => events).toHaveLength(1)
  stream.setTopics([{ channel: 'minuteBars', ticker: 'NVDA' }, TOPICS[1] as StreamTopic])
  await expect.poll(() => server.clients[0]?.heard.at(-1)).toEqual({ action: 'subscribe', params: 'AM.NVDA' })
  expect(server.clients[0]?.heard.at(-2)).toEqual({ action: 'unsubscribe', params: 'AM.AAPL' })
  let letIn = () => {}
  server.greet = (client) => {
    letIn = () => usual.greet(client)
  }
  server.clients[0]?.cut()
  await expect.poll(() => server.clients).toHaveLength(2)
  expect(stream.status().reconnects).toBe(1)
  clock.set('2026-11-20T15:30:00Z')
  letIn()
  await expect.poll(() => gaps).toHaveLength(1)
  // Two minutes earlier than the last sign of life: the bar of that time was not sent yet.
  expect(gaps).toEqual([{ from: new Date('2026-11-20T15:08:00Z'), to: clock.now(), why: 'reconnected' }])
  expect(server.clients[1]?.heard[1]).toEqual({ action: 'subscribe', params: 'AM.NVDA,T.MSFT' })
})

test('failed attempts in between do not shorten the gap', async () => {
  const stream = listen()
  await live(stream)
  let refusals = 0
  server.greet = (client) => {
    refusals += 1
    if (refusals > 4) return usual.greet(client)
    client.close()
  }
  server.clients[0]?.cut()
  await expect.poll(() => server.clients.length).toBeGreaterThan(5)
  await live(stream)
  await expect.poll(() => gaps).toHaveLength(1)
  expect(gaps[0]?.from).toEqual(new Date('2026-11-20T14:58:00Z'))
})

test('waits double up to a bound, half of each drawn', async () => {
  const cameAt: number[] = []
  server.greet = (client) => {
    cameAt.push(performance.now())
    client.close()
  }
  listen({}, { retryFirstMs: 40, retryMaxMs: 160 })
  await expect.poll(() => cameAt.length).toBeGreaterThan(5)
  const waits = cameAt.slice(1).map((at, index) => at - (cameAt[index] ?? 0))
  // The drawn half is nothing here. A millisecond less for timers, which count whole ones.
  for (const [index, least] of [20, 40, 80, 80, 80].entries()) {
    expect(waits[index]).toBeGreaterThanOrEqual(least - 1)
  }
})

test('a connection that falls silent is dropped: a cut cable says nothing', async () => {
  // What stands still while the machine is busy is the test's clock too.
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] })
  const stream = listen({}, { silentMaxMs: 150 })
  await live(stream)
  const ping = async () => {
    vi.advanceTimersByTime(QUICK.pingEveryMs)
    await pause(5)
  }
  for (let pings = 0; pings < 20; pings += 1) await ping()
  // Pings were answered: an hour without a trade is no silence.
  expect(stream.status()).toMatchObject({ state: 'live', reconnects: 0 })
  server.clients[0]?.freeze()
  for (let pings = 0; pings < 20; pings += 1) await ping()
  await expect.poll(() => server.clients).toHaveLength(2)
  await live(stream)
})

test('one that never says "connected" is given up and tried again', async () => {
  server.greet = () => {}
  listen({}, { handshakeMs: 50 })
  await expect.poll(() => server.clients.length).toBeGreaterThan(1)
})

describe('what will never be let in is not tried again', () => {
  const status = (word: string, message: string) => ({ ev: 'status', status: word, message })
  test.each([
    ['a wrong key', status('auth_failed', 'authentication failed'), 'auth_failed'],
    ['a wrong key, as old clusters say it', status('error', 'authentication failed'), 'auth_failed'],
    [
      'a plan without a stream',
      status('auth_failed', "Your plan doesn't include websocket access."),
      'not_authorized',
    ],
    ['not authorized', status('not_authorized', ''), 'not_authorized'],
  ])('%s', async (_name, said, code) => {
    server.answer = (client, action) => (action === 'auth' ? client.say(said) : undefined)
    const stream = listen()
    expect(await stream.ended).toMatchObject({ code })
    expect(stream.status().state).toBe('ended')
    await pause(60)
    expect(server.clients).toHaveLength(1)
  })

  test('a topic that the plan does not hold', async () => {
    server.answer = (client, action, params) =>
      action === 'subscribe'
        ? client.say(status('error', 'not authorized'))
        : usual.answer(client, action, params)
    expect(await listen().ended).toMatchObject({ code: 'not_authorized' })
  })
})

test('too many connections is tried again, but not soon', async () => {
  server.greet = (client) =>
    server.clients.length === 1
      ? client.say({
          ev: 'status',
          status: 'max_connections',
          message: 'Maximum number of connections exceeded',
        })
      : usual.greet(client)
  const before = performance.now()
  const stream = listen()
  await expect.poll(() => server.clients).toHaveLength(2)
  expect(performance.now() - before).toBeGreaterThan(QUICK.crowdedMs / 2)
  await live(stream)
})

test('what is no frame is counted and named as a gap, and the connection goes on', async () => {
  const stream = listen()
  await live(stream)
  server.clients[0]?.sayText('[{"ev":"T",')
  server.clients[0]?.say(
    { ev: 'T', sym: 'MSFT', p: -1, s: 1, t: 1536036818784 },
    bar({ h: 0.1 }),
    7 as unknown as object,
  )
  server.clients[0]?.say(bar())
  await expect.poll(() => events).toHaveLength(1)
  expect(stream.status()).toMatchObject({ state: 'live', refusedFrames: 4 })
  expect(gaps).toMatchObject([{ why: 'bad_frame' }])
})

test('a frame beyond every bound ends the connection, not the process', async () => {
  const stream = listen()
  await live(stream)
  server.clients[0]?.sayText(`["${'x'.repeat(9_000_000)}"]`)
  await expect.poll(() => server.clients).toHaveLength(2)
  await live(stream)
})

test('a consumer that does not keep up gets one batch at a time, loses the oldest, and is told which', async () => {
  let running = 0
  let atOnce = 0
  const seen: bigint[] = []
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const stream = listen({
    onEvents: async (some) => {
      running += 1
      atOnce = Math.max(atOnce, running)
      await gate
      for (const event of some) if (event.kind === 'trade') seen.push(event.trade.asOfNs / 1_000_000n)
      running -= 1
    },
  })
  await live(stream)
  const start = 1_600_000_000_000
  for (let frame = 0; frame < 30; frame += 1) {
    const trades = Array.from({ length: 100 }, (_, index) => ({
      ev: 'T',
      sym: 'MSFT',
      p: 1,
      s: 1,
      t: start + frame * 100 + index,
    }))
    server.clients[0]?.say(...trades)
  }
  // Refused, and after all the others.
  server.clients[0]?.say(7 as unknown as object)
  await expect.poll(() => stream.status().refusedFrames).toBe(1)
  open()
  await expect.poll(() => gaps).toHaveLength(1)
  const { dropped } = stream.status()
  expect(dropped).toBeGreaterThan(0)
  await expect.poll(() => seen.length + dropped).toBe(3000)
  expect(atOnce).toBe(1)
  expect(seen.at(-1)).toBe(BigInt(start + 2999))
  const missing = gaps[0]
  expect(missing?.why).toBe('slow_consumer')
  // Exactly what was dropped lies in the gap, and nothing that was seen.
  const [from, to] = [missing?.from.getTime() ?? 0, missing?.to.getTime() ?? 0]
  expect(to - from + 1).toBe(dropped)
  expect(seen.filter((at) => Number(at) >= from && Number(at) <= to)).toEqual([])
})

test('a consumer that fails ends the stream', async () => {
  const stream = listen({ onEvents: () => Promise.reject(new Error('disk full')) })
  await live(stream)
  server.clients[0]?.say(bar())
  expect(await stream.ended).toMatchObject({ code: 'consumer_failed' })
})

test('it stops when told to, also while it waits', async () => {
  const stream = listen()
  await live(stream)
  stopping.abort()
  expect(await stream.ended).toMatchObject({ code: 'stopped' })
  stopping = new AbortController()
  server.greet = (client) => client.close()
  const waiting = listen({}, { retryFirstMs: 60_000, retryMaxMs: 60_000 })
  await expect.poll(() => waiting.status().state).toBe('waiting')
  stopping.abort()
  expect(await waiting.ended).toMatchObject({ code: 'stopped' })
})

describe.runIf(hasRecorded)('recorded frames', () => {
  test('the handshake', async () => {
    const steps = JSON.parse(recorded('polygon/ws-handshake.json')) as { dir: string; frame: unknown }[]
    const replies = steps.filter(({ dir }) => dir === 'recv').map(({ frame }) => JSON.stringify(frame))
    server.greet = (client) => client.sayText(replies[0] ?? '')
    server.answer = (client, action) =>
      action === 'auth'
        ? client.sayText(replies[1] ?? '')
        : replies.slice(2).forEach((reply) => client.sayText(reply))
    await live(listen())
  })

  test('a bar and a trade', () => {
    expect(readFrame(`[${recorded('polygon/ws-AM.json')}]`).events).toMatchObject([
      {
        bar: { ticker: 'GTE', open: '0.4488', high: '0.4489', volume: '4110' },
        endAt: new Date(1610144700000),
      },
    ])
    expect(readFrame(`[${recorded('polygon/ws-T.json')}]`).events).toMatchObject([
      { trade: { ticker: 'MSFT', price: '114.125', size: '100', asOf: new Date(1536036818784) } },
    ])
  })
})
