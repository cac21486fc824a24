import { randomUUIDv7 } from 'node:crypto'
import { createRuleScheduler } from '#rules'
import { newKey } from '#test/rules-fixture'
import { formatRate, parseRate } from '@kantor/contract/money'
import type { Rate } from '@kantor/contract/money'
import { beforeEach, expect, test } from 'vitest'
import { notificationsFixture } from './notifications-fixture.ts'
import { priceAlertRoutes } from './price-alert-routes.ts'
import { priceAlertRule } from './price-alert-rule.ts'
import { noticesAfter } from './read-notices.ts'

const fixture = await notificationsFixture()
const { ask, clock, customer, ownerDb, publishRates } = fixture

const rate = (text: string): Rate => {
  const read = parseRate(text)
  if (!read.ok) throw new Error(`${text} is no price`)
  return read.rate
}
const share = { last: '100' }
const deps = {
  ...fixture,
  clock: clock.now,
  newId: randomUUIDv7,
  instruments: {
    byId: async (id: number) => (id === 10_001 ? ACME : null),
    byIdOrTicker: async (reference: string) => (reference === 'ACME' ? ACME : null),
    search: async () => [],
  },
  prices: {
    source: 'simulated',
    simulated: true,
    price: (instrumentId: number) => ({
      unknown: false as const,
      instrumentId,
      seq: 1n,
      last: rate(share.last),
      lastQuoted: rate(share.last),
      lastText: share.last,
      delaySeconds: 0,
      bid: null,
      ask: null,
      asOf: clock.now(),
      fetchedAt: clock.now(),
      source: 'simulated',
      timeliness: 'realTime' as const,
      simulated: true,
      ageSeconds: 0,
      stale: false,
    }),
  },
}
const ACME = {
  id: 10_001,
  code: 'ACME',
  ticker: 'ACME',
  mic: 'XNAS',
  figi: null,
  name: 'Acme Corp.',
  type: 'stock' as const,
  currency: 'USD',
  status: 'active' as const,
  delistedOn: null,
}
const kind = priceAlertRule(deps)
fixture.serve(priceAlertRoutes({ ...deps, kind }))
const scheduler = createRuleScheduler({
  ...deps,
  kinds: [kind],
  random: Math.random,
  log: { warn: () => {} },
  isFrozen: async () => false,
  tell: async () => {},
  valueOf: async (topic) => {
    const known = fixture.rates.rate('EUR', 'PLN')
    const exact = topic.startsWith('price:') ? rate(share.last) : known.unknown ? null : known.rate
    return exact && { low: formatRate(exact, 20, 'down'), high: formatRate(exact, 20, 'up') }
  },
})

let people = 0
const somebody = () => customer(`watcher${(people += 1)}`)
const toldTo = async ({ walletId }: { walletId: bigint }) =>
  (await noticesAfter(fixture.db, walletId, 0n, 100)).map(({ notice }) => notice.detail)
const pair = { base: 'EUR', counter: 'PLN' }

beforeEach(async () => {
  await ownerDb.query(`update rules.rules set state = 'cancelled'`)
  clock.advance(61_000)
  share.last = '100'
  await publishRates({ PLN: '4.20' })
})

test('tells once when a rate gets there, and has ended', async () => {
  const ewa = await somebody()
  const body = { pair, direction: 'above', value: '4.30' }
  const { body: made } = await ask(ewa, 'POST', '/price-alerts', { body, key: newKey() })
  expect(made).toMatchObject({ status: 'active', pair, instrument: null, currency: 'PLN', repeat: false })
  await scheduler.runOnce()
  expect(await toldTo(ewa)).toEqual([])
  clock.advance(1_000)
  await publishRates({ PLN: '4.30' })
  await scheduler.runOnce()
  await scheduler.runOnce()
  expect(await toldTo(ewa)).toEqual([
    {
      alertId: made['id'],
      subject: 'EUR/PLN',
      direction: 'above',
      threshold: '4.30',
      price: '4.300000000',
      currency: 'PLN',
      asOf: clock.now().toISOString(),
    },
  ])
  expect((await ask(ewa, 'GET', `/price-alerts/${String(made['id'])}`)).body['status']).toBe('done')
})

