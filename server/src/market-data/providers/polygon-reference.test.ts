import { beforeEach, describe, expect, test } from 'vitest'
import { fakeFeed } from './fake-feed.ts'
import { accessTo, json, KEY } from './polygon-fixture.ts'
import { polygonDividends, polygonSplits, polygonTickers } from './polygon-reference.ts'
import { readPages } from './read-pages.ts'
import { hasRecorded, recorded } from './recorded.ts'

const feed = await fakeFeed()
const access = accessTo(feed.url)
const call = { signal: new AbortController().signal }

beforeEach(() => {
  feed.asked.length = 0
})

const AGILENT = {
  ticker: 'A',
  name: 'Agilent Technologies Inc.',
  market: 'stocks',
  primary_exchange: 'XNYS',
  type: 'CS',
  active: true,
  currency_name: 'usd',
  composite_figi: 'BBG000C2V3D6',
}

test('tickers come in our words', async () => {
  feed.answer = () => json({ status: 'OK', results: [AGILENT] })
  const page = await polygonTickers(access, { active: true, search: 'agilent & co' }, call)
  expect(feed.asked[0]?.path).toBe(
    '/v3/reference/tickers?market=stocks&active=true&sort=ticker&order=asc&search=agilent+%26+co&limit=1000',
  )
  expect(page).toEqual({
    items: [
      {
        ticker: 'A',
        name: 'Agilent Technologies Inc.',
        mic: 'XNYS',
        figi: 'BBG000C2V3D6',
        type: 'stock',
        currency: 'USD',
        active: true,
        delistedOn: null,
      },
    ],
    refused: [],
    next: null,
  })
})

test.each([
  ['an ETF', { type: 'ETF' }, { type: 'etf' }],
  ['an ADR', { type: 'ADRC' }, { type: 'adr' }],
  ['a warrant', { type: 'WARRANT' }, { type: 'other' }],
  ['no type', { type: undefined }, { type: 'other' }],
  [
    'a delisted one',
    { active: false, delisted_utc: '2017-06-19T00:00:00Z' },
    { active: false, delistedOn: '2017-06-19' },
  ],
  ['no exchange, no FIGI', { primary_exchange: undefined, composite_figi: null }, { mic: null, figi: null }],
  ['a FIGI that is none', { composite_figi: '<script>' }, { figi: null }],
  ['no name', { name: undefined }, { name: 'A' }],
  ['a currency in full', { currency_name: 'United States Dollar' }, { currency: 'USD' }],
])('a ticker with %s', async (_name, more, expected) => {
  feed.answer = () => json({ status: 'OK', results: [{ ...AGILENT, ...more }] })
  expect((await polygonTickers(access, { active: true }, call)).items).toMatchObject([expected])
})

test('rows without a ticker or with an unknown currency are left out, named', async () => {
  const results = [
    AGILENT,
    { ...AGILENT, ticker: undefined },
    { ...AGILENT, ticker: 'B', currency_name: 'shells' },
    7,
  ]
  feed.answer = () => json({ status: 'OK', results })
  const { items, refused } = await polygonTickers(access, { active: true }, call)
  expect(items).toHaveLength(1)
  expect(refused).toEqual([
    { ticker: null, why: 'shape' },
    { ticker: 'B', why: 'currency' },
    { ticker: null, why: 'shape' },
  ])
})

test('absent and null results are an empty page', async () => {
  for (const body of [{ status: 'OK' }, { status: 'OK', results: null }, { status: 'OK', results: [] }]) {
    feed.answer = () => json(body)
    expect(await polygonTickers(access, { active: true }, call)).toEqual({
      items: [],
      refused: [],
      next: null,
    })
  }
})

test('all pages are walked at the configured host with the key, and a page may be kept and asked for later', async () => {
  feed.answer = (path) =>
    json({
      status: 'OK',
      results: [{ ...AGILENT, ticker: path.includes('cursor') ? 'AA' : 'A' }],
      ...(path.includes('cursor')
        ? {}
        : { next_url: 'https://api.massive.com/v3/reference/tickers?cursor=YWN0aXZl' }),
    })
  const tickers: string[] = []
  for await (const page of readPages(
    (cursor) => polygonTickers(access, { active: true, ...(cursor === undefined ? {} : { cursor }) }, call),
    10,
  )) {
    tickers.push(...page.items.map(({ ticker }) => ticker))
  }
  expect(tickers).toEqual(['A', 'AA'])
  expect(feed.asked[1]).toMatchObject({
    path: '/v3/reference/tickers?cursor=YWN0aXZl',
    headers: { authorization: `Bearer ${KEY}` },
  })
})

