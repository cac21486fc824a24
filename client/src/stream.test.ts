import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readEvents } from './server-sent-events.ts'
import type { SentEvent, SentPause } from './server-sent-events.ts'
import { answering, refusal } from './test-answers.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

function bodyOf(...chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(typeof chunk === 'string' ? bytes(chunk) : chunk)
      controller.close()
    },
  })
}

async function eventsOf(...chunks: (string | Uint8Array)[]): Promise<(SentEvent | SentPause | null)[]> {
  const events: (SentEvent | SentPause | null)[] = []
  for await (const event of readEvents(bodyOf(...chunks))) events.push(event)
  return events
}

describe('an event', () => {
  const whole = 'id: 7.1\r\nevent: order\r\ndata: {"a":\r\ndata: "zł"}\r\n\r\n'
  const wanted = [{ event: 'order', data: '{"a":\n"zł"}', id: '7.1' }]

  test('is the same however its bytes are cut', async () => {
    const all = bytes(whole)
    for (let at = 0; at <= all.length; at += 1)
      expect(await eventsOf(all.slice(0, at), all.slice(at))).toEqual(wanted)
  })

  test.each<[string, string, (SentEvent | SentPause | null)[]]>([
    ['with other ends of line', whole.replaceAll('\r\n', '\n'), wanted],
    ['of no name is a message', 'data:x\n\n', [{ event: 'message', data: 'x', id: '' }]],
    ['keeps the id that was said before', 'id: 1\n\ndata: x\n\n', [{ event: 'message', data: 'x', id: '1' }]],
    ['that is not finished is none', 'event: order\ndata: x\n', []],
    [
      'may have fields that nobody knows',
      'retry: soon\nnew: 1\ndata: x\n\n',
      [{ event: 'message', data: 'x', id: '' }],
    ],
    ['is not a pause, which is told apart', 'retry: 5\n\n', [{ retryMs: 5 }]],
    ['is not a comment, which is told apart', ': still here\n\n', [null]],
  ])('%s', async (_name, text, events) => {
    expect(await eventsOf(text)).toEqual(events)
  })

  test('without an end is not gathered without end', async () => {
    await expect(eventsOf('data: '.padEnd(2_000_000, 'x'))).rejects.toThrow(RangeError)
  })
})

describe('the live stream', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const sends =
    (...chunks: string[]) =>
    () =>
      new Response(bodyOf(...chunks), { headers: { 'content-type': 'text/event-stream' } })
  const event = (name: string, id: string, data: unknown = {}) =>
    `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`

  /** The first so many events, while the pauses between connections pass. */
  async function first(count: number, events: AsyncGenerator<{ event: string }, void>): Promise<string[]> {
    const seen: string[] = []
    const reading = (async () => {
      for await (const { event } of events) if (seen.push(event) === count) return
    })()
    reading.catch(() => {})
    while (
      seen.length < count &&
      !(await Promise.race([
        reading.then(
          () => true,
          () => true,
        ),
        vi.advanceTimersByTimeAsync(1_000).then(() => false),
      ]))
    );
    await reading
    return seen
  }

  test('goes on after the last event that was handed out, through cut connections and refusals that pass', async () => {
    const { kantor, next, asked } = answering({ apiKey: 'kantor_1' })
    next.push(
      sends(event('hello', '1.0'), event('operation', '2.0'), 'id: 3.0\nevent: oper'),
      () => Promise.reject(new TypeError('cut')),
      refusal(503, 'busy', { 'retry-after': '1' }),
      sends(event('hello', ''), event('operation', '3.0')),
      sends(event('operation', '4.0')),
    )
    const events = kantor.stream({ instruments: 'AAPL,MSFT', pairs: undefined })
    expect(await first(5, events)).toEqual(['hello', 'operation', 'hello', 'operation', 'operation'])
    expect(asked.map(({ headers }) => headers.get('last-event-id'))).toEqual([
      null,
      '2.0',
      '2.0',
      '2.0',
      '3.0',
    ])
    expect(asked[0]?.url).toBe('http://kantor.test/api/v1/stream?instruments=AAPL%2CMSFT')
  })

  test('that its server sends away comes back when it was told to', async () => {
    const { kantor, next } = answering()
    const askedAtMs: number[] = []
    const noting = (...chunks: string[]) => {
      askedAtMs.push(Date.now())
      return sends(...chunks)()
    }
    next.push(
      () => noting('retry: 9000\n\n', event('hello', '1.0')),
      () => noting('retry: 9000\n\n', event('hello', '1.0'), 'retry: 4000\n\n'),
      () => noting(event('operation', '2.0')),
    )
    expect(await first(3, kantor.stream())).toEqual(['hello', 'hello', 'operation'])
    const [cut = 0, away = 0, back = 0] = askedAtMs
    expect(away - cut).toBeLessThan(4_000)
    expect(back - away).toBe(4_000)
  })

  test('that is refused for good says so', async () => {
    const { kantor, next } = answering()
    next.push(refusal(401, 'not_authenticated'))
    await expect(first(1, kantor.stream())).rejects.toMatchObject({ code: 'not_authenticated', status: 401 })
  })

  test('is left by leaving the loop, and by its signal', async () => {
    const { kantor, next } = answering()
    let cut = 0
    next.push(({ signal }) => {
      signal.addEventListener('abort', () => (cut += 1))
      return sends(event('hello', '1.0'), event('hello', '2.0'))()
    })
    for await (const { event } of kantor.stream()) {
      expect(event).toBe('hello')
      break
    }
    expect(cut).toBe(1)
    const over = new AbortController()
    over.abort()
    expect(await kantor.stream({}, { signal: over.signal }).next()).toEqual({ done: true, value: undefined })
  })

  test('on which nothing at all is heard for a minute is opened anew', async () => {
    const { kantor, next, asked } = answering()
    const silent = ({ signal }: Request) =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(bytes(event('hello', '1.0')))
            signal.addEventListener('abort', () => controller.error(signal.reason))
          },
        }),
      )
    next.push(silent, sends(event('operation', '2.0')))
    expect(await first(2, kantor.stream())).toEqual(['hello', 'operation'])
    expect(asked[1]?.headers.get('last-event-id')).toBe('1.0')
  })
})
