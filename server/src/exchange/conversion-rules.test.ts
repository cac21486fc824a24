import { accountId, journal, PURPOSE } from '#ledger'
import { newKey, rulesFixture } from '#test/rules-fixture'
import type { Customer } from '#test/money-fixture'
import { beforeEach, describe, expect, test } from 'vitest'

const fixture = await rulesFixture()
const { ask, available, clock, customer, make, news, ownerDb, publishRates, run, runsOf, show } = fixture
const ORDERS = '/conversion-orders'
const RECURRING = '/recurring-conversions'

let people = 0
const somebody = (money: Record<string, string> = {}) => customer(`rule${(people += 1)}`, money)
const wanted = {
  from: 'EUR',
  to: 'PLN',
  fromAmount: '100.00',
  limit: { base: 'EUR', rate: '4.30' },
}
const freeze = (who: Customer, at: Date | null) =>
  ownerDb.query('update identity.customers set frozen_at = $2 where number = $1', [who.walletId, at])

beforeEach(async () => {
  // What other tests left waiting is not to be counted in this one.
  await ownerDb.query(`update rules.rules set state = 'cancelled'`)
  clock.advance(61_000)
  news.length = 0
  // The customer's rate is half a percent below mid.
  await publishRates({ PLN: '4.20', USD: '1.10' })
})

test('a run waits for accounts before it holds its pair, as trades that convert do', async () => {
  const ewa = await somebody({ EUR: '100.00' })
  await make(ewa, ORDERS, wanted)
  clock.advance(1_000)
  await publishRates({ PLN: '4.40' })
  const account = accountId({ walletId: ewa.walletId, assetId: 978, purpose: PURPOSE.available })
  const running = await ownerDb.transaction(async (tx) => {
    await tx.query('select from ledger.accounts where id = $1 for update', [account])
    const run1 = run()
    const waits = async () =>
      (await tx.query(`select from pg_locks where not granted and locktype in ('tuple', 'transactionid')`))
        .rowCount
    await expect.poll(waits, { interval: 20, timeout: 10_000 }).toBeGreaterThan(0)
    const { rows } = await tx.query<{ free: boolean }>(
      `select pg_try_advisory_xact_lock(2, hashtext('978/985')) as free`,
    )
    expect(rows).toEqual([{ free: true }])
    return { run1 }
  })
  expect(await running.run1).toBe(1)
})

