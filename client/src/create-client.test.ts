import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ApiError } from './api-error.ts'
import { newIdempotencyKey } from './settings.ts'
import { answering, json, refusal } from './test-answers.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const transfer = { to: '@edek', asset: 'EUR', amount: '1.00' }

/** Lets the pauses pass; what failed is handed over as a value. */
async function settled<Reply>(promise: Promise<Reply>): Promise<Reply | ApiError> {
  const kept = promise.catch((error: unknown) => {
    if (error instanceof ApiError) return error
    throw error
  })
  await vi.runAllTimersAsync()
  return kept
}

const keys = (asked: readonly Request[]) => asked.map(({ headers }) => headers.get('idempotency-key'))

describe('a request', () => {
  test('names its parts in the address, and leaves filters out that are not set', async () => {
    const { kantor, next, asked } = answering({ apiKey: 'kantor_1' })
    next.push(json({ items: [], nextCursor: null }), json({}))
    await kantor.get('/operations', { query: { kind: undefined, q: '', asset: 'EUR', limit: 30 } })
    await kantor.get('/instruments/{instrument}', { path: { instrument: 'BRK.B/x' } })
    expect(asked.map(({ url }) => url)).toEqual([
      'http://kantor.test/api/v1/operations?asset=EUR&limit=30',
      'http://kantor.test/api/v1/instruments/BRK.B%2Fx',
    ])
    expect(asked[0]?.headers.get('authorization')).toBe('Bearer kantor_1')
    expect(asked[0]?.redirect).toBe('error')
  })

  test('without an answer to read gives nothing', async () => {
    const { kantor, next } = answering()
    next.push(() => new Response(null, { status: 204 }))
    expect(await kantor.post('/auth/sign-out')).toBeUndefined()
  })

  test('that is refused says the code, the sentence, the fields and what to quote', async () => {
    const told: string[] = []
    const { kantor, next, asked } = answering({ onRefusal: ({ code }) => void told.push(code) })
    next.push(refusal(422, 'insufficient_funds'))
    const error = await settled(kantor.post('/transfers', { body: transfer }))
    expect(error).toMatchObject({
      code: 'insufficient_funds',
      message: 'said insufficient_funds',
      status: 422,
      outcomeUnknown: false,
      fields: [{ path: 'amount', message: 'no' }],
      requestId: 'r1',
    })
    expect([asked.length, told]).toEqual([1, ['insufficient_funds']])
  })

  test.each([
    ['an error page of a proxy', () => new Response('<html>', { status: 404 }), 404],
    ['a success that is no JSON', () => new Response('<html>', { status: 200 }), null],
  ])('that is answered with %s is unreadable, not a crash', async (_what, answer, status) => {
    const { kantor, next } = answering({ attemptsMax: 1 })
    next.push(answer)
    expect(await settled(kantor.get('/wallet'))).toMatchObject({ code: 'unreadable_answer', status })
  })

  test('whose caller loses patience is given up at once, and never again', async () => {
    const { kantor, next, asked } = answering()
    const patience = new AbortController()
    next.push(
      ({ signal }) =>
        new Promise((_answer, cut) => signal.addEventListener('abort', () => cut(signal.reason))),
    )
    const asking = kantor.get('/wallet', { signal: patience.signal }).catch((error: unknown) => error)
    patience.abort(new Error('enough'))
    expect(await asking).toMatchObject({ message: 'enough' })
    expect(asked).toHaveLength(1)
  })
})

