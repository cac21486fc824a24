import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testDatabase } from '#test/harness'
import { trimmed } from './exact.ts'
import {
  expectIndependentQuote,
  expectRecordedRates,
  ratesOf,
  settingsFor,
  soon,
  untilShown,
} from './expectations.ts'
import { hostileAnswers, laterBy } from './hostile-answers.ts'
import { startKantorAt, type KantorAt } from './kantor-at.ts'
import { signUp, type Person, type Refusal } from './person.ts'
import { judgedPoll, keptRates, nextPoll } from './polls.ts'
import { FIXER_KEY, fixerAnswers, json, serveProvider, type ProviderServer } from './provider-server.ts'
import { hasRecordings, recordedFixer, recording } from './recordings.ts'

// The real program, its real job and real HTTP, against what Fixer said on 24 August 2018. In a browser: web/e2e.

describe.skipIf(!hasRecordings)('recorded Fixer', async () => {
  const { ownerDb, url } = await testDatabase()
  const recordedBody = () => json(recording('fixer/latest.json'))
  let latest = recordedBody
  let provider: ProviderServer
  let kantor: KantorAt
  let ania: Person
  let edek: Person

  beforeAll(async () => {
    provider = await serveProvider(fixerAnswers(() => latest()))
    const fixer = { FIXER_API_KEY: FIXER_KEY, FIXER_URL: provider.url, RATES_PROVIDERS: 'fixer' }
    kantor = await startKantorAt('2018-08-24T06:30:00Z', { ...settingsFor(url), ...fixer })
    await judgedPoll(ownerDb, 'fixer', new Date(0))
    await untilShown(kantor, recordedFixer().asOf)
    ania = await signUp(kantor.address, 'ania', 'PLN')
    edek = await signUp(kantor.address, 'edek', 'EUR')
  })
  afterAll(async () => {
    await kantor?.stop()
    await provider?.close()
  })

  test('the job asks the old host with the key in the address: once for today, once for the past', async () => {
    const key = { access_key: FIXER_KEY }
    const past = { start_date: '2017-08-25', end_date: '2018-08-23' }
    const requests = [
      { path: '/api/latest', query: key, apiKeyHeader: undefined },
      { path: '/api/timeseries', query: { ...key, ...past }, apiKeyHeader: undefined },
    ]
    await soon(() => expect(provider.asked).toEqual(requests))
  })

  test('every recorded rate is kept to its last digit, also of codes that are not offered', async () => {
    const { rows } = await ownerDb.query<{ code: string; rate: string }>(
      `select code, rate::text from market_data.rates join market_data.rate_snapshots on id = snapshot_id
        where origin = 'poll'`,
    )
    const kept = new Map(rows.map(({ code, rate }) => [code, trimmed(rate)]))
    const { rates } = recordedFixer()
    const wanted = [...rates]
      .filter(([code]) => code !== 'EUR')
      .map(([code, rate]) => [code, trimmed(rate)] as const)
    expect(kept).toEqual(new Map(wanted))
    expect([...kept.keys()]).toEqual(expect.arrayContaining(['BYR', 'GGP', 'LTL', 'XAU']))
    const offered = new Set((await ratesOf(kantor, 'EUR')).items.map(({ counter }) => counter))
    expect(['BYR', 'GGP', 'LTL', 'VEF'].filter((code) => offered.has(code))).toEqual([])
  })

  test.each(['EUR', 'USD', 'JPY', 'BTC'])(
    'the rates shown against %s are the recorded ones',
    async (base) => {
      expect(await expectRecordedRates(kantor, recordedFixer(), base)).toBeGreaterThan(140)
    },
  )

  test.each([
    ['EUR', 'PLN', '1000.00'],
    ['EUR', 'USD', '0.05'],
    ['EUR', 'JPY', '9999.99'],
    ['EUR', 'KWD', '123.45'],
    ['EUR', 'CLF', '77.77'],
    ['EUR', 'BTC', '3.21'],
    ['EUR', 'VND', '0.07'],
    ['USD', 'PLN', '1234.56'],
    ['USD', 'EUR', '5000.00'],
    ['USD', 'ISK', '19.99'],
    ['JPY', 'EUR', '499999'],
    ['JPY', 'BTC', '7'],
  ] as const)('a quote of %s in %s for %s is what independent arithmetic says', async (...pair) => {
    await expectIndependentQuote(ania, recordedFixer(), pair)
  })

  test('after a failed poll quotes go on until the age limit, and then only they stop', async () => {
    latest = () => json('{"message":"sorry"}', 500)
    await kantor.setClock('2018-08-24T07:30:00Z')
    expect(await nextPoll(kantor, ownerDb, 'fixer')).toMatchObject({ error: 'http_500', failuresInARow: 1 })
    await expectIndependentQuote(ania, recordedFixer(), ['EUR', 'PLN', '100.00'])

    // The rates are of 06:24:11, and two hours is the limit.
    await kantor.setClock('2018-08-24T08:24:00Z')
    await expectIndependentQuote(ania, recordedFixer(), ['EUR', 'PLN', '100.00'])
    await kantor.setClock('2018-08-24T08:24:13Z')
    const ask = { from: 'EUR', to: 'PLN', fromAmount: '100.00' }
    const { status, body } = await ania.post<Refusal>('/conversion-quotes', ask)
    expect({ status, ...body }).toMatchObject({
      status: 503,
      code: 'rates_stale',
      rateAsOf: recordedFixer().asOf,
    })
    expect(body.ageSeconds).toBeGreaterThan(7_200)
  })

  test('while rates are too old, people send, and see their balances and history', async () => {
    const sending = { to: '@edek', asset: 'EUR', amount: '12.34', note: 'still works' }
    expect((await ania.post('/transfers', sending)).status).toBe(201)
    const history = await edek.get<{ items: unknown[] }>('/operations')
    const received = { note: 'still works', amounts: [{ asset: 'EUR', amount: '12.34' }] }
    expect(history.body.items[0]).toMatchObject(received)
    const wallet = await edek.get<{ stale: string[]; ratesAsOf: string }>('/wallet')
    expect(wallet.status).toBe(200)
    expect(wallet.body.stale).toEqual(expect.arrayContaining(['JPY', 'USD']))
    expect(wallet.body.ratesAsOf).toBe(recordedFixer().asOf)
    expect((await fetch(`${kantor.address}/health/ready`)).status).toBe(200)
  })

  test.each(hasRecordings ? hostileAnswers() : [])(
    'instead of rates, $name: refused as $code, and nothing of it is kept',
    async ({ answer, code }) => {
      const kept = await keptRates(ownerDb)
      latest = answer
      const health = await nextPoll(kantor, ownerDb, 'fixer')
      expect(health.error).toBe(code)
      expect(health.failuresInARow).toBeGreaterThan(0)
      expect(await keptRates(ownerDb)).toEqual(kept)
      await expectRecordedRates(kantor, recordedFixer(), 'EUR')
      const ageSeconds = (health.lastAttemptAt.getTime() - Date.parse(recordedFixer().asOf)) / 1000
      for (const item of (await ratesOf(kantor, 'EUR')).items) {
        expect(item.stale).toBe(true)
        expect(item.ageSeconds).toBeGreaterThanOrEqual(Math.floor(ageSeconds))
      }
    },
  )

  test('the recorded rates once more mend the provider’s health, and newer ones bring the quotes back', async () => {
    latest = recordedBody
    expect(await nextPoll(kantor, ownerDb, 'fixer')).toMatchObject({ failuresInARow: 0 })
    const passed = Math.floor((kantor.now().getTime() - Date.parse(recordedFixer().asOf)) / 1000)
    latest = () => json(laterBy(passed)(recording('fixer/latest.json').toString()))
    const { lastAsOf } = await nextPoll(kantor, ownerDb, 'fixer')
    const asOf = new Date(Date.parse(recordedFixer().asOf) + passed * 1000).toISOString()
    expect(lastAsOf?.toISOString()).toBe(asOf)
    await untilShown(kantor, asOf)
    await expectIndependentQuote(ania, { ...recordedFixer(), asOf }, ['USD', 'PLN', '1234.56'])
  })

  test('in the end the ledger holds, the key was told to nobody else, and nothing is left running', async () => {
    expect(await kantor.run('verify')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('The ledger holds.'),
    })
    const log = await kantor.stop()
    expect(log).toContain('rates not taken')
    expect(log).not.toContain(FIXER_KEY)
    await soon(async () => {
      const { rows } = await ownerDb.query(
        `select application_name from pg_stat_activity
          where datname = current_database() and application_name ^@ 'kantor'`,
      )
      expect(rows).toEqual([])
    })
  })
})
