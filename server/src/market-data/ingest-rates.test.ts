import { beforeEach, describe, expect, test } from 'vitest'
import { fakeClock } from '#test/fake-clock'
import { testDatabase } from '#test/harness'
import { ingestHistory, ingestRates } from './ingest-rates.ts'
import { marketAlarms } from './provider-status.ts'
import { providerRecords } from './provider-queries.ts'
import type { RateSnapshotDraft } from './providers/rate-provider.ts'
import { draftOf, forgetAll, scriptedProvider, stored } from './scripted-provider.ts'

const { db, ownerDb } = await testDatabase()
const clock = fakeClock('2026-11-20T12:00:30Z')
const fixer = scriptedProvider('fixer')
const ecb = scriptedProvider('ecb', { kind: 'daily' })
const simulated = scriptedProvider('simulated', { simulated: true })
const deps = { db, clock: clock.now, providers: [fixer, ecb, simulated] }
const take = (draft: RateSnapshotDraft) => ingestRates(deps, draft)
const at = (time: string) => `2026-11-20T${time}:00Z`
const GOOD = { USD: '1.164200', PLN: '4.2487', TRY: '47.31', ZZZ: '0.026155' }
const good = draftOf('fixer', at('12:00'), GOOD)
const GOOD_LINES = [
  'fixer 11-20 12:00 PLN 4.2487',
  'fixer 11-20 12:00 TRY 47.31',
  'fixer 11-20 12:00 USD 1.164200',
  'fixer 11-20 12:00 ZZZ 0.026155',
]
const record = async (name = 'fixer') => (await providerRecords(db)).get(name)
const quarantined = async () => {
  const { rows } = await db.query<{ provider: string; outcome: string }>(
    'select provider, outcome from market_data.quarantine order by id',
  )
  return rows.map(({ provider, outcome }) => `${provider} ${outcome}`)
}

beforeEach(async () => {
  await forgetAll(ownerDb)
  clock.set('2026-11-20T12:00:30Z')
})

test('a sane snapshot is stored to the digit, unknown codes among it', async () => {
  await expect(take(good)).resolves.toMatchObject({ outcome: 'stored' })
  expect(await stored(db)).toEqual(GOOD_LINES)
  expect(await record()).toMatchObject({ lastAsOf: good.asOf, lastSuccessAt: clock.now(), failuresInARow: 0 })
})

test('a quotient that no decimal holds is stored as the quotient', async () => {
  await take(draftOf('ecb', at('10:00'), { USD: '4.2304/3.6056', BTC: '1.08e-5' }))
  expect(await stored(db)).toEqual(['ecb 11-20 10:00 BTC 0.0000108', 'ecb 11-20 10:00 USD 4.2304/3.6056'])
})

test('the same snapshot again stores nothing and is no failure', async () => {
  await take(good)
  await expect(take(good)).resolves.toEqual({ outcome: 'unchanged' })
  await expect(take(draftOf('fixer', at('12:00'), { ...GOOD, PLN: '4.248700' }))).resolves.toEqual({
    outcome: 'unchanged',
  })
  expect(await stored(db)).toHaveLength(4)
})

test('EUR itself is not stored, and must be 1', async () => {
  await take(draftOf('fixer', at('12:00'), { ...GOOD, EUR: '1.0' }))
  expect(await stored(db)).toEqual(GOOD_LINES)
})

