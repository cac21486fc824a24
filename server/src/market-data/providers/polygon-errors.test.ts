import { describe, expect, test } from 'vitest'
import { fakeFeed, type FakeAnswer } from './fake-feed.ts'
import { polygonRange } from './polygon-bars.ts'
import { accessTo, json, KEY, openBudget } from './polygon-fixture.ts'
import { polygonMarketStatus, polygonSnapshot, polygonUpcoming } from './polygon-now.ts'
import { polygonTickers } from './polygon-reference.ts'
import { askPolygon } from './polygon-request.ts'
import { hasRecorded, recorded } from './recorded.ts'

const feed = await fakeFeed()
const budget = openBudget()
const access = accessTo(feed.url, budget)
const call = { signal: new AbortController().signal }
const range = () =>
  polygonRange(access, { ticker: 'AAPL', span: 'day', from: '2026-11-02', to: '2026-11-20' }, call)

const cases: [name: string, answer: FakeAnswer, kind: string, code: string][] = [
  [
    '403 NOT_AUTHORIZED, text in message',
    json({ status: 'NOT_AUTHORIZED', message: 'Upgrade.' }, 403),
    'plan',
    'not_authorized',
  ],
  [
    '401 NOT_AUTHORIZED, text in error',
    json({ status: 'NOT_AUTHORIZED', error: 'Upgrade.' }, 401),
    'plan',
    'not_authorized',
  ],
  ['NOT_AUTHORIZED with 200', json({ status: 'NOT_AUTHORIZED' }), 'plan', 'not_authorized'],
  ['401, an unknown key', json({ status: 'ERROR', error: 'Unknown API Key' }, 401), 'auth', 'http_401'],
  ['403 of something before it', json('<html>', 403), 'auth', 'http_403'],
  ['429 in error', json({ status: 'ERROR', error: 'too many' }, 429), 'rate_limited', 'http_429'],
  ['429 without a body', json('', 429), 'rate_limited', 'http_429'],
  ['404', json({ status: 'NOT_FOUND', message: 'Data not found.' }, 404), 'bad_answer', 'http_404'],
  ['400', json({ status: 'ERROR', error: 'Bad cursor' }, 400), 'bad_answer', 'http_400'],
  ['500', json('oops', 500), 'transient', 'http_500'],
  ['503', json('', 503), 'transient', 'http_503'],
  ['ERROR with 200, in error', json({ status: 'ERROR', error: 'Something' }), 'bad_answer', 'polygon_error'],
  [
    'ERROR with 200, in message',
    json({ status: 'ERROR', message: 'Something' }),
    'bad_answer',
    'polygon_error',
  ],
  ['an unknown status', json({ status: 'MAYBE', results: [] }), 'bad_answer', 'polygon_error'],
  ['no status', json({ results: [] }), 'bad_answer', 'unexpected_shape'],
  ['not JSON', json('<html>maintenance</html>'), 'bad_answer', 'not_json'],
  ['cut off', json('{"status":"OK","results":[{"v":1,'), 'bad_answer', 'not_json'],
  ['NaN', json('{"status":"OK","results":[{"v":NaN}]}'), 'bad_answer', 'not_json'],
  ['results that are no list', json({ status: 'OK', results: 'none' }), 'bad_answer', 'unexpected_shape'],
  ['an array', json([1, 2]), 'bad_answer', 'unexpected_shape'],
  ['null', json('null'), 'bad_answer', 'unexpected_shape'],
  [
    'a redirect to another host',
    { status: 302, headers: { location: 'http://other.invalid/' } },
    'bad_answer',
    'redirect',
  ],
]

test.each(cases)('%s', async (_name, answer, kind, code) => {
  feed.asked.length = 0
  feed.answer = () => answer
  const refused = range()
  await expect(refused).rejects.toMatchObject({ name: 'ProviderError', kind, code })
  await refused.catch((error: unknown) => expect(JSON.stringify(error) + String(error)).not.toContain(KEY))
  // Nothing is retried here, least of all what the key will never be given.
  expect(feed.asked).toHaveLength(1)
})

