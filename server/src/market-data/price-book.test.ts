import { expect, test } from 'vitest'
import { fakeClock } from '#test/fake-clock'
import { testDatabase } from '#test/harness'
import { insertActions } from './ingest-actions.ts'
import { ingestPrices } from './ingest-prices.ts'
import type { PriceDraft } from './judge-price.ts'
import { createMarketHours } from './market-hours.ts'
import { createPriceBook } from './price-book.ts'
import { ensureSource } from './stock-source.ts'

const { db } = await testDatabase()
const clock = fakeClock('2026-03-02T16:00:00Z')
const log = { warn: () => {} }
const provider = { name: 'polygon', simulated: false, configuredAs: 'test' }
const source = await ensureSource({ db, clock: clock.now, provider })
const hours = createMarketHours({ db, clock: clock.now, aroundTheClock: false, log })
const prices = createPriceBook({ db, provider, hours, clock: clock.now, log })

const LIVELY = 10_001
const QUIET = 10_002
const take = async (
  instrumentId: number,
  secondsAgo: number,
  timeliness: PriceDraft['timeliness'] = 'delayed',
) => {
  const asOf = new Date(clock.now().getTime() - secondsAgo * 1000)
  await ingestPrices({ db, clock: clock.now }, source.id, [
    { instrumentId, last: '10', bid: null, ask: null, asOf, timeliness },
  ])
  await prices.refresh()
}

test('a delayed feed is as late as its liveliest stock shows, not as plans promise', async () => {
  await prices.refresh()
  expect(prices.price(LIVELY)).toEqual({ unknown: true })
  await take(QUIET, 2_000)
  expect(prices.price(QUIET)).toMatchObject({ delaySeconds: 2_000 })
  await take(LIVELY, 610)
  expect(prices.price(QUIET)).toMatchObject({ delaySeconds: 610, ageSeconds: 2_000 })
  expect(prices.price(LIVELY)).toMatchObject({ delaySeconds: 610, ageSeconds: 610 })
})

test('a delay that is no longer seen is forgotten after an hour', async () => {
  clock.advance(30 * 60_000)
  await take(LIVELY, 900)
  expect(prices.price(LIVELY)).toMatchObject({ delaySeconds: 610 })
  clock.advance(31 * 60_000)
  await take(LIVELY, 900)
  expect(prices.price(LIVELY)).toMatchObject({ delaySeconds: 900 })
})

test('a price of now has no delay', async () => {
  clock.advance(60_000)
  await take(LIVELY, 0, 'realTime')
  expect(prices.price(LIVELY)).toMatchObject({ delaySeconds: null, timeliness: 'realTime' })
})

test('on a split’s day the price of the day before counts in new shares, until the first new one comes', async () => {
  const { rows } = await db.query<{ id: number }>(
    `insert into market_data.instruments (code, ticker, mic, name, type, currency, first_seen_at, changed_at)
     values ('SPLT', 'SPLT', 'XNAS', 'Split Inc.', 'stock', 'USD', now(), now()) returning id`,
  )
  const id = rows[0]?.id ?? 0
  await take(id, 0, 'realTime')
  const split = {
    kind: 'split',
    instrumentId: id,
    effectiveOn: '2026-03-03',
    sourceKey: 'split',
  } as const
  await db.transaction((tx) =>
    insertActions(tx, source.id, [{ ...split, splitFrom: '1', splitTo: '4' }], clock.now()),
  )
  const lastOf = () => {
    const price = prices.price(id)
    return price.unknown ? null : price.lastText
  }
  clock.set(new Date('2026-03-03T04:59:59Z'))
  await prices.refresh()
  expect(lastOf()).toBe('10')
  clock.set(new Date('2026-03-03T05:00:00Z'))
  expect(lastOf()).toBe('2.5')
  clock.set(new Date('2026-03-03T14:31:00Z'))
  const asOf = clock.now()
  await ingestPrices({ db, clock: clock.now }, source.id, [
    { instrumentId: id, last: '2.6', bid: null, ask: null, asOf, timeliness: 'realTime' },
  ])
  await prices.refresh()
  expect(lastOf()).toBe('2.6')
})