describe('a poll with one bad value stores nothing, keeps the last good, is counted and shown', () => {
  const later = (rates: Record<string, string>, more: Partial<RateSnapshotDraft> = {}) =>
    draftOf('fixer', at('13:00'), { ...GOOD, ...rates }, more)
  test.each<[string, RateSnapshotDraft, string]>([
    ['NaN', later({ PLN: 'NaN' }), 'shape'],
    ['Infinity', later({ PLN: 'Infinity' }), 'shape'],
    ['zero', later({ PLN: '0' }), 'not_positive'],
    ['zero by exponent', later({ PLN: '0e5' }), 'not_positive'],
    ['negative', later({ PLN: '-4.2487' }), 'not_positive'],
    ['1e400', later({ PLN: '1e400' }), 'out_of_bounds'],
    ['1e-400', later({ PLN: '1e-400' }), 'out_of_bounds'],
    ['1e17', later({ PLN: '1e17' }), 'out_of_bounds'],
    ['blank', later({ PLN: ' ' }), 'shape'],
    ['hexadecimal', later({ PLN: '0x10' }), 'shape'],
    ["another script's digits", later({ PLN: '٤٫٢' }), 'shape'],
    ['zero to divide by', later({ PLN: '4.2/0' }), 'not_positive'],
    ['a euro that is not 1', later({ EUR: '1.1' }), 'wrong_base'],
    ['another base', later({}, { base: 'USD' }), 'wrong_base'],
    ['no base', later({}, { base: '' }), 'wrong_base'],
    ['no rates', later({}, { rates: [] }), 'no_rates'],
    ['only the euro', later({}, { rates: [{ code: 'EUR', rate: '1', per: '1' }] }), 'no_rates'],
    ['a code that is none', later({ 'pln; drop': '4' }), 'bad_code'],
    [
      'a code twice',
      later({}, { rates: [1, 2].map((rate) => ({ code: 'USD', rate: String(rate), per: '1' })) }),
      'code_twice',
    ],
    [
      'a thousand codes',
      later(Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`C${n}`, '1']))),
      'too_many_codes',
    ],
    ['older than held', draftOf('fixer', at('11:00'), GOOD), 'older_than_held'],
    ['from tomorrow', draftOf('fixer', '2026-11-21T12:00:00Z', GOOD), 'future_dated'],
    ['at no time', draftOf('fixer', 'never', GOOD), 'future_dated'],
  ])('%s', async (_name, draft, reason) => {
    await take(good)
    clock.set('2026-11-20T13:00:30Z')
    await expect(take(draft)).resolves.toMatchObject({ outcome: 'refused', reason })
    expect(await stored(db)).toEqual(GOOD_LINES)
    expect(await record()).toMatchObject({
      lastAsOf: good.asOf,
      counts: { refused: 1n },
      error: { code: reason, at: clock.now() },
      failuresInARow: 1,
    })
    await take(draftOf('fixer', at('13:00'), GOOD))
    expect(await record()).toMatchObject({ failuresInARow: 0, counts: { refused: 1n } })
  })
})

test('the database refuses what the code would: NaN, infinity, zero, another base', async () => {
  await take(good)
  for (const rate of ['NaN', 'Infinity', '0', '-1']) {
    const sql = 'insert into market_data.rates (snapshot_id, code, rate) values (1, $1, $2)'
    await expect(db.query(sql, ['AAA', rate])).rejects.toThrow('check constraint')
  }
  await expect(
    db.query(
      `insert into market_data.rate_snapshots (provider, as_of, fetched_at, base, origin)
       values ('x', now(), now(), 'USD', 'poll')`,
    ),
  ).rejects.toThrow('check constraint')
  await expect(db.query('update market_data.rates set rate = 2')).rejects.toThrow('permission denied')
})

