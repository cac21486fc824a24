import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ApiError } from './api-error.ts'
import { call } from './client.ts'
import { createIntent } from './intent.ts'

const answers: (() => Response)[] = []
const sent: { address: string; init: RequestInit }[] = []

beforeEach(() => {
  vi.useFakeTimers()
  answers.length = 0
  sent.length = 0
  vi.stubGlobal('fetch', async (address: string, init: RequestInit) => {
    sent.push({ address, init })
    const next = answers.shift()
    if (next === undefined) throw new TypeError('network')
    return next()
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const ok = (body: unknown) => () => Response.json(body)
const refuse =
  (status: number, code: string, headers: Record<string, string> = {}) =>
  () =>
    Response.json({ code, status, title: '', type: '', detail: '', requestId: 'r1' }, { status, headers })

/** Lets the waits between attempts pass; keeps the outcome from being an unhandled rejection meanwhile. */
async function settled<Reply>(promise: Promise<Reply>): Promise<Reply> {
  promise.catch(() => {})
  await vi.runAllTimersAsync()
  return promise
}

describe('call', () => {
  test('leaves empty filters out of the address', async () => {
    answers.push(ok({ items: [] }))
    await settled(call('GET', '/operations', { query: { kind: undefined, q: '', limit: 30 } }))
    expect(sent[0]?.address).toBe('/api/v1/operations?limit=30')
  })

  test('a refusal is told by its code, with the fields it is about', async () => {
    answers.push(refuse(422, 'insufficient_funds'))
    const error = await settled(call('POST', '/transfers', { body: {}, idempotencyKey: 'k' })).catch(
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({
      code: 'insufficient_funds',
      status: 422,
      outcomeUnknown: false,
      requestId: 'r1',
    })
    expect(sent).toHaveLength(1)
  })

  test('an unknown outcome is tried again under the same key, at most twice', async () => {
    answers.push(refuse(503, 'busy', { 'retry-after': '1' }), refuse(503, 'outcome_unknown'), ok({ id: '1' }))
    await settled(call('POST', '/transfers', { body: { a: 1 }, idempotencyKey: 'k' }))
    expect(sent.map(({ init }) => new Headers(init.headers).get('idempotency-key'))).toEqual(['k', 'k', 'k'])
  })

  test('a POST without a key is never sent twice', async () => {
    const error = await settled(call('POST', '/auth/sign-in', { body: {} })).catch(
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({ code: 'no_answer', outcomeUnknown: true })
    expect(sent).toHaveLength(1)
  })

  test("a proxy's error page is unreadable, not a crash", async () => {
    answers.push(() => new Response('<html>', { status: 404 }))
    await expect(settled(call('GET', '/wallet'))).rejects.toMatchObject({
      code: 'unreadable_answer',
      status: 404,
    })
  })
})

describe('createIntent', () => {
  function keys() {
    let made = 0
    const used: string[] = []
    const intent = createIntent<{ amount: string }>(() => `key${++made}`)
    const send = (amount: string, outcome: () => Promise<unknown>) =>
      intent.send({ amount }, (_body, key) => {
        used.push(key)
        return outcome()
      })
    return { used, send }
  }
  const yes = async () => 'done'
  const unknown = () => Promise.reject(new ApiError({ code: 'no_answer' }))
  const refused = () => Promise.reject(new ApiError({ code: 'insufficient_funds', status: 422 }))

  test('pressing again after a lost answer is the same request', async () => {
    const { used, send } = keys()
    await send('5', unknown).catch(() => {})
    await send('5', yes)
    expect(used).toEqual(['key1', 'key1'])
  })

  test('a changed wish, a refusal and a success each begin a new request', async () => {
    const { used, send } = keys()
    await send('5', unknown).catch(() => {})
    await send('6', refused).catch(() => {})
    await send('6', yes)
    await send('6', yes)
    expect(used).toEqual(['key1', 'key2', 'key3', 'key4'])
  })
})
