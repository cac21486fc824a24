import { expect, test } from 'vitest'
import type { Database } from '#db'
import { testDatabase } from '#test/harness'
import { openInstrumentBook } from './instrument-book.ts'
import { codeFor, planInstruments, type Listing } from './plan-instruments.ts'
import { storeInstruments } from './store-instruments.ts'

const { db, ownerDb } = await testDatabase()
const NOW = new Date('2026-03-02T12:00:00Z')
const book = openInstrumentBook(db, () => NOW)

const listing = (ticker: string, name: string, type: Listing['type'] = 'stock'): Listing => ({
  ticker,
  name,
  type,
  mic: 'XNAS',
  figi: null,
  currency: 'USD',
})
const filler = Array.from({ length: 12_000 }, (_, index) =>
  listing(`Z${index.toString(36).toUpperCase()}Q`, `Filler ${index} Holdings Incorporated of Somewhere`),
)
const listed = [
  listing('AAPL', 'Apple Inc.'),
  listing('APLE', 'Apple Hospitality REIT, Inc.'),
  listing('AAP', 'Advance Auto Parts, Inc.'),
  listing('A', 'Agilent Technologies Inc.'),
  listing('BRK.B', 'Berkshire Hathaway Inc. Class B'),
  listing('T', 'AT&T Inc.'),
  listing('NSRGY', 'Nestlé S.A.', 'adr'),
  listing('MAPP', 'Harbor Multi-Asset Apple Fund', 'etf'),
  ...filler,
]
await db.transaction((tx) => storeInstruments(tx, planInstruments([], listed), NOW, '2026-03-02'))
await db.transaction(async (tx) => {
  const nestle = await book.byIdOrTicker('NSRGY')
  if (nestle === null) throw new Error('no NSRGY')
  const to = listing('NSNY', 'Nestlé S.A.', 'adr')
  const nothing = { added: [], changed: [], missing: [], relisted: [], unnamed: [] }
  const renamed = [{ id: nestle.id, from: 'NSRGY', to, code: 'NSNY' }]
  await storeInstruments(tx, { ...nothing, renamed }, NOW, '2026-03-02')
})

test.each([
  ['aapl', ['AAPL']],
  ['A', ['A', 'AAPL', 'AAP']],
  ['aa', ['AAPL', 'AAP']],
  ['apple', ['AAPL', 'APLE', 'MAPP']],
  ['apple hosp', ['APLE']],
  ['hospitality', ['APLE']],
  ['brk.b', ['BRK.B']],
  ['at&t', ['T']],
  ['nestle', ['NSNY']],
  ['NESTLÉ', ['NSNY']],
  ['nsrgy', ['NSNY']],
  ['no such thing', []],
  ['%', []],
  ["'; drop table", []],
])('%s finds %j', async (text, tickers) => {
  const found = (await book.search(text, 3)).map(({ ticker }) => ticker)
  expect(found.slice(0, tickers.length).toSorted()).toEqual(tickers.toSorted())
  expect(found[0]).toBe(tickers[0])
  if (tickers.length < 3 && text.length > 2) expect(found).toHaveLength(tickers.length)
})

test('a search among 12,000 is read from the index', async () => {
  await ownerDb.query('analyze')
  const plans: unknown[] = []
  const query: Database['query'] = async (statement, values) => {
    const { text, values: given } = typeof statement === 'string' ? { text: statement, values } : statement
    plans.push(...(await db.query(`explain (format json) ${text}`, given)).rows)
    return db.query(statement, values)
  }
  await openInstrumentBook({ query }, () => NOW).search('apple inc', 20)
  expect(plans).toHaveLength(1)
  expect(JSON.stringify(plans)).not.toMatch(/"Seq Scan"[^{]*"Relation Name":"instrument_words"/)
  expect(JSON.stringify(plans)).toMatch(/Index (Only )?Scan/)
})

test.each([
  ['AAPL', 'XNAS', 'AAPL'],
  ['ALL', 'XNYS', 'ALL.XNYS'],
  ['BTC', 'XNAS', 'BTC.XNAS'],
  ['TAKEN', 'XNAS', 'TAKEN.XNAS'],
  ['BOTH', 'XNAS', 'BOTH.2'],
  ['BRK-B', 'XNYS', 'BRK.B'],
])('the code of %s at %s is %s', (ticker, mic, code) => {
  expect(codeFor({ ticker, mic }, new Set(['TAKEN', 'BOTH', 'BOTH.XNAS']))).toBe(code)
})
