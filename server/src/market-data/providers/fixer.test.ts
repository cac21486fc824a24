import { describe, expect, test } from 'vitest'
import { parseRate } from '@kantor/contract/money'
import { fakeFeed, type FakeAnswer } from './fake-feed.ts'
import { fixerProvider } from './fixer.ts'
import { hasRecorded, recorded } from './recorded.ts'

const KEY = 'k3y-that-must-not-leak'
const feed = await fakeFeed()
const never = new AbortController().signal
const clock = () => new Date('2026-11-22T12:00:00Z')

const old = () => fixerProvider({ url: feed.url, apiKey: KEY, clock })
const gateway = () => fixerProvider({ url: `${feed.url}/fixer`, apiKey: KEY, clock })

const LATEST = `{"success":true,"timestamp":1795348800,"base":"EUR","date":"2026-11-22",
  "rates":{"USD":1.157093,"BTC":1.78e-5,"IDR":18992.249978,"EUR":1,"ZZZ":2}}`
const failure = (code: number | string, type = 'x') =>
  JSON.stringify({ success: false, error: { code, type, info: `bad key ${KEY}` } })

test('the old host is asked with the key in the query', async () => {
  feed.answer = () => ({ body: LATEST })
  feed.asked.length = 0
  await old().latest(never)
  expect(feed.asked[0]?.path).toBe(`/api/latest?access_key=${KEY}`)
})

test('the new host is asked with the key in a header', async () => {
  feed.answer = () => ({ body: LATEST })
  for (const url of [`${feed.url}/fixer`, `${feed.url}/fixer/`]) {
    feed.asked.length = 0
    await fixerProvider({ url, apiKey: KEY, clock }).latest(never)
    expect(feed.asked[0]).toMatchObject({ path: '/fixer/latest', headers: { apikey: KEY } })
  }
})

test('a plan that the operator names sets the pace, and begins with a budget of its own', () => {
  const paid = fixerProvider({ url: feed.url, apiKey: KEY, clock, requestsPerMonth: 10_000 })
  expect([old().requestsPerMonth, paid.requestsPerMonth]).toEqual([100, 10_000])
  expect(paid.configuredAs).not.toBe(old().configuredAs)
})

test('rates are read exactly as they were written, unknown codes among them', async () => {
  feed.answer = () => ({ body: LATEST })
  const draft = await old().latest(never)
  expect(draft.base).toBe('EUR')
  expect(draft.asOf.toISOString()).toBe('2026-11-22T12:00:00.000Z')
  expect(draft.rates).toEqual([
    { code: 'USD', rate: '1.157093', per: '1' },
    { code: 'BTC', rate: '1.78e-5', per: '1' },
    { code: 'IDR', rate: '18992.249978', per: '1' },
    { code: 'EUR', rate: '1', per: '1' },
    { code: 'ZZZ', rate: '2', per: '1' },
  ])
})

test("the gateway's quota headers are handed on, with answers and with refusals", async () => {
  const headers = { 'x-ratelimit-limit-month': '100', 'x-ratelimit-remaining-month': '42' }
  feed.answer = () => ({ body: LATEST, headers })
  await expect(gateway().latest(never)).resolves.toMatchObject({ quota: { limit: 100, remaining: 42 } })
  feed.answer = () => ({ body: failure(105), headers })
  await expect(gateway().latest(never)).rejects.toMatchObject({ quota: { limit: 100, remaining: 42 } })
})

describe('a refusal with HTTP 200 is told by its integer code, whatever its type', () => {
  test.each([
    [101, 'missing_access_key', 'auth'],
    [101, 'invalid_access_key', 'auth'],
    [102, 'inactive_user', 'auth'],
    [103, 'invalid_api_function', 'plan'],
    [104, 'usage_limit_reached', 'quota'],
    [104, 'monthly_limit_reached', 'quota'],
    [105, 'base_currency_access_restricted', 'plan'],
    [105, 'function_access_restricted', 'plan'],
    [106, 'no_rates_available', 'no_data'],
    [201, 'invalid_base_currency', 'bad_answer'],
    [202, 'invalid_currency_codes', 'bad_answer'],
    [301, 'invalid_date', 'bad_answer'],
    [302, 'invalid_date', 'bad_answer'],
    [403, 'invalid_conversion_amount', 'bad_answer'],
    [404, '404_not_found', 'bad_answer'],
    [501, 'no_timeframe_supplied', 'bad_answer'],
    [505, 'time_frame_too_long', 'bad_answer'],
    [999, 'something_new', 'bad_answer'],
  ])('%i (%s) is %s', async (code, type, kind) => {
    feed.answer = () => ({ body: failure(code, type) })
    await expect(old().latest(never)).rejects.toMatchObject({ kind, code: `fixer_${code}` })
  })
})

