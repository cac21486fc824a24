import { rulesFixture, newKey } from '#test/rules-fixture'
import { toldFromLedger } from '#test/told-from-ledger'
import { beforeEach, describe, expect, test } from 'vitest'

const fixture = await rulesFixture()
const { ask, available, clock, customer, make, news, ownerDb, run, runsOf, show } = fixture
const PATH = '/standing-orders'

let people = 0
const somebody = (money: Record<string, string> = {}) => customer(`payer${(people += 1)}`, money)
const payee = await customer('landlord', {}, { name: 'Lidia Adamska' })
const weekly = { repeat: 'weekly', weekday: 1, at: '09:00', timeZone: 'UTC' }
const rent = { to: '@landlord', asset: 'EUR', amount: '10.00', note: 'rent', schedule: weekly }
// A Sunday.
const START = Date.parse('2026-11-22T12:00:00Z')
let weeks = 0

beforeEach(async () => {
  await ownerDb.query(`update rules.rules set state = 'cancelled'`)
  weeks += 20
  clock.set(new Date(START + weeks * 7 * 86_400_000))
  news.length = 0
})
const monday = (week: number) => new Date(START + (weeks + week) * 7 * 86_400_000 + 21 * 3_600_000)

describe('a standing order', () => {
  test('tells its owner that it was carried out, and the payee of the money', async () => {
    const [ewa, friend] = [await somebody({ EUR: '10.00' }), await somebody()]
    const { id } = await make(ewa, PATH, { ...rent, to: `@${friend.handle}` })
    clock.set(monday(0))
    await run()
    expect(await toldFromLedger(fixture, ewa)).toMatchObject([
      { kind: 'rule_executed', detail: { ruleId: id, ruleKind: 'standingOrder', run: 1 } },
    ])
    expect(await toldFromLedger(fixture, friend)).toMatchObject([
      { kind: 'money_received', detail: { asset: 'EUR', amount: '10.00', note: 'rent' } },
    ])
  })

  test('sends its amount on each date to whom was chosen, with its reason in the journal', async () => {
    const ewa = await somebody({ EUR: '25.00' })
    const made = await make(ewa, PATH, rent)
    expect(made).toMatchObject({
      status: 'active',
      to: { handle: 'landlord', name: 'Li*** A******' },
      nextRunAt: monday(0).toISOString(),
    })
    const before = await available(payee, 'EUR')
    for (const week of [0, 1]) {
      clock.set(monday(week))
      expect(await run()).toBe(1)
    }
    expect([await available(ewa, 'EUR'), before]).toEqual(['5.00', '0.00'])
    expect(await available(payee, 'EUR')).toBe('20.00')
    const { rows } = await ownerDb.query<{ detail: unknown }>(
      `select detail from ledger.journals where detail -> 'rule' ->> 'id' = $1 order by seq`,
      [made['id']],
    )
    expect(rows.map(({ detail }) => detail)).toEqual(
      [0, 1].map((week) => ({
        note: 'rent',
        rule: {
          id: made['id'],
          kind: 'standing-order',
          run: week + 1,
          plannedFor: monday(week).toISOString(),
        },
      })),
    )
  })

  test('follows the person, not the handle', async () => {
    const [ewa, friend] = [await somebody({ EUR: '25.00' }), await customer('oldhandle')]
    const { id } = await make(ewa, PATH, { ...rent, to: 'oldhandle' })
    await ownerDb.query(`update identity.customers set handle = 'newhandle' where number = $1`, [
      friend.walletId,
    ])
    const heir = await customer('oldhandle', {}, { email: 'heir@example.com' })
    clock.set(monday(0))
    await run()
    expect([await available(friend, 'EUR'), await available(heir, 'EUR')]).toEqual(['10.00', '0.00'])
    expect(await show(ewa, PATH, id)).toMatchObject({ to: { handle: 'newhandle' } })
  })

  test('without the money is tried again during the day, and pays when there is some', async () => {
    const ewa = await somebody({ EUR: '9.99' })
    const { id } = await make(ewa, PATH, rent)
    clock.set(monday(0))
    expect(await run()).toBe(1)
    expect(await show(ewa, PATH, id)).toMatchObject({ lastTry: { reason: 'insufficient_funds' }, runs: 0 })
    expect(news).toEqual([])
    const helper = await somebody({ EUR: '1.00' })
    await ask(helper, 'POST', '/transfers', {
      body: { to: ewa.handle, asset: 'EUR', amount: '1.00' },
      key: newKey(),
    })
    clock.advance(15 * 60_000)
    expect(await run()).toBe(1)
    expect(await available(ewa, 'EUR')).toBe('0.99')
    expect(await runsOf(ewa, PATH, id)).toMatchObject([
      { outcome: 'done', plannedFor: monday(0).toISOString() },
    ])
  })

  test('that is refused all day is written down and told, and the next date comes all the same', async () => {
    const ewa = await somebody()
    const { id } = await make(ewa, PATH, rent)
    clock.set(monday(0))
    for (let hour = 0; hour < 24; hour += 1) {
      await run()
      clock.advance(3_600_000)
    }
    expect(await runsOf(ewa, PATH, id)).toMatchObject([{ outcome: 'refused', reason: 'insufficient_funds' }])
    expect(news).toMatchObject([{ ruleId: id, run: 1, reason: 'insufficient_funds', ended: false }])
    expect(await show(ewa, PATH, id)).toMatchObject({ status: 'active', nextRunAt: monday(1).toISOString() })
  })

  test('changed while it waits for its next try is tried at once with what was changed', async () => {
    const ewa = await somebody({ EUR: '5.00' })
    const { id } = await make(ewa, PATH, rent)
    clock.set(monday(0))
    await run()
    await ask(ewa, 'PATCH', `${PATH}/${String(id)}`, { body: { amount: '5.00', note: '' } })
    expect(await run()).toBe(1)
    expect(await runsOf(ewa, PATH, id)).toMatchObject([{ outcome: 'done' }])
    expect(await show(ewa, PATH, id)).toMatchObject({ amount: '5.00', note: null })
  })

  test('after an outage of days sends each that was missed, up to a week late; older ones are missed', async () => {
    const ewa = await somebody({ EUR: '100.00' })
    const { id } = await make(ewa, PATH, rent)
    clock.set(new Date(monday(3).getTime() + 86_400_000))
    await run()
    const outcomes = (await runsOf(ewa, PATH, id)).map(({ outcome }) => outcome)
    expect(outcomes).toEqual(['done', 'missed', 'missed', 'missed'])
    expect(news.map(({ reason }) => reason)).toEqual(['run_missed', 'run_missed', 'run_missed'])
    expect(await available(ewa, 'EUR')).toBe('90.00')
  })

  test('that cannot even be read stops nobody else, and goes on once it can', async () => {
    const [ewa, edek] = [await somebody({ EUR: '25.00' }), await somebody({ EUR: '25.00' })]
    const [{ id: broken }, { id }] = [await make(ewa, PATH, rent), await make(edek, PATH, rent)]
    const { rows } = await ownerDb.query<{ definition: unknown }>(
      `select definition from rules.rules where id = $1`,
      [broken],
    )
    const define = (definition: unknown) =>
      ownerDb.query(`update rules.rules set definition = $2 where id = $1`, [
        broken,
        JSON.stringify(definition),
      ])
    await define({ of: 'a newer release' })
    clock.set(monday(0))
    await run()
    expect(await runsOf(edek, PATH, id)).toMatchObject([{ outcome: 'done' }])
    expect(await run()).toBe(0)
    await define(rows[0]?.definition)
    expect(await show(ewa, PATH, broken)).toMatchObject({ lastTry: { reason: 'internal_error' }, runs: 0 })
    clock.advance(15 * 60_000)
    expect(await run()).toBe(1)
    expect(await available(ewa, 'EUR')).toBe('15.00')
  })

  test('cancelled while it is being executed is executed once or cancelled, never both and never twice', async () => {
    for (let round = 0; round < 8; round += 1) {
      const ewa = await somebody({ EUR: '25.00' })
      const { id } = await make(ewa, PATH, rent)
      clock.set(monday(round))
      const [answer] = await Promise.all([
        ask(ewa, 'DELETE', `${PATH}/${String(id)}`),
        run(),
        fixture.scheduler().runOnce(),
      ])
      expect([answer.status, answer.body['status']]).toEqual([200, 'cancelled'])
      const done = (await runsOf(ewa, PATH, id)).length
      expect(await available(ewa, 'EUR')).toBe(done === 0 ? '25.00' : '15.00')
      clock.set(monday(round + 1))
      expect(await run()).toBe(0)
    }
  })

  test('once is done once, also when clocks are put back', async () => {
    const ewa = await somebody({ EUR: '100.00' })
    const on = monday(0).toISOString().slice(0, 10)
    const schedule = { repeat: 'once', on, at: '09:00', timeZone: 'UTC' }
    const { id } = await make(ewa, PATH, { ...rent, schedule })
    clock.set(monday(0))
    expect(await run()).toBe(1)
    expect(await show(ewa, PATH, id)).toMatchObject({ status: 'done', nextRunAt: null, runs: 1 })
    clock.advance(-86_400_000)
    expect(await run()).toBe(0)
    clock.advance(86_400_000)
    expect(await run()).toBe(0)
    expect(await available(ewa, 'EUR')).toBe('90.00')
  })

  test('changed after clocks were put back has no second run for a date that had one', async () => {
    const ewa = await somebody({ EUR: '100.00' })
    const { id } = await make(ewa, PATH, rent)
    clock.set(monday(0))
    await run()
    clock.advance(-2 * 86_400_000)
    const path = `${PATH}/${String(id)}`
    await ask(ewa, 'PATCH', path, { body: { status: 'paused' } })
    const { body } = await ask(ewa, 'PATCH', path, { body: { status: 'active' } })
    expect(body['nextRunAt']).toBe(monday(1).toISOString())
  })

  test('only once and refused for good has failed', async () => {
    const ewa = await somebody({ EUR: '100.00' })
    const on = monday(0).toISOString().slice(0, 10)
    const schedule = { repeat: 'once', on, at: '09:00', timeZone: 'UTC' }
    const { id } = await make(ewa, PATH, { ...rent, schedule })
    await ownerDb.query('update identity.customers set frozen_at = now() where number = $1', [ewa.walletId])
    clock.set(monday(0))
    await run()
    expect(await show(ewa, PATH, id)).toMatchObject({ status: 'failed', reason: 'account_frozen' })
  })

  test.each<[string, Record<string, unknown>, number, string, string?]>([
    ['to nobody', { to: '@nobody' }, 422, 'payee_not_found', 'to'],
    ['of nothing', { amount: '0' }, 422, 'amount_not_positive', 'amount'],
    ['in the past', { schedule: { ...weekly, until: '2020-01-01' } }, 422, 'schedule_over'],
    ['every day', { schedule: { ...weekly, repeat: 'daily' } }, 400, 'invalid_request', 'schedule.repeat'],
    ['on an eighth day', { schedule: { ...weekly, weekday: 8 } }, 400, 'invalid_request', 'schedule.weekday'],
    ['with two lines of note', { note: 'a\nb' }, 400, 'invalid_request', 'note'],
  ])('%s is refused', async (_, change, status, code, path) => {
    const ewa = await somebody({ EUR: '1.00' })
    const answer = await ask(ewa, 'POST', PATH, { body: { ...rent, ...change }, key: newKey() })
    expect([answer.status, answer.body['code']]).toEqual([status, code])
    if (path !== undefined) expect(answer.body['errors']).toMatchObject([{ path }])
  })

  test('tried out says what it would have sent in the past year', async () => {
    const ewa = await somebody()
    const { body } = await ask(ewa, 'POST', `${PATH}/dry-run`, { body: rent })
    expect(body).toMatchObject({
      totals: { runs: 52, unknown: 0, from: { asset: 'EUR', amount: '520.00' }, to: null },
    })
  })
})
