import { rulesFixture } from '#test/rules-fixture'
import { beforeAll, expect, test } from 'vitest'

const fixture = await rulesFixture()
const { ask, clock, customer, publishRates } = fixture
const somebody = await customer('dreamer')
const tryOut = async (path: string, body: object) =>
  (await ask(somebody, 'POST', `${path}/dry-run`, { body })).body
const deal = { from: 'EUR', to: 'PLN', fromAmount: '100.00' }
const sundays = { repeat: 'weekly', weekday: 7, at: '12:00', timeZone: 'UTC' }

beforeAll(async () => {
  clock.set('2026-11-20T12:00:00Z')
  await publishRates({ PLN: '4.00' }, new Date('2026-11-01T10:00:00Z'))
  await publishRates({ PLN: '4.20' }, new Date('2026-11-08T10:00:00Z'))
  await publishRates({ PLN: '4.30' })
})

test('a recurring conversion tried out is reckoned at each date’s own rate, and says where none was stored', async () => {
  const tried = await tryOut('/recurring-conversions', { ...deal, schedule: sundays })
  const runs = tried['runs'] as { at: string; outcome: string }[]
  expect(runs).toHaveLength(52)
  expect(runs.filter(({ outcome }) => outcome === 'done')).toEqual([
    {
      at: '2026-11-01T12:00:00.000Z',
      outcome: 'done',
      from: { asset: 'EUR', amount: '100.00' },
      to: { asset: 'PLN', amount: '398.00' },
      rate: '3.980000000',
      rateAsOf: '2026-11-01T10:00:00.000Z',
    },
    {
      at: '2026-11-08T12:00:00.000Z',
      outcome: 'done',
      from: { asset: 'EUR', amount: '100.00' },
      to: { asset: 'PLN', amount: '417.90' },
      rate: '4.179000000',
      rateAsOf: '2026-11-08T10:00:00.000Z',
    },
  ])
  expect(tried).toMatchObject({
    totals: {
      runs: 2,
      unknown: 50,
      from: { asset: 'EUR', amount: '200.00' },
      to: { asset: 'PLN', amount: '815.90' },
      averageRate: '4.079500000',
    },
    today: { rate: '4.278500000' },
    data: { first: '2026-11-01T10:00:00.000Z', points: 2 },
  })
})

test('with the receipt fixed it says what would have been paid', async () => {
  const { fromAmount: _paid, ...pair } = deal
  const tried = await tryOut('/recurring-conversions', { ...pair, toAmount: '398.00', schedule: sundays })
  expect(tried['totals']).toMatchObject({
    from: { asset: 'EUR', amount: '195.24' },
    to: { asset: 'PLN', amount: '796.00' },
  })
})

test.each([
  [
    'is made the first time that the rate after margin was good enough',
    '4.10',
    '2026-11-08T10:00:00.000Z',
    '417.90',
  ],
  ['was met from the beginning', '3.98', '2026-11-01T10:00:00.000Z', '398.00'],
])('a limit conversion tried out %s', async (_, rate, at, amount) => {
  const tried = await tryOut('/conversion-orders', { ...deal, limit: { base: 'EUR', rate } })
  expect(tried['runs']).toMatchObject([{ at, to: { amount } }])
})

test('a limit that was never met says so, and what one would get today', async () => {
  const tried = await tryOut('/conversion-orders', { ...deal, limit: { base: 'EUR', rate: '4.28' } })
  expect(tried).toMatchObject({
    runs: [],
    totals: { runs: 0, from: null, to: null, averageRate: null },
    today: { rate: '4.278500000' },
  })
})

test('without any stored rate nothing is made up', async () => {
  clock.advance(1_000)
  await publishRates({ PLN: '4.30', CHF: '0.95' })
  const tried = await tryOut('/recurring-conversions', { ...deal, to: 'CHF', schedule: sundays })
  expect(tried).toMatchObject({ totals: { runs: 0, unknown: 52, averageRate: null } })
})