describe('a jump', () => {
  const jumped = (time: string, usd = '1.7463') => draftOf('fixer', at(time), { ...GOOD, USD: usd })
  const later = async (time: string, draft: RateSnapshotDraft) => {
    clock.set(`2026-11-20T${time}:30Z`)
    return take(draft)
  }
  beforeEach(() => take(good))

  test.each([
    ['+50 %', { USD: '1.7463' }],
    ['-50 %', { USD: '0.5821' }],
    ['+3.1 % of a major', { USD: '1.2003' }],
    ['×1000 of a minor', { TRY: '47310' }],
    ['of everything', { USD: '2.3', PLN: '8.4', TRY: '95', ZZZ: '0.05' }],
  ])('%s is kept aside: nothing stored, the last good kept, counted and shown', async (_name, rates) => {
    const outcome = await later('13:00', draftOf('fixer', at('13:00'), { ...GOOD, ...rates }))
    expect(outcome).toMatchObject({ outcome: 'quarantined' })
    expect(await stored(db)).toEqual(GOOD_LINES)
    expect(await quarantined()).toEqual(['fixer waiting'])
    expect((await marketAlarms(db)).waiting).toMatchObject([
      { provider: 'fixer', asOf: new Date(at('13:00')), jumps: Object.keys(rates).map((code) => ({ code })) },
    ])
    expect(await record()).toMatchObject({ counts: { quarantined: 1n }, error: { code: 'jump' } })
  })

  test.each([
    ['+2.9 % of a major', { USD: '1.1979' }],
    ['-2.9 % of a major', { USD: '1.1305' }],
    ['+4 % of a currency of unknown σ', { TRY: '49.2' }],
  ])('%s is a market that moves', async (_name, rates) => {
    const outcome = await later('13:00', draftOf('fixer', at('13:00'), { ...GOOD, ...rates }))
    expect(outcome).toMatchObject({ outcome: 'stored' })
  })

  test('is believed when a second, newer poll says the same', async () => {
    await later('13:00', jumped('13:00'))
    await expect(later('14:00', jumped('14:00', '1.7501'))).resolves.toMatchObject({ outcome: 'stored' })
    expect(await stored(db)).toContain('fixer 11-20 14:00 USD 1.7501')
    expect(await quarantined()).toEqual(['fixer agreed'])
  })

  test('is not believed because the same answer is served twice within the hour', async () => {
    await later('13:00', jumped('13:00'))
    await expect(later('13:05', jumped('13:00'))).resolves.toMatchObject({ outcome: 'quarantined' })
    await expect(later('13:10', jumped('13:00'))).resolves.toMatchObject({ outcome: 'quarantined' })
    expect(await quarantined()).toEqual(['fixer waiting'])
    expect(await stored(db)).toEqual(GOOD_LINES)
  })

  test('of a table that stands for a day is believed when it still says so an hour later', async () => {
    await later('13:00', jumped('13:00'))
    await expect(later('14:00', jumped('13:00'))).resolves.toMatchObject({ outcome: 'stored' })
  })

  test('that a second poll contradicts starts over', async () => {
    await later('13:00', jumped('13:00'))
    await expect(later('14:00', jumped('14:00', '0.5821'))).resolves.toMatchObject({ outcome: 'quarantined' })
    expect(await quarantined()).toEqual(['fixer dropped', 'fixer waiting'])
    expect(await stored(db)).toEqual(GOOD_LINES)
  })

  test('that was a slip of the feed is dropped when the next poll is back in line', async () => {
    await later('13:00', jumped('13:00'))
    await expect(later('14:00', draftOf('fixer', at('14:00'), GOOD))).resolves.toMatchObject({
      outcome: 'stored',
    })
    expect(await quarantined()).toEqual(['fixer dropped'])
  })

  test('is believed at once when another provider says the same', async () => {
    await later('12:30', draftOf('ecb', at('12:30'), { USD: '1.7401' }))
    expect(await quarantined()).toEqual(['ecb waiting'])
    await later('13:30', draftOf('ecb', at('12:30'), { USD: '1.7401' }))
    await expect(later('13:31', jumped('13:30'))).resolves.toMatchObject({ outcome: 'stored' })
  })

  test('is not vouched for by the simulated market', async () => {
    await later('12:30', draftOf('simulated', at('12:30'), { USD: '1.7463' }))
    await expect(later('13:00', jumped('13:00'))).resolves.toMatchObject({ outcome: 'quarantined' })
  })

  test("of a provider's very first snapshot is seen by comparing with another", async () => {
    await expect(later('13:00', draftOf('ecb', at('13:00'), { USD: '0.5821' }))).resolves.toMatchObject({
      outcome: 'quarantined',
    })
  })

  test('is measured by the σ of a currency that is known to be wild', async () => {
    const wild = Array.from({ length: 40 }, (_, day) =>
      draftOf('fixer', new Date(Date.parse('2026-10-10T12:00:00Z') + day * 86_400_000).toISOString(), {
        TRY: day % 2 === 0 ? '47.31' : '42',
        PLN: day % 2 === 0 ? '4.2487' : '4.2490',
      }),
    )
    await expect(ingestHistory(deps, fixer, wild)).resolves.toEqual({ stored: 40 })
    const day = (rates: Record<string, string>) =>
      draftOf('fixer', '2026-11-21T12:00:00Z', { ...GOOD, ...rates })
    clock.set('2026-11-21T12:00:30Z')
    await expect(take(day({ PLN: '4.42' }))).resolves.toMatchObject({ outcome: 'quarantined' })
    await expect(take(day({ TRY: '57' }))).resolves.toMatchObject({ outcome: 'stored' })
  })
})