describe('a limit conversion', () => {
  test('waits until the rate after margin is good enough, and is made once, at the rate there is then', async () => {
    const ewa = await somebody({ EUR: '300.00' })
    const { id } = await make(ewa, ORDERS, wanted)
    expect(await run()).toBe(0)
    // Mid has got there, what the customer would get has not: 4.31 · 0.995 = 4.28845.
    clock.advance(1_000)
    await publishRates({ PLN: '4.31' })
    expect(await run()).toBe(0)
    clock.advance(1_000)
    await publishRates({ PLN: '4.40' })
    expect(await run()).toBe(1)
    // 4.40 · 0.995 = 4.378, better than the limit.
    expect([await available(ewa, 'EUR'), await available(ewa, 'PLN')]).toEqual(['200.00', '437.80'])
    expect(await show(ewa, ORDERS, id)).toMatchObject({ status: 'done', runs: 1, nextRunAt: null })
    expect(await run()).toBe(0)
    const [only, ...others] = await runsOf(ewa, ORDERS, id)
    expect(others).toEqual([])
    expect(only).toMatchObject({ run: 1, outcome: 'done', reason: null, plannedFor: null })
    const posted = await journal(ownerDb, String(only?.['operationId']))
    expect(posted?.detail?.['rule']).toEqual({
      id,
      kind: 'conversion-order',
      run: 1,
      limit: '4.30',
      limitBase: 'EUR',
    })
  })

  test.each([
    ['exactly the limit is good enough', '4.378', 1],
    ['a hair below it is not', '4.3781', 0],
  ])('%s', async (_, rate, runs) => {
    const ewa = await somebody({ EUR: '100.00' })
    await make(ewa, ORDERS, { ...wanted, limit: { base: 'EUR', rate } })
    clock.advance(1_000)
    await publishRates({ PLN: '4.40' })
    expect(await run()).toBe(runs)
  })

  test('with a limit on what is got waits until it costs as little', async () => {
    const ewa = await somebody({ PLN: '1000.00' })
    const limit = { base: 'EUR', rate: '4.10' }
    const { id, direction } = await make(ewa, ORDERS, { from: 'PLN', to: 'EUR', toAmount: '100.00', limit })
    expect(direction).toBe('atMost')
    expect(await run()).toBe(0)
    clock.advance(1_000)
    await publishRates({ PLN: '4.05' })
    expect(await run()).toBe(1)
    // 100 EUR at 4.05 / 0.995, rounded up.
    expect([await available(ewa, 'EUR'), await available(ewa, 'PLN')]).toEqual(['100.00', '592.96'])
    expect(await show(ewa, ORDERS, id)).toMatchObject({ status: 'done' })
  })

  test('without the money when its rate comes is paused and says so, and goes on when it is resumed', async () => {
    const ewa = await somebody({ EUR: '99.99' })
    const { id } = await make(ewa, ORDERS, wanted)
    clock.advance(1_000)
    await publishRates({ PLN: '4.40' })
    expect(await run()).toBe(1)
    expect(await show(ewa, ORDERS, id)).toMatchObject({
      status: 'paused',
      reason: 'insufficient_funds',
      runs: 1,
    })
    expect(await runsOf(ewa, ORDERS, id)).toMatchObject([
      { outcome: 'refused', reason: 'insufficient_funds' },
    ])
    expect(news).toMatchObject([{ ruleId: id, run: 1, reason: 'insufficient_funds', ended: true }])
    expect(await run()).toBe(0)
    const body = { status: 'active', fromAmount: '99.00' }
    expect((await ask(ewa, 'PATCH', `${ORDERS}/${String(id)}`, { body })).body).toMatchObject({
      status: 'active',
      reason: null,
      fromAmount: '99.00',
    })
    expect(await run()).toBe(1)
    expect(await available(ewa, 'EUR')).toBe('0.99')
  })

  test('of a frozen customer is refused, and nothing is moved', async () => {
    const ewa = await somebody({ EUR: '100.00' })
    const { id } = await make(ewa, ORDERS, { ...wanted, limit: { base: 'EUR', rate: '4.00' } })
    await freeze(ewa, clock.now())
    await run()
    expect(await show(ewa, ORDERS, id)).toMatchObject({ status: 'paused', reason: 'account_frozen' })
    expect(await available(ewa, 'EUR')).toBe('100.00')
  })

  test('waits while rates are stale, and over the caps', async () => {
    const ewa = await somebody({ EUR: '1000000.00' })
    const { id } = await make(ewa, ORDERS, {
      ...wanted,
      fromAmount: '250000.01',
      limit: { base: 'EUR', rate: '4.00' },
    })
    expect(await run()).toBe(1)
    expect(await show(ewa, ORDERS, id)).toMatchObject({
      status: 'active',
      runs: 0,
      lastTry: { reason: 'exposure_limit' },
    })
    clock.advance(7_300_000)
    expect(await run()).toBe(0)
    await ask(ewa, 'PATCH', `${ORDERS}/${String(id)}`, { body: { fromAmount: '249999.00' } })
    await publishRates({ PLN: '4.20' })
    expect(await run()).toBe(1)
    expect(await show(ewa, ORDERS, id)).toMatchObject({ status: 'done' })
  })

  test('expires, and tells its owner', async () => {
    const ewa = await somebody({ EUR: '100.00' })
    const expiresAt = new Date(clock.now().getTime() + 60_000).toISOString()
    const { id } = await make(ewa, ORDERS, { ...wanted, expiresAt })
    clock.advance(60_000)
    await publishRates({ PLN: '5.00' })
    expect(await run()).toBe(0)
    expect(await show(ewa, ORDERS, id)).toMatchObject({ status: 'expired', runs: 0 })
    expect(news).toMatchObject([{ ruleId: id, reason: 'rule_expired', ended: true }])
  })
})