describe('what is sent again', () => {
  test('a request that moves money goes under one key in all its tries, and each call has its own', async () => {
    const { kantor, next, asked } = answering()
    next.push(
      refusal(503, 'busy', { 'retry-after': '1' }),
      refusal(503, 'outcome_unknown'),
      json({ id: 'a' }),
    )
    expect(await settled(kantor.post('/transfers', { body: transfer }))).toEqual({ id: 'a' })
    next.push(json({ id: 'b' }), json({ id: 'c' }))
    await kantor.post('/transfers', { body: transfer })
    await kantor.post('/transfers', { body: transfer, idempotencyKey: 'mine' })
    expect(keys(asked)).toEqual(['key-1', 'key-1', 'key-1', 'key-2', 'mine'])
    expect(await Promise.all(asked.slice(0, 3).map((request) => request.json()))).toEqual([
      transfer,
      transfer,
      transfer,
    ])
  })

  test('nothing goes out a second time that could happen twice', async () => {
    const { kantor, asked } = answering()
    const body = { email: 'ania@example.com', password: 'x' }
    expect(await settled(kantor.post('/auth/sign-in', { body }))).toMatchObject({
      code: 'no_answer',
      outcomeUnknown: true,
    })
    expect(await settled(kantor.patch('/me', { body: { name: 'Ania' } }))).toMatchObject({
      code: 'no_answer',
    })
    expect(await settled(kantor.delete('/orders/{id}', { path: { id: 'x' } }))).toMatchObject({
      code: 'no_answer',
    })
    expect([asked.length, keys(asked)]).toEqual([3, [null, null, null]])
  })

  test.each<[string, () => Response, number]>([
    [
      'a cut connection',
      () => {
        throw new TypeError('cut')
      },
      3,
    ],
    ['too many requests, for a moment', refusal(429, 'rate_limited', { 'retry-after': '2' }), 3],
    ['too many requests, for long', refusal(429, 'rate_limited', { 'retry-after': '60' }), 1],
    ['a fault of the server', refusal(500, 'internal_error'), 3],
    ['a gateway', () => new Response('', { status: 502 }), 3],
    ['rates that are too old for a while', refusal(503, 'rates_stale'), 1],
    ['a refusal', refusal(422, 'insufficient_funds'), 1],
    ['a page of another', refusal(404, 'not_found'), 1],
  ])('a read that meets %s is tried as often as it makes sense', async (_what, answer, tries) => {
    const { kantor, next, asked } = answering()
    for (let n = 0; n < 5; n += 1) next.push(answer)
    expect(await settled(kantor.get('/wallet'))).toBeInstanceOf(ApiError)
    expect(asked).toHaveLength(tries)
  })

  test('pauses grow, keep what the server asks for, and differ between clients', async () => {
    const pauses = async (random: () => number, ...headers: Record<string, string>[]) => {
      const times: number[] = []
      const { kantor, next } = answering({ random })
      for (const header of [...headers, {}])
        next.push(() => (times.push(Date.now()), refusal(503, 'unavailable', header)()))
      await settled(kantor.get('/wallet'))
      return times.slice(1).map((at, index) => at - (times[index] ?? 0))
    }
    expect(await pauses(() => 0, {}, {})).toEqual([400, 800])
    expect(await pauses(() => 1, {}, {})).toEqual([800, 1600])
    expect(await pauses(() => 0.5, { 'retry-after': '1' }, { 'retry-after': '3' })).toEqual([1200, 3200])
  })
})

test('keys that are made for the caller differ, and are what the API takes', () => {
  const made = Array.from({ length: 100 }, newIdempotencyKey)
  expect(new Set(made).size).toBe(100)
  expect(made.every((key) => /^[0-9a-f]{32}$/.test(key))).toBe(true)
})

describe('a list', () => {
  const page = (items: string[], nextCursor: string | null) =>
    json({ items: items.map((id) => ({ id })), nextCursor })

  test('is read to its end, a page when the one before is used up', async () => {
    const { kantor, next, asked } = answering()
    next.push(page(['a', 'b'], 'c1'), page([], 'c2'), page(['c'], null))
    const seen: string[] = []
    for await (const { id } of kantor.operations({ kind: 'transfer' })) seen.push(`${id} ${asked.length}`)
    expect(seen).toEqual(['a 1', 'b 1', 'c 3'])
    expect(asked.map(({ url }) => new URL(url).search)).toEqual([
      '?kind=transfer',
      '?kind=transfer&cursor=c1',
      '?kind=transfer&cursor=c2',
    ])
  })

  test('that nobody reads on is not asked for', async () => {
    const { kantor, next, asked } = answering()
    next.push(page(['a', 'b'], 'c1'))
    for await (const order of kantor.orders()) {
      expect(order.id).toBe('a')
      break
    }
    expect(asked).toHaveLength(1)
  })
})