test('that repeats tells again only after it was on the other side, and an hour apart', async () => {
  const ewa = await somebody()
  const body = { instrument: 'ACME', direction: 'below', value: '90', repeat: true }
  await ask(ewa, 'POST', '/price-alerts', { body, key: newKey() })
  const at = async (last: string, minutes: number) => {
    share.last = last
    clock.advance(minutes * 60_000)
    await scheduler.runOnce()
    // What was armed again by this look is looked at by the next.
    await scheduler.runOnce()
    return (await toldTo(ewa)).length
  }
  expect(await at('89', 1)).toBe(1)
  expect(await at('91', 1)).toBe(1)
  expect(await at('89', 1)).toBe(1)
  expect(await at('88', 120)).toBe(1)
  expect(await at('91', 1)).toBe(1)
  expect(await at('90', 1)).toBe(2)
})

test('can be paused while the value is there, and resumed once it is not', async () => {
  const ewa = await somebody()
  const body = { instrument: 'ACME', direction: 'below', value: '90', repeat: true }
  const { body: made } = await ask(ewa, 'POST', '/price-alerts', { body, key: newKey() })
  const path = `/price-alerts/${String(made['id'])}`
  share.last = '89'
  await scheduler.runOnce()
  const paused = await ask(ewa, 'PATCH', path, { body: { status: 'paused' } })
  expect([paused.status, paused.body['status']]).toEqual([200, 'paused'])
  const resumed = () => ask(ewa, 'PATCH', path, { body: { status: 'active' } })
  expect((await resumed()).body['code']).toBe('alert_met_already')
  share.last = '91'
  expect((await resumed()).body['status']).toBe('active')
})

test.each<[string, Record<string, unknown>, number, string]>([
  ['that is there already', { value: '4.20' }, 422, 'alert_met_already'],
  ['of an unknown pair', { pair: { base: 'EUR', counter: 'XXX' } }, 422, 'rate_unknown'],
  ['of one currency', { pair: { base: 'EUR', counter: 'EUR' } }, 422, 'same_asset'],
  ['of an unknown instrument', { pair: undefined, instrument: 'NOPE' }, 422, 'instrument_not_found'],
  ['of both', { instrument: 'ACME' }, 400, 'invalid_request'],
  ['at zero', { value: '0' }, 400, 'invalid_request'],
  ['sideways', { direction: 'over' }, 400, 'invalid_request'],
])('an alert %s is refused', async (_, change, status, code) => {
  const ewa = await somebody()
  const body = { pair, direction: 'above', value: '4.30', ...change }
  const answer = await ask(ewa, 'POST', '/price-alerts', { body, key: newKey() })
  expect([answer.status, answer.body['code']]).toEqual([status, code])
})

test('tried out says when it would have told in the past year', async () => {
  const ewa = await somebody()
  const now = clock.now().getTime()
  const path: [number, string][] = [
    [300, '4.20'],
    [200, '4.60'],
    [199, '4.61'],
    [100, '4.40'],
    [50, '4.55'],
  ]
  for (const [daysAgo, pln] of path) await publishRates({ PLN: pln }, new Date(now - daysAgo * 86_400_000))
  const body = { pair, direction: 'above', value: '4.50', repeat: true }
  const { body: tried } = await ask(ewa, 'POST', '/price-alerts/dry-run', { body })
  expect(tried['runs']).toMatchObject([{ rate: '4.600000000' }, { rate: '4.550000000' }])
  expect(tried).toMatchObject({ totals: { runs: 2 }, today: { rate: '4.200000000' } })
})