describe('a recurring conversion', () => {
  const monthly = { repeat: 'monthly', day: 31, at: '09:00', timeZone: 'Europe/Warsaw' }

  test('is made on each of its dates, once, and on the last day of short months', async () => {
    clock.set('2027-01-15T00:00:00Z')
    const ewa = await somebody({ EUR: '1000.00' })
    const given = { from: 'EUR', to: 'PLN', fromAmount: '100.00', schedule: monthly }
    const { id, nextRunAt } = await make(ewa, RECURRING, given)
    expect(nextRunAt).toBe('2027-01-31T08:00:00.000Z')
    for (const at of ['2027-01-31T08:00:00Z', '2027-02-28T08:00:05Z', '2027-03-31T07:00:00Z']) {
      clock.set(new Date(Date.parse(at) - 10_000))
      expect(await run()).toBe(0)
      clock.set(at)
      await publishRates({ PLN: '4.20' })
      expect(await run()).toBe(1)
      expect(await run()).toBe(0)
    }
    expect([await available(ewa, 'EUR'), await available(ewa, 'PLN')]).toEqual(['700.00', '1253.70'])
    expect(await runsOf(ewa, RECURRING, id)).toMatchObject([
      { run: 3, plannedFor: '2027-03-31T07:00:00.000Z', outcome: 'done' },
      { run: 2, plannedFor: '2027-02-28T08:00:00.000Z', outcome: 'done' },
      { run: 1, plannedFor: '2027-01-31T08:00:00.000Z', outcome: 'done' },
    ])
  })

  test('after an outage is made once for the latest date that was missed; the others are written down', async () => {
    clock.set('2027-04-10T00:00:00Z')
    const ewa = await somebody({ EUR: '1000.00' })
    const schedule = { repeat: 'weekly', weekday: 1, at: '09:00', timeZone: 'UTC' }
    const { id } = await make(ewa, RECURRING, { from: 'EUR', to: 'PLN', fromAmount: '10.00', schedule })
    clock.set('2027-05-05T00:00:00Z')
    await publishRates({ PLN: '4.20' })
    await run()
    const outcomes = (await runsOf(ewa, RECURRING, id)).map(({ outcome }) => outcome)
    expect(outcomes).toEqual(['done', 'missed', 'missed', 'missed'])
    expect(await available(ewa, 'EUR')).toBe('990.00')
  })

  test('is tried again while rates are stale, and given up after its tries', async () => {
    clock.set('2027-06-01T00:00:00Z')
    const ewa = await somebody({ EUR: '1000.00' })
    const schedule = { repeat: 'weekly', weekday: 3, at: '09:00', timeZone: 'UTC' }
    const { id } = await make(ewa, RECURRING, { from: 'EUR', to: 'PLN', fromAmount: '10.00', schedule })
    clock.set('2027-06-02T09:00:00Z')
    expect(await run()).toBe(1)
    expect(await show(ewa, RECURRING, id)).toMatchObject({
      runs: 0,
      nextRunAt: '2027-06-02T09:00:00.000Z',
      lastTry: { reason: 'rates_stale', nextTryAt: '2027-06-02T09:15:00.000Z' },
    })
    for (const minutes of [15, 30, 60, 120, 240]) {
      clock.advance(minutes * 60_000 - 1)
      expect(await run()).toBe(0)
      clock.advance(1)
      expect(await run()).toBe(1)
    }
    expect(await runsOf(ewa, RECURRING, id)).toMatchObject([{ outcome: 'refused', reason: 'rates_stale' }])
    expect(await show(ewa, RECURRING, id)).toMatchObject({
      status: 'active',
      nextRunAt: '2027-06-09T09:00:00.000Z',
      lastTry: null,
    })
    expect(news).toMatchObject([{ reason: 'rates_stale', ended: false }])
  })
})

describe('a rule is refused and nothing is kept', () => {
  test.each<[string, Record<string, unknown>, number, string, string?]>([
    ['of an unknown asset', { from: 'XXX', limit: { base: 'XXX', rate: '1' } }, 422, 'unknown_asset', 'from'],
    ['of one asset', { to: 'EUR' }, 422, 'same_asset'],
    ['without a rate', { to: 'CHF' }, 422, 'rate_unknown'],
    ['of nothing', { fromAmount: '0.00' }, 422, 'amount_not_positive', 'fromAmount'],
    ['of both amounts', { toAmount: '1.00' }, 400, 'invalid_request', 'fromAmount'],
    ['of neither amount', { fromAmount: undefined }, 400, 'invalid_request', 'fromAmount'],
    ['of too many digits', { fromAmount: '1.001' }, 400, 'invalid_request', 'fromAmount'],
    ['with a limit of zero', { limit: { base: 'EUR', rate: '0.00' } }, 400, 'invalid_request', 'limit.rate'],
    ['with an exponent', { limit: { base: 'EUR', rate: '1e9' } }, 400, 'invalid_request', 'limit.rate'],
    [
      'with a limit in a third asset',
      { limit: { base: 'USD', rate: '1' } },
      400,
      'invalid_request',
      'limit.base',
    ],
    ['that is over', { expiresAt: '2020-01-01T00:00:00Z' }, 422, 'schedule_over'],
    ['with an unknown field', { price: '1' }, 400, 'invalid_request', 'price'],
  ])('%s', async (_, change, status, code, path) => {
    const ewa = await somebody({ EUR: '1.00' })
    const answer = await ask(ewa, 'POST', ORDERS, { body: { ...wanted, ...change }, key: newKey() })
    expect([answer.status, answer.body['code']]).toEqual([status, code])
    if (path !== undefined) expect(answer.body['errors']).toMatchObject([{ path }])
    expect((await ask(ewa, 'GET', ORDERS)).body).toEqual({ items: [], nextCursor: null })
  })

  const monthly = { repeat: 'monthly', day: 1, at: '09:00', timeZone: 'Europe/Warsaw' }
  test.each<[string, Record<string, unknown>, number, string]>([
    ['once', { repeat: 'once', on: '2099-01-01' }, 400, 'schedule.repeat'],
    ['on the 32nd', { day: 32 }, 400, 'schedule.day'],
    ['on half a day', { day: 1.5 }, 400, 'schedule.day'],
    ['at a time that is none', { at: '24:00' }, 400, 'schedule.at'],
    ['in a zone that is none', { timeZone: 'Europe/Nowhere' }, 400, 'schedule.timeZone'],
    ['by an offset', { timeZone: '+01:00' }, 400, 'schedule.timeZone'],
    ['until a date that is none', { until: '2027-02-30' }, 400, 'schedule.until'],
    ['never', { count: 0 }, 400, 'schedule.count'],
  ])('that recurs %s', async (_, change, status, path) => {
    const ewa = await somebody()
    const schedule = { ...monthly, ...change, ...('on' in change ? { day: undefined } : {}) }
    const body = { from: 'EUR', to: 'PLN', fromAmount: '1.00', schedule }
    const answer = await ask(ewa, 'POST', RECURRING, { body, key: newKey() })
    expect([answer.status, answer.body['errors']]).toMatchObject([status, [{ path }]])
  })
})