test('429 pauses the budget that all processes share, for as long as it says', async () => {
  budget.blocks.length = 0
  feed.answer = () => json({ status: 'ERROR', error: 'slow down' }, 429, { 'retry-after': '17' })
  await expect(range()).rejects.toMatchObject({ retryAfterSeconds: 17 })
  feed.answer = () => json({ status: 'ERROR', error: 'slow down' }, 429)
  await expect(range()).rejects.toMatchObject({ retryAfterSeconds: null })
  expect(budget.blocks).toEqual([17, null])
})

test('the provider’s words are quoted in one line, without the key should they repeat it', async () => {
  feed.answer = () => json({ status: 'ERROR', message: `Key\n ${KEY} is   wrong.` })
  await expect(range()).rejects.toThrow('The provider answered with an error: “Key … is wrong”.')
})

test('an answer over the limit, one that never ends and one that never comes are cut off', async () => {
  const small = { path: '/v3/reference/tickers', bodyBytesMax: 1000 }
  feed.answer = () => json(`{"status":"OK","results":["${'x'.repeat(2000)}"]}`)
  await expect(askPolygon(access, small, call)).rejects.toMatchObject({ code: 'body_too_large' })
  feed.answer = () => ({
    write: (response) => {
      const timer = setInterval(() => response.write('x'.repeat(500)), 1)
      response.on('close', () => clearInterval(timer))
    },
  })
  await expect(askPolygon(access, small, call)).rejects.toMatchObject({ code: 'body_too_large' })
  feed.answer = () => ({ write: () => {} })
  const impatient = { ...access, deadlineSeconds: 0.2 }
  await expect(askPolygon(impatient, small, call)).rejects.toMatchObject({
    kind: 'transient',
    code: 'timeout',
  })
  await expect(askPolygon({ ...access, url: 'http://127.0.0.1:1' }, small, call)).rejects.toMatchObject({
    code: 'unreachable',
  })
})

test('without a turn nothing is sent', async () => {
  feed.asked.length = 0
  const spent = { ...openBudget(), take: () => Promise.reject(new Error('spent')) }
  await expect(askPolygon(accessTo(feed.url, spent), { path: '/' }, call)).rejects.toThrow('spent')
  expect(feed.asked).toEqual([])
})

describe('every endpoint reads refusals alike', () => {
  const endpoints: [string, () => Promise<unknown>][] = [
    ['tickers', () => polygonTickers(access, { active: true }, call)],
    ['snapshot', () => polygonSnapshot(access, ['AAPL'], call)],
    ['market status', () => polygonMarketStatus(access, call)],
    ['upcoming', () => polygonUpcoming(access, call)],
  ]
  test.each(endpoints)('%s', async (_name, ask) => {
    feed.answer = () => json({ status: 'NOT_AUTHORIZED', message: 'Upgrade.' })
    await expect(ask()).rejects.toMatchObject({ code: 'not_authorized' })
    feed.answer = () => json({ status: 'ERROR', error: 'x' })
    await expect(ask()).rejects.toMatchObject({ code: 'polygon_error' })
    feed.answer = () => json('{"status":')
    await expect(ask()).rejects.toMatchObject({ code: 'not_json' })
    feed.answer = () => json('7')
    await expect(ask()).rejects.toMatchObject({ code: 'unexpected_shape' })
  })
})

test.runIf(hasRecorded)('recorded refusals', async () => {
  feed.answer = () => json(recorded('polygon/403.json'), 403)
  await expect(range()).rejects.toMatchObject({ kind: 'plan', code: 'not_authorized' })
  feed.answer = () => json(recorded('polygon/429.json'), 429)
  await expect(range()).rejects.toMatchObject({ kind: 'rate_limited', code: 'http_429' })
})