test('two providers that differ by more than spread and time explain raise an alarm, counted in one row', async () => {
  const pln = (name: string, time: string, value: string) =>
    draftOf(name, at(time), { PLN: value, USD: '1.16' })
  await take(pln('ecb', '12:00', '4.2487'))
  await take(pln('fixer', '12:00', '4.25'))
  const alarms = async () => (await marketAlarms(db)).divergences
  expect(await alarms()).toEqual([])
  clock.set('2026-11-20T12:20:00Z')
  await expect(take(pln('fixer', '12:20', '4.36'))).resolves.toMatchObject({
    outcome: 'stored',
    divergences: 1,
  })
  clock.set('2026-11-20T12:40:00Z')
  await take(pln('fixer', '12:40', '4.361'))
  expect(await alarms()).toEqual([
    {
      code: 'PLN',
      provider: 'fixer',
      otherProvider: 'ecb',
      apartBps: 264,
      limitBps: expect.any(Number),
      times: 2n,
      lastAt: clock.now(),
    },
  ])
})

describe('history', () => {
  const past = (day: string, usd = '1.1') => draftOf('ecb', `2026-11-${day}T13:15:00Z`, { USD: usd })

  test('fills in what is not held, and never becomes the latest', async () => {
    clock.set('2026-11-20T14:00:00Z')
    await take(draftOf('ecb', '2026-11-19T13:15:00Z', { USD: '1.16' }))
    const result = await ingestHistory(deps, ecb, [past('17'), past('18'), past('19', '9'), past('20', '9')])
    expect(result).toEqual({ stored: 2 })
    expect(await stored(db)).toEqual([
      'ecb 11-17 13:15 USD 1.1',
      'ecb 11-18 13:15 USD 1.1',
      'ecb 11-19 13:15 USD 1.16',
    ])
    await expect(ingestHistory(deps, ecb, [past('17')])).resolves.toEqual({ stored: 0 })
  })

  test('with one bad value stores nothing of itself', async () => {
    await take(draftOf('ecb', '2026-11-19T13:15:00Z', { USD: '1.16' }))
    await expect(ingestHistory(deps, ecb, [past('17'), past('18', '-1')])).resolves.toEqual({ stored: 0 })
    expect(await stored(db)).toHaveLength(1)
    expect(await record('ecb')).toMatchObject({ counts: { refused: 1n } })
  })
})

test('twenty processes that take in the same snapshot at once store it once', async () => {
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => take(good)))
  expect(outcomes.filter(({ outcome }) => outcome === 'stored')).toHaveLength(1)
  expect(outcomes.filter(({ outcome }) => outcome === 'unchanged')).toHaveLength(19)
  expect(await stored(db)).toEqual(GOOD_LINES)
})