describe('the same request again', () => {
  test('makes one rule and is answered alike, also when it has ended since', async () => {
    const ewa = await somebody({ EUR: '100.00' })
    const key = newKey()
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => ask(ewa, 'POST', ORDERS, { body: wanted, key })),
    )
    const [first] = answers
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    await ask(ewa, 'DELETE', `${ORDERS}/${String(first?.body['id'])}`)
    const again = await ask(ewa, 'POST', ORDERS, { body: wanted, key })
    expect([again.text, again.headers['idempotency-replayed']]).toEqual([first?.text, 'true'])
    const other = await ask(ewa, 'POST', ORDERS, { body: { ...wanted, fromAmount: '1.00' }, key })
    expect(other.body['code']).toBe('idempotency_key_reused')
  })

  test('a hundred are allowed at a time', async () => {
    const ewa = await somebody()
    const answers = await Promise.all(
      Array.from({ length: 103 }, () => ask(ewa, 'POST', ORDERS, { body: wanted, key: newKey() })),
    )
    const refused = answers.filter(({ status }) => status !== 201)
    expect(refused.map(({ body }) => body['code'])).toEqual(Array(3).fill('too_many_rules'))
  })
})

describe('its owner', () => {
  test('pauses it, which misses what falls due meanwhile, and cancels it for good', async () => {
    const ewa = await somebody({ EUR: '100.00' })
    const { id } = await make(ewa, ORDERS, { ...wanted, limit: { base: 'EUR', rate: '4.00' } })
    const path = `${ORDERS}/${String(id)}`
    expect((await ask(ewa, 'PATCH', path, { body: { status: 'paused' } })).body['status']).toBe('paused')
    expect(await run()).toBe(0)
    expect((await ask(ewa, 'DELETE', path)).body['status']).toBe('cancelled')
    for (const [method, body] of [
      ['DELETE', undefined],
      ['PATCH', { status: 'active' }],
    ] as const) {
      const answer = await ask(ewa, method, path, body === undefined ? {} : { body })
      expect([answer.status, answer.body['code']]).toEqual([409, 'rule_ended'])
    }
    expect(await run()).toBe(0)
    expect(((await ask(ewa, 'GET', `${ORDERS}?status=open`)).body['items'] as unknown[]).length).toBe(0)
    expect(((await ask(ewa, 'GET', `${ORDERS}?status=ended`)).body['items'] as unknown[]).length).toBe(1)
  })

  test('alone sees and changes it', async () => {
    const [ewa, edek] = [await somebody(), await somebody()]
    const { id } = await make(ewa, ORDERS, wanted)
    const path = `${ORDERS}/${String(id)}`
    const answers = [
      await ask(edek, 'GET', path),
      await ask(edek, 'GET', `${path}/runs`),
      await ask(edek, 'PATCH', path, { body: { status: 'paused' } }),
      await ask(edek, 'DELETE', path),
      // Of another kind, it is missing as well.
      await ask(ewa, 'GET', `${RECURRING}/${String(id)}`),
    ]
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404])
  })
})