test('a cursor that leads elsewhere is refused before anything is asked', async () => {
  for (const cursor of [
    '/v1/account?x=1',
    '//evil/v3/reference/tickers?x',
    '/v3/reference/tickers/../../x?y=1',
    '',
    '/v3/reference/splits?x',
  ]) {
    await expect(polygonTickers(access, { active: true, cursor }, call), cursor).rejects.toMatchObject({
      code: 'foreign_page',
    })
  }
  expect(feed.asked).toEqual([])
})

test('a base path in front of the API is kept, also for the pages', async () => {
  feed.answer = () => json({ status: 'OK', next_url: `${feed.url}/proxy/v3/reference/splits?cursor=c` })
  const behind = accessTo(`${feed.url}/proxy/`)
  const first = await polygonSplits(behind, { since: '2026-01-01' }, call)
  await polygonSplits(behind, { since: '2026-01-01', cursor: first.next ?? '' }, call)
  expect(feed.asked.map(({ path }) => path)).toEqual([
    '/proxy/v3/reference/splits?execution_date.gte=2026-01-01&sort=execution_date&order=asc&limit=1000',
    '/proxy/v3/reference/splits?cursor=c',
  ])
})

test('splits and dividends are exact, and what is no ratio or no amount is left out', async () => {
  const split = { ticker: 'X', execution_date: '2026-03-02', split_from: 1, split_to: 1.5 }
  feed.answer = () =>
    json({
      status: 'OK',
      results: [split, { ...split, split_to: 0 }, { ...split, execution_date: '2026-02-30' }],
    })
  expect(await polygonSplits(access, { since: '2026-01-01' }, call)).toMatchObject({
    items: [{ ticker: 'X', exDate: '2026-03-02', from: '1', to: '1.5' }],
    refused: [{ why: 'ratio' }, { why: 'shape' }],
  })
  const dividend = {
    ticker: 'X',
    ex_dividend_date: '2026-03-02',
    cash_amount: 0.59375,
    dividend_type: 'CD',
    frequency: 4,
  }
  feed.answer = () =>
    json({
      status: 'OK',
      results: [
        dividend,
        { ...dividend, cash_amount: -1 },
        { ...dividend, currency: 'CAD', pay_date: '2026-03-20' },
      ],
    })
  const page = await polygonDividends(access, { since: '2026-01-01' }, call)
  expect(page.items).toMatchObject([
    { amount: '0.59375', currency: 'USD', payDate: null, declaredOn: null, frequency: 4 },
    { amount: '0.59375', currency: 'CAD', payDate: '2026-03-20' },
  ])
  expect(page.refused).toMatchObject([{ why: 'price' }])
})

test.each([
  ['a loop', () => 'same', 'page_loop', 2],
  ['no end', (read: number) => `page ${read}`, 'too_many_pages', 4],
] as const)('pages with %s are left', async (_name, next, code, asked) => {
  let read = 0
  const walk = async () => {
    for await (const page of readPages(async () => ({ items: [], refused: [], next: next((read += 1)) }), 4))
      expect(page.items).toEqual([])
  }
  await expect(walk()).rejects.toMatchObject({ code })
  expect(read).toBe(asked)
})

describe.runIf(hasRecorded)('recorded bodies', () => {
  test('two pages of tickers', async () => {
    feed.answer = (path) =>
      json(recorded(`polygon/reference-tickers.page${path.includes('cursor') ? 2 : 1}.json`))
    const items: string[] = []
    for await (const page of readPages(
      (cursor) => polygonTickers(access, { active: true, ...(cursor === undefined ? {} : { cursor }) }, call),
      10,
    ))
      items.push(...page.items.map(({ ticker, mic, figi, type }) => `${ticker} ${mic} ${figi} ${type}`))
    expect(items).toEqual([
      'A XNYS BBG000C2V3D6 stock',
      'AA XNYS BBG00B3T3HD3 stock',
      'AAA ARCX BBG00X5FSP48 etf',
      'AAAU BATS BBG00LPXX872 etf',
    ])
  })

  test('splits and dividends', async () => {
    feed.answer = () => json(recorded('polygon/splits.json'))
    const splits = await polygonSplits(access, { since: '2022-01-01' }, call)
    expect(splits.items).toHaveLength(10)
    expect(splits.items[0]).toEqual({ ticker: 'GOOGL', exDate: '2022-07-18', from: '1', to: '20' })
    feed.answer = () => json(recorded('polygon/dividends.json'))
    const dividends = await polygonDividends(access, { since: '2022-01-01' }, call)
    expect(dividends.items).toHaveLength(10)
    expect(dividends.items[0]).toMatchObject({
      ticker: 'CSSEN',
      exDate: '2025-06-12',
      payDate: '2025-06-30',
      amount: '0.59375',
    })
    expect([...splits.refused, ...dividends.refused]).toEqual([])
  })
})
