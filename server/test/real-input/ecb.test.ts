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
import { signUp, type Person, type Refusal } from './person.ts'
import { judgedPoll, keptRates, nextPoll } from './polls.ts'
import { ecbAnswers, serveProvider, type Answer, type ProviderServer } from './provider-server.ts'
import { hasRecordings, recordedEcb, recording } from './recordings.ts'

// The European Central Bank's file of Wednesday 7 January 2015, beside its history of 2019: from the future, then.

describe.skipIf(!hasRecordings)('recorded ECB', async () => {
  const { ownerDb, url } = await testDatabase()
  let daily: () => Answer = () => ({ body: recording('ecb/eurofxref-daily.xml') })
  let provider: ProviderServer
  let kantor: KantorAt
  let ania: Person

  beforeAll(async () => {
    provider = await serveProvider(ecbAnswers(() => daily()))
    const ecb = { RATES_PROVIDERS: 'ecb', ECB_URL: `${provider.url}/stats/eurofxref` }
    kantor = await startKantorAt('2015-01-07T16:00:00Z', { ...settingsFor(url), ...ecb })
    await judgedPoll(ownerDb, 'ecb', new Date(0))
    await untilShown(kantor, recordedEcb().asOf)
    ania = await signUp(kantor.address, 'ania', 'PLN')
  })
  afterAll(async () => {
    await kantor?.stop()
    await provider?.close()
  })

  test('the job asks for both files once; a history from the future is refused as a whole', async () => {
    const files = ['/stats/eurofxref/eurofxref-daily.xml', '/stats/eurofxref/eurofxref-hist-90d.xml']
    await soon(async () => {
      expect(provider.asked.map(({ path }) => path)).toEqual(files)
      expect(await judgedPoll(ownerDb, 'ecb', new Date(0))).toMatchObject({ error: 'future_dated' })
    })
    expect(await keptRates(ownerDb)).toHaveLength(recordedEcb().rates.size - 1)
  })

  test.each(['EUR', 'USD', 'JPY'])('the rates shown against %s are the recorded ones', async (base) => {
    expect(await expectRecordedRates(kantor, recordedEcb(), base)).toBeGreaterThan(25)
  })

  test.each([
    ['EUR', 'PLN', '1000.00'],
    ['EUR', 'JPY', '0.03'],
    ['USD', 'GBP', '4999.99'],
    ['JPY', 'USD', '12345'],
  ] as const)('a quote of %s in %s for %s is what independent arithmetic says', async (...pair) => {
    await expectIndependentQuote(ania, recordedEcb(), pair)
  })

  test('a currency that the bank does not quote is unknown, not made up', async () => {
    const ask = { from: 'EUR', to: 'AED', fromAmount: '100.00' }
    const { status, body } = await ania.post<Refusal>('/conversion-quotes', ask)
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'rate_unknown' })
    expect((await ratesOf(kantor, 'EUR')).unknown).toEqual(expect.arrayContaining(['AED', 'UAH', 'BTC']))
  })

  test.each([
    ['a page', () => ({ status: 200, body: '<html><body>Maintenance<br></body></html>' }), 'not_xml'],
    ['half a file', () => ({ body: recording('ecb/eurofxref-daily.xml').subarray(0, 800) }), 'not_xml'],
    ['a failure', () => ({ status: 503, body: 'busy' }), 'http_503'],
    ['a missing file', () => ({ status: 404, body: 'gone' }), 'http_404'],
  ] as const)(
    'instead of rates, %s: nothing is kept, and reference rates are dealt at until the limit',
    async (_, answer, code) => {
      const kept = await keptRates(ownerDb)
      daily = answer
      expect(await nextPoll(kantor, ownerDb, 'ecb')).toMatchObject({ error: code })
      expect(await keptRates(ownerDb)).toEqual(kept)
      await expectIndependentQuote(ania, recordedEcb(), ['EUR', 'PLN', '100.00'])
    },
  )

  test('rates of a working day are dealt at over a long weekend, and not beyond', async () => {
    await kantor.setClock('2015-01-12T19:14:00Z')
    await expectIndependentQuote(ania, recordedEcb(), ['EUR', 'PLN', '100.00'])
    await kantor.setClock('2015-01-12T19:15:02Z')
    const ask = { from: 'EUR', to: 'PLN', fromAmount: '100.00' }
    const { status, body } = await ania.post<Refusal>('/conversion-quotes', ask)
    expect({ status, ...body }).toMatchObject({
      status: 503,
      code: 'rates_stale',
      rateAsOf: recordedEcb().asOf,
    })
  })
})
