import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testDatabase } from '#test/harness'
import {
  expectIndependentQuote,
  expectRecordedRates,
  ratesOf,
  settingsFor,
  soon,
  untilShown,
} from './expectations.ts'
import { startKantorAt, type KantorAt } from './kantor-at.ts'
import { signUp, type Refusal } from './person.ts'
import { judgedPoll, keptRates } from './polls.ts'
import { FIXER_KEY, fixerAnswers, json, serveProvider, type ProviderServer } from './provider-server.ts'
import { hasRecordings, recordedFixer, recording } from './recordings.ts'

// Fixer's new host, which wants the key in a header and says no with a real status.

describe.skipIf(!hasRecordings)('recorded Fixer behind its gateway', async () => {
  const { ownerDb, url } = await testDatabase()
  let provider: ProviderServer
  let kantor: KantorAt | null = null
  const startWith = async (key: string, moment: string) => {
    const fixer = { FIXER_API_KEY: key, FIXER_URL: `${provider.url}/fixer`, RATES_PROVIDERS: 'fixer' }
    kantor = await startKantorAt(moment, { ...settingsFor(url), ...fixer })
    return kantor
  }

  beforeAll(async () => {
    provider = await serveProvider(fixerAnswers(() => json(recording('fixer/latest.json'))))
  })
  afterAll(async () => {
    await kantor?.stop()
    await provider?.close()
  })

  test('a wrong key is said to the operator; nothing is stored, and no rate is made up', async () => {
    const kantor = await startWith('another-key', '2018-08-24T06:30:00Z')
    const health = await judgedPoll(ownerDb, 'fixer', new Date(0))
    expect(health).toMatchObject({ error: 'http_401', lastSuccessAt: null })
    expect(await keptRates(ownerDb)).toEqual([])
    const { items, unknown } = await ratesOf(kantor, 'EUR')
    expect(items).toEqual([])
    expect(unknown).toContain('PLN')
    const ola = await signUp(kantor.address, 'ola', 'EUR')
    const ask = { from: 'EUR', to: 'PLN', fromAmount: '100.00' }
    const { status, body } = await ola.post<Refusal>('/conversion-quotes', ask)
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'rate_unknown' })
    const wallet = await ola.get<{ unknown: string[]; worth: string }>('/wallet')
    expect(wallet.body).toMatchObject({ worth: '10000.00', unknown: ['JPY', 'USD'] })
    expect(await kantor.stop()).not.toContain('another-key')
  })

  test('with the right key in its header the recorded rates are dealt at, at once', async () => {
    const before = await judgedPoll(ownerDb, 'fixer', new Date(0))
    const kantor = await startWith(FIXER_KEY, '2018-08-24T06:32:00Z')
    expect(await judgedPoll(ownerDb, 'fixer', before.lastAttemptAt)).toMatchObject({ error: null })
    const requests = [
      ['/fixer/latest', 'another-key'],
      ['/fixer/latest', FIXER_KEY],
      ['/fixer/timeseries', FIXER_KEY],
    ]
    await soon(() =>
      expect(provider.asked.map(({ path, apiKeyHeader }) => [path, apiKeyHeader])).toEqual(requests),
    )
    expect(provider.asked.some(({ query }) => 'access_key' in query)).toBe(false)
    await untilShown(kantor, recordedFixer().asOf)
    expect(await expectRecordedRates(kantor, recordedFixer(), 'PLN')).toBeGreaterThan(140)
    const iga = await signUp(kantor.address, 'iga', 'EUR')
    await expectIndependentQuote(iga, recordedFixer(), ['USD', 'PLN', '1234.56'])
    expect(await kantor.stop()).not.toContain(FIXER_KEY)
  })
})
