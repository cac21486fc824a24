import { describe, expect, test } from 'vitest'
import { crossRate, parseRate, rateOf, type Rate } from '@kantor/contract/money'
import { fakeFeed } from './fake-feed.ts'
import { nbpProvider } from './nbp.ts'
import type { RateSnapshotDraft } from './rate-provider.ts'
import { hasRecorded, recorded } from './recorded.ts'

const feed = await fakeFeed()
const never = new AbortController().signal
const clock = () => new Date('2026-11-22T12:00:00Z')
const tableA = () => nbpProvider({ url: feed.url, clock })
const tableC = () => nbpProvider({ url: feed.url, clock, table: 'C' })

const A = `[{"table":"A","no":"226/A/NBP/2026","effectiveDate":"2026-11-20","rates":[
  {"currency":"dolar","code":"USD","mid":3.6056},{"currency":"euro","code":"EUR","mid":4.2304},
  {"currency":"rupia","code":"IDR","mid":2.2E-04}]}]`
const C = `[{"table":"C","no":"226/C/NBP/2026","tradingDate":"2026-11-19","effectiveDate":"2026-11-20","rates":[
  {"currency":"euro","code":"EUR","bid":4.648,"ask":4.7418},{"currency":"dolar","code":"USD","bid":4.1,"ask":4.18}]}]`

/** The exact value of a drafted rate, by arithmetic apart from the adapter's. */
function value(draft: RateSnapshotDraft, code: string): Rate {
  const entry = draft.rates.find((rate) => rate.code === code)
  const [top, bottom] = [parseRate(entry?.rate ?? ''), parseRate(entry?.per ?? '')]
  if (!top.ok || !bottom.ok) throw new Error(`no ${code}`)
  return crossRate(bottom.rate, top.rate)
}

test('table A is crossed from PLN to EUR without rounding', async () => {
  feed.answer = () => ({ body: A })
  feed.asked.length = 0
  const draft = await tableA().latest(never)
  expect(feed.asked[0]?.path).toBe('/api/exchangerates/tables/A?format=json')
  expect(draft.base).toBe('EUR')
  expect(draft.asOf.toISOString()).toBe('2026-11-20T10:45:00.000Z')
  expect(draft.rates).toEqual([
    { code: 'PLN', rate: '4.2304', per: '1' },
    { code: 'USD', rate: '4.2304', per: '3.6056' },
    { code: 'IDR', rate: '4.2304', per: '0.00022' },
  ])
  // 1 USD is again exactly 3.6056 PLN.
  expect(crossRate(value(draft, 'USD'), value(draft, 'PLN'))).toEqual(rateOf(36_056n, 10_000n))
})

test('table C gives the exact mean of bid and ask, of the day it was traded', async () => {
  feed.answer = () => ({ body: C })
  const draft = await tableC().latest(never)
  expect(draft.asOf.toISOString()).toBe('2026-11-19T14:50:00.000Z')
  expect(value(draft, 'PLN')).toEqual(rateOf(46_480n + 47_418n, 20_000n))
  expect(value(draft, 'USD')).toEqual(rateOf(46_480n + 47_418n, 41_000n + 41_800n))
})

test('history is asked for by its days', async () => {
  feed.answer = () => ({ body: A })
  feed.asked.length = 0
  await expect(tableA().history?.(never)).resolves.toHaveLength(1)
  expect(feed.asked[0]?.path).toBe('/api/exchangerates/tables/A/2026-08-24/2026-11-22?format=json')
})

test('404 as plain text, as on weekends, means that there is no table', async () => {
  feed.answer = () => ({ status: 404, body: '404 NotFound - Not Found - Brak danych' })
  await expect(tableA().latest(never)).rejects.toMatchObject({ kind: 'no_data', code: 'http_404' })
})

test.each([
  ['HTTP 400', { status: 400, body: '400 BadRequest - Przekroczony limit 93 dni' }, 'bad_answer', 'http_400'],
  ['HTTP 503', { status: 503, body: 'x' }, 'transient', 'http_503'],
  ['plain text', { body: 'Brak danych' }, 'bad_answer', 'not_json'],
  ['no tables', { body: '[]' }, 'no_data', 'empty'],
  ['no euro', { body: A.replace('"EUR"', '"XXX"') }, 'bad_answer', 'no_euro'],
  ['a negative mid', { body: A.replace('3.6056', '-3.6056') }, 'bad_answer', 'not_a_rate'],
  ['an endless mid', { body: A.replace('3.6056', '1e400') }, 'bad_answer', 'not_a_rate'],
  ['a mid of text', { body: A.replace('3.6056', '"3.6056"') }, 'bad_answer', 'unexpected_shape'],
  ['the other table', { body: C }, 'bad_answer', 'unexpected_shape'],
])('%s is refused', async (_name, answer, kind, code) => {
  feed.answer = () => answer
  await expect(tableA().latest(never)).rejects.toMatchObject({ kind, code })
})

describe.runIf(hasRecorded)('recorded bodies', () => {
  test('table A', async () => {
    const tables = JSON.parse(recorded('nbp/table-a.json')) as {
      effectiveDate: string
      rates: { code: string }[]
    }[]
    feed.answer = () => ({ body: recorded('nbp/table-a.json') })
    const draft = await tableA().latest(never)
    expect(draft.rates).toHaveLength(
      tables.toSorted((l, r) => l.effectiveDate.localeCompare(r.effectiveDate)).at(-1)?.rates.length ?? 0,
    )
    for (const { code } of draft.rates) expect(value(draft, code).numerator).toBeGreaterThan(0n)
  })

  test('table C', async () => {
    feed.answer = () => ({ body: recorded('nbp/table-c.json') })
    const draft = await tableC().latest(never)
    expect(value(draft, 'PLN')).toEqual(rateOf(93_898n, 20_000n))
  })
})
