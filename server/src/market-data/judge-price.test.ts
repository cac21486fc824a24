import { rateOf } from '@kantor/contract/money'
import { expect, test } from 'vitest'
import { judgePrice, priceOfSnapshot, type HeldPrice, type PriceDraft } from './judge-price.ts'

const NOW = new Date('2026-03-02T15:00:00Z')
const held: HeldPrice = {
  last: rateOf(100n, 1n),
  lastText: '100',
  bid: null,
  ask: null,
  asOf: new Date('2026-03-02T14:59:00Z'),
  fetchedAt: new Date('2026-03-02T14:59:45Z'),
}
const draft = (changes: Partial<PriceDraft>): PriceDraft => ({
  instrumentId: 10_000,
  last: '101',
  bid: null,
  ask: null,
  asOf: NOW,
  timeliness: 'realTime',
  ...changes,
})
const verdict = (changes: Partial<PriceDraft>, doubt: Parameters<typeof judgePrice>[2] = null) =>
  judgePrice(draft(changes), held, doubt, NOW)

test.each([
  ['a negative one', { last: '-1' }, 'refused'],
  ['zero', { last: '0' }, 'refused'],
  ['NaN', { last: 'NaN' }, 'refused'],
  ['Infinity', { last: 'Infinity' }, 'refused'],
  ['a text', { last: 'free' }, 'refused'],
  ['beyond what a share can cost', { last: '1e12' }, 'refused'],
  ['1e400', { last: '1e400' }, 'refused'],
  ['of the future', { asOf: new Date('2026-03-02T15:10:00Z') }, 'refused'],
  ['of no time', { asOf: new Date(Number.NaN) }, 'refused'],
  ['older than what is held', { asOf: new Date('2026-03-02T14:00:00Z') }, 'refused'],
  ['the same again', { last: '100.00' }, 'unchanged'],
  ['a little more', {}, 'believed'],
  ['30 % more', { last: '130' }, 'believed'],
  ['31 % more', { last: '131' }, 'doubted'],
  ['half', { last: '50' }, 'doubted'],
  ['60 % more at the end of a day', { last: '160', timeliness: 'endOfDay' }, 'believed'],
  ['ten times at the end of a day', { last: '1000', timeliness: 'endOfDay' }, 'doubted'],
] as const)('a price that is %s', (_name, changes, outcome) => {
  expect(verdict(changes).outcome).toBe(outcome)
})

test('the same price again is written down once it is 20 s, so that who waits for the next price has one', () => {
  const later = (seconds: number) => new Date(held.fetchedAt.getTime() + seconds * 1000)
  const outcomeAfter = (seconds: number) =>
    judgePrice(draft({ last: '100', asOf: later(seconds) }), held, null, later(seconds)).outcome
  expect([19, 20].map(outcomeAfter)).toEqual(['unchanged', 'believed'])
})

test('a second and later price that agrees lets a jump in; the same one again does not', () => {
  const doubted = { last: rateOf(50n, 1n), asOf: new Date('2026-03-02T14:59:50Z') }
  expect(verdict({ last: '51' }, doubted).outcome).toBe('believed')
  expect(verdict({ last: '70' }, doubted).outcome).toBe('doubted')
  expect(verdict({ last: '50' }, { ...doubted, asOf: NOW }).outcome).toBe('doubted')
})

test.each([
  ['crossed', '102', '101'],
  ['zero', '0', '101'],
  ['far apart', '80', '120'],
  ['far from the last price', '150', '151'],
])('a bid and ask that are %s are left out, and the price stays', (_name, bid, ask) => {
  const judged = verdict({ bid, ask })
  expect(judged).toMatchObject({ outcome: 'believed', price: { last: '101', bid: null, ask: null } })
})

test('a sound bid and ask are kept', () => {
  const judged = verdict({ bid: '100.99', ask: '101.01' })
  expect(judged).toMatchObject({ outcome: 'believed', price: { bid: '100.99', ask: '101.01' } })
})

test.each([
  ['later and sound: the price is of its time', '100.9', '101.1', 44_000, 44_000],
  ['later and far from the last trade: the price is no newer than the trade', '120', '121', 44_000, 0],
  ['later and far apart: the price is no newer than the trade', '90', '110', 44_000, 0],
  ['earlier', '100.9', '101.1', -44_000, 0],
  ['of another price, being 6 minutes later', '100.9', '101.1', 360_000, 0],
])('a quote that is %s', (_name, bid, ask, laterMs, newerMs) => {
  const price = priceOfSnapshot(
    {
      ticker: 'ACME',
      trade: { ticker: 'ACME', price: '101', size: '1', asOf: NOW, asOfNs: 0n },
      quote: {
        ticker: 'ACME',
        bid,
        ask,
        bidSize: '1',
        askSize: '1',
        asOf: new Date(NOW.getTime() + laterMs),
        asOfNs: 0n,
      },
      minute: null,
      day: null,
      previousDay: null,
      asOf: null,
    },
    10_000,
    'realTime',
  )
  expect(price?.asOf).toEqual(new Date(NOW.getTime() + newerMs))
  expect(price?.last).toBe('101')
})