describe('other refusals', () => {
  const message = (text: string) => JSON.stringify({ message: text })
  const cases: [string, FakeAnswer, string, string][] = [
    ['gateway 401', { status: 401, body: message('Invalid authentication credentials') }, 'auth', 'http_401'],
    ['gateway 403', { status: 403, body: message('You cannot consume this service') }, 'auth', 'http_403'],
    ['gateway 404', { status: 404, body: message('no Route matched') }, 'bad_answer', 'http_404'],
    [
      'gateway 429, month spent',
      {
        status: 429,
        headers: { 'x-ratelimit-remaining-month': '0' },
        body: message('API rate limit exceeded'),
      },
      'quota',
      'http_429',
    ],
    [
      'gateway 429, month in its message',
      { status: 429, body: message('You have exceeded your monthly API request volume') },
      'quota',
      'http_429',
    ],
    [
      'gateway 429, too fast',
      { status: 429, headers: { 'retry-after': '30', 'x-ratelimit-remaining-month': '5' }, body: '{}' },
      'rate_limited',
      'http_429',
    ],
    [
      'the third shape, HTTP 400',
      { status: 400, body: JSON.stringify({ error: { code: 'invalid_base_currency', message: 'x' } }) },
      'bad_answer',
      'fixer_invalid_base_currency',
    ],
    ['HTTP 500', { status: 500, body: 'oops' }, 'transient', 'http_500'],
    ['HTTP 503', { status: 503 }, 'transient', 'http_503'],
    ['HTTP 418', { status: 418, body: '{}' }, 'bad_answer', 'http_418'],
    ['a page instead of JSON', { body: '<html>maintenance</html>' }, 'bad_answer', 'not_json'],
    ['an empty object', { body: '{}' }, 'bad_answer', 'http_200'],
    ['success without rates', { body: '{"success":true}' }, 'bad_answer', 'unexpected_shape'],
    [
      'a rate that is text',
      { body: LATEST.replace('1.157093', '"1.157093"') },
      'bad_answer',
      'unexpected_shape',
    ],
    ['a rate that is null', { body: LATEST.replace('1.157093', 'null') }, 'bad_answer', 'unexpected_shape'],
    ['a rate that is NaN', { body: LATEST.replace('1.157093', 'NaN') }, 'bad_answer', 'not_json'],
  ]
  test.each(cases)('%s', async (_name, answer, kind, code) => {
    feed.answer = () => answer
    const refused = gateway().latest(never)
    await expect(refused).rejects.toMatchObject({ name: 'ProviderError', kind, code })
    await refused.catch((error: unknown) => expect(JSON.stringify(error) + String(error)).not.toContain(KEY))
  })

  test('too fast says how long to wait', async () => {
    feed.answer = () => ({ status: 429, headers: { 'retry-after': '30' }, body: '{}' })
    await expect(gateway().latest(never)).rejects.toMatchObject({
      kind: 'rate_limited',
      retryAfterSeconds: 30,
    })
  })
})

test('a year of history is one request, oldest day first', async () => {
  feed.asked.length = 0
  feed.answer = () => ({
    body: `{"success":true,"timeseries":true,"base":"EUR",
      "rates":{"2026-11-20":{"USD":1.16},"2026-11-19":{"USD":1.15}}}`,
  })
  const days = await gateway().history?.(never)
  expect(feed.asked.map(({ path }) => path)).toEqual([
    '/fixer/timeseries?start_date=2025-11-23&end_date=2026-11-21',
  ])
  expect(days?.map(({ asOf, rates }) => [asOf.toISOString(), rates[0]?.rate])).toEqual([
    ['2026-11-19T23:59:59.000Z', '1.15'],
    ['2026-11-20T23:59:59.000Z', '1.16'],
  ])
})

describe.runIf(hasRecorded)('recorded bodies', () => {
  test('latest: every number is kept to the digit and is a rate', async () => {
    const body = recorded('fixer/latest.json')
    feed.answer = () => ({ body })
    const draft = await old().latest(never)
    expect(draft.asOf.toISOString()).toBe('2018-08-24T06:24:11.000Z')
    expect(draft.rates).toHaveLength(168)
    for (const { code, rate } of draft.rates) {
      expect(body).toContain(`"${code}": ${rate}`)
      expect(parseRate(rate).ok).toBe(true)
    }
  })

  test.each([
    ['fixer/error-101-missing-key.http200.json', 200, 'auth'],
    ['fixer/error-104-quota.http200.json', 200, 'quota'],
    ['fixer/error-202.http200.json', 200, 'bad_answer'],
    ['fixer/apilayer-401.json', 401, 'auth'],
  ])('%s', async (name, status, kind) => {
    feed.answer = () => ({ status, body: recorded(name) })
    await expect(old().latest(never)).rejects.toMatchObject({ kind })
  })

  test('timeseries', async () => {
    const { response } = JSON.parse(recorded('fixer/timeseries.json')) as { response: { body: unknown } }
    feed.answer = () => ({ body: JSON.stringify(response.body) })
    await expect(old().history?.(never)).resolves.toHaveLength(3)
  })
})
