import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createConnection, type LiveState, type Source } from './connection.ts'

class TestSource implements Source {
  readonly address: string
  closed = false
  private readonly listeners = new Map<string, (event: MessageEvent<string>) => void>()

  constructor(address: string) {
    this.address = address
  }
  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.set(name, listener)
  }
  close(): void {
    this.closed = true
  }
  say(name: string, data: unknown = {}, lastEventId = ''): void {
    const event = { data: JSON.stringify(data), lastEventId } as MessageEvent<string>
    this.listeners.get(name)?.(event)
  }
}

const screen = (instruments: string[], pairs: string[] = []) => ({ instruments, pairs })

function connect() {
  const opened: TestSource[] = []
  const states: LiveState[] = []
  const told: string[] = []
  const connection = createConnection({
    open: (address) => {
      const source = new TestSource(address)
      opened.push(source)
      return source
    },
    told: (name) => void told.push(name),
    changed: (state) => void states.push(state),
    random: () => 0.5,
  })
  const now = () => opened.at(-1) as TestSource
  return { connection, opened, states, told, now }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('one connection is made for all that a page names while it is drawn', () => {
  const { connection, opened, states, now } = connect()
  connection.start()
  connection.show(screen(['1']))
  connection.show(screen(['1', '2', '2'], ['EUR/PLN']))
  vi.advanceTimersByTime(1_000)
  expect(opened).toHaveLength(1)
  expect(now().address).toBe('/api/v1/stream?instruments=1%2C2&pairs=EUR%2FPLN')
  now().say('hello', { resumed: false }, '7.1')
  expect(states).toEqual(['connecting', 'live'])
})

test('a broken connection goes on from the last position, later and later, and pages know meanwhile', () => {
  const { connection, opened, states, now } = connect()
  connection.start()
  vi.advanceTimersByTime(250)
  now().say('hello', {}, '7.1')
  now().say('operation', {}, '9.1')
  now().say('price')
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    now().say('error')
    expect([now().closed, states.at(-1)]).toEqual([true, 'down'])
    const before = opened.length
    vi.advanceTimersByTime(seconds * 1_000 - 1)
    expect(opened).toHaveLength(before)
    vi.advanceTimersByTime(1)
    expect(opened).toHaveLength(before + 1)
    expect(now().address).toBe('/api/v1/stream?after=9.1')
  }
  now().say('hello', {}, '9.1')
  expect(states.at(-1)).toBe('live')
  now().say('error')
  vi.advanceTimersByTime(1_000)
  expect(opened).toHaveLength(9)
})

test('another page is followed over a new connection, from where the old one was; what is followed already is not', () => {
  const { connection, opened, told, now } = connect()
  connection.show(screen(['1', '2']))
  connection.start()
  vi.advanceTimersByTime(250)
  now().say('hello', {}, '3.0')
  connection.show(screen(['2']))
  vi.advanceTimersByTime(1_000)
  expect(opened).toHaveLength(1)

  connection.show(screen(['3']))
  vi.advanceTimersByTime(1_000)
  expect(opened.map(({ closed }) => closed)).toEqual([true, false])
  expect(now().address).toBe('/api/v1/stream?instruments=3&after=3.0')
  opened[0]?.say('operation', {}, '4.0')
  expect(told).toEqual(['hello'])
})

test('more than the server takes is left out', () => {
  const { connection, now } = connect()
  connection.show(
    screen(
      Array.from({ length: 99 }, (_, n) => `${n}`),
      Array.from({ length: 99 }, (_, n) => `P${n}`),
    ),
  )
  connection.start()
  vi.advanceTimersByTime(250)
  const query = new URLSearchParams(now().address.split('?')[1])
  expect([query.get('instruments')?.split(',').length, query.get('pairs')?.split(',').length]).toEqual([
    60, 40,
  ])
})

test('stopped, it stays away until it is started, and then goes on from where it was', () => {
  const { connection, opened, states, now } = connect()
  connection.start()
  vi.advanceTimersByTime(250)
  now().say('hello', {}, '3.0')
  connection.stop()
  now().say('error')
  connection.retryNow()
  vi.advanceTimersByTime(60_000)
  expect([opened.length, states.at(-1)]).toEqual([1, 'off'])
  connection.start()
  vi.advanceTimersByTime(250)
  expect(now().address).toBe('/api/v1/stream?after=3.0')
})

test('back on line, it does not wait for its turn', () => {
  const { connection, opened, now } = connect()
  connection.start()
  vi.advanceTimersByTime(250)
  now().say('error')
  connection.retryNow()
  expect(opened).toHaveLength(2)
  vi.advanceTimersByTime(60_000)
  expect(opened).toHaveLength(2)
})
