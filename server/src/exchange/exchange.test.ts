import { randomUUID } from 'node:crypto'
import { formatAmount, parseAmount } from '@kantor/contract/money'
import { freezeAsset } from '#ledger'
import { createVolatility } from '#market-data'
import { moneyFixture } from '#test/money-fixture'
import type { Answer, Customer } from '#test/money-fixture'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { exchangeRoutes } from './routes.ts'
import { DEFAULT_EXCHANGE_SETTINGS } from './settings.ts'
import type { ExchangeSettings } from './settings.ts'
import { sweepQuotes } from './sweep-quotes.ts'

const fixture = await moneyFixture()
const { ask, available, clock, customer, ownerDb } = fixture
const RATES = { USD: '1.0811', PLN: '4.2719', JPY: '158.77', BTC: '0.00001234', BHD: '0.40761' }

const serve = (change: Partial<ExchangeSettings> = {}) =>
  fixture.serve(
    exchangeRoutes({
      ...fixture,
      clock: clock.now,
      newId: randomUUID,
      volatility: createVolatility({ ...fixture, clock: clock.now }),
      settings: { ...DEFAULT_EXCHANGE_SETTINGS, ...change },
    }),
  )

interface Quote {
  id: string
  from: { asset: string; amount: string }
  to: { asset: string; amount: string }
  fee: { asset: string; amount: string }
  rate: string
  mid: string
}

const askQuote = (of: Customer, body: Record<string, unknown>) =>
  ask(of, 'POST', '/conversion-quotes', { body })
const quote = async (of: Customer, from: string, to: string, fromAmount: string): Promise<Quote> => {
  const { status, body } = await askQuote(of, { from, to, fromAmount })
  if (status !== 201) throw new Error(`no quote: ${JSON.stringify(body)}`)
  return body as unknown as Quote
}
const convert = (of: Customer, quoteId: string, key: string = randomUUID()) =>
  ask(of, 'POST', '/conversions', { body: { quoteId }, key })
const codesOf = (answers: Answer[]) =>
  answers.map(({ status, body }) => (status === 201 ? 'ok' : body['code']))
const nameless = () => `c${randomUUID().replaceAll('-', '').slice(0, 16)}`

let ewa: Customer
beforeAll(async () => {
  ewa = await customer('ewa', { EUR: '10000.00', JPY: '1000', BHD: '100.000' })
})
beforeEach(async () => {
  serve()
  // Each test deals at its own version of the rates, so that exposure of the others does not count.
  clock.advance(61_000)
  await fixture.publishRates(RATES)
})

describe('a conversion quote', () => {
  test('with the payment fixed says both amounts, rate, mid, margin, fee and until when', async () => {
    const { status, body } = await askQuote(ewa, { from: 'EUR', to: 'PLN', fromAmount: '100' })
    expect(status).toBe(201)
    // fee 0.10; 99.90 · 4.2719 · 0.996 = 425.0557…
    expect(body).toEqual({
      id: expect.any(String),
      from: { asset: 'EUR', amount: '100.00' },
      to: { asset: 'PLN', amount: '425.05' },
      rate: '4.254812400',
      mid: '4.271900000',
      marginBps: 40,
      fee: { asset: 'EUR', amount: '0.10' },
      rateAsOf: clock.now().toISOString(),
      source: 'test',
      expiresAt: new Date(clock.now().getTime() + 30_000).toISOString(),
    })
  })

  test('with the receipt fixed asks for the least that pays for it', async () => {
    const { body } = await askQuote(ewa, { from: 'EUR', to: 'PLN', toAmount: '425.05' })
    // ⌈425.05 / 4.2548124⌉ = 99.90 (99.8986…); fee ⌈99.90 · 10/9990⌉ = 0.10
    expect(body).toMatchObject({
      from: { asset: 'EUR', amount: '100.00' },
      to: { asset: 'PLN', amount: '425.05' },
      fee: { asset: 'EUR', amount: '0.10' },
    })
  })

  test('goes over the cross rate of two stored ones, exactly', async () => {
    const { mid } = await quote(ewa, 'JPY', 'BHD', '1000')
    // 0.40761 / 158.77 = 0.002567298607…
    expect(mid).toBe('0.002567298608')
  })

  test('costs more on a weekend and with the age of its rate', async () => {
    clock.set('2026-01-17T12:00:00.000Z')
    await fixture.publishRates(RATES)
    clock.advance(3_600_000)
    const { body } = await askQuote(ewa, { from: 'EUR', to: 'PLN', fromAmount: '100' })
    // 40 + 50 + σ of an hour, which is assumed to be 30 where there is no history.
    expect(body['marginBps']).toBe(120)
    clock.set('2026-01-19T12:00:00.000Z')
    await fixture.publishRates(RATES)
  })

  test('takes the pair and the fee from the settings, the least fee in euro cents at mid, rounded up', async () => {
    serve({ feeMinimumMinor: 100n, feeBps: 0, pairs: { 'JPY/EUR': { baseBps: 7 } } })
    const { body } = await askQuote(ewa, { from: 'JPY', to: 'EUR', fromAmount: '1000' })
    expect(body).toMatchObject({ marginBps: 7, fee: { asset: 'JPY', amount: '159' } })
  })

  test.each<[string, Record<string, unknown>, number, string, string?]>([
    ['of an unknown asset', { from: 'XXX' }, 422, 'unknown_asset', 'from'],
    ['into an unknown asset', { to: 'XXX' }, 422, 'unknown_asset', 'to'],
    ['into the same asset', { to: 'EUR' }, 422, 'same_asset'],
    ['of a pair without a rate', { to: 'ISK' }, 422, 'rate_unknown'],
    ['of zero', { fromAmount: '0' }, 422, 'amount_not_positive', 'fromAmount'],
    ['of too many digits', { fromAmount: '1.001' }, 400, 'invalid_request', 'fromAmount'],
    ['of what the fee eats up', { fromAmount: '0.01' }, 422, 'amount_too_small'],
    ['of what rounds down to zero', { from: 'PLN', to: 'BHD', fromAmount: '0.02' }, 422, 'amount_too_small'],
    ['of more than is dealt in at all', { fromAmount: '2500000.01' }, 422, 'exposure_limit'],
    [
      'of more than an account holds',
      { fromAmount: '99999999999999999.00' },
      422,
      'amount_too_large',
      'fromAmount',
    ],
    [
      'of what would be received and not fit',
      { to: 'JPY', fromAmount: '92233720368547758.07' },
      422,
      'amount_too_large',
    ],
    ['without an amount', { fromAmount: undefined }, 400, 'invalid_request', 'fromAmount'],
    ['with both amounts', { toAmount: '1' }, 400, 'invalid_request', 'fromAmount'],
    ['with an unknown field', { rate: '5' }, 400, 'invalid_request', 'rate'],
  ])('%s is refused', async (_, change, status, code, path) => {
    const answer = await askQuote(ewa, { from: 'EUR', to: 'PLN', fromAmount: '1.00', ...change })
    expect([answer.status, answer.body['code']]).toEqual([status, code])
    if (path !== undefined) expect(answer.body['errors']).toMatchObject([{ path }])
  })

  test('of a frozen asset is refused', async () => {
    const swedish = { from: 'EUR', to: 'SEK', fromAmount: '1.00' }
    await freezeAsset(ownerDb, 752, clock.now())
    clock.advance(1_000)
    await fixture.publishRates({ ...RATES, SEK: '11.1' })
    expect((await askQuote(ewa, swedish)).body['code']).toBe('asset_frozen')
    await freezeAsset(ownerDb, 752, null)
    clock.advance(10_000)
    expect((await askQuote(ewa, swedish)).status).toBe(201)
  })

  test('at a stale rate is refused with its age', async () => {
    clock.advance(7_201_000)
    const { status, body } = await askQuote(ewa, { from: 'EUR', to: 'PLN', fromAmount: '1.00' })
    expect([status, body['code'], body['ageSeconds']]).toEqual([503, 'rates_stale', 7_201])
  })

  test('whose margin for age would pass the most is refused as stale', async () => {
    serve({ marginBpsMax: 60 })
    clock.advance(3_600_000)
    const { body } = await askQuote(ewa, { from: 'EUR', to: 'PLN', fromAmount: '1.00' })
    expect([body['code'], body['ageSeconds']]).toEqual(['rates_stale', 3_600])
  })
})

describe('a conversion', () => {
  test('moves both amounts and the fee, each on its own posting, and keeps what explains them', async () => {
    const payer = await customer(nameless(), { EUR: '100.00' })
    const house = async () => [
      await available('conversion', 'EUR'),
      await available('conversion', 'PLN'),
      await available('fees', 'EUR'),
    ]
    const before = await house()
    const offered = await quote(payer, 'EUR', 'PLN', '100')
    const { status, body } = await convert(payer, offered.id)
    expect(status).toBe(201)
    expect(body).toEqual({
      id: expect.any(String),
      kind: 'conversion',
      status: 'posted',
      from: { asset: 'EUR', amount: '100.00' },
      to: { asset: 'PLN', amount: '425.05' },
      fee: { asset: 'EUR', amount: '0.10' },
      rate: '4.254812400',
      at: clock.now().toISOString(),
    })
    expect([await available(payer, 'EUR'), await available(payer, 'PLN')]).toEqual(['0.00', '425.05'])
    const after = await house()
    const change = after.map((text, index) => cents(text) - cents(before[index] ?? '0'))
    expect(change).toEqual([9_990n, -42_505n, 10n])
    await expectDetail(payer, offered.id)
  })

  test('without a fee has two postings and says a fee of zero', async () => {
    serve({ feeBps: 0 })
    const payer = await customer(nameless(), { EUR: '1.00' })
    const { body } = await convert(payer, (await quote(payer, 'EUR', 'JPY', '1.00')).id)
    expect(body['fee']).toEqual({ asset: 'EUR', amount: '0.00' })
  })

  test('is refused without the money, and the quote stays usable', async () => {
    const payer = await customer(nameless(), { EUR: '99.99' })
    const { id } = await quote(payer, 'EUR', 'PLN', '100')
    expect((await convert(payer, id)).body['code']).toBe('insufficient_funds')
    const { id: never } = await quote(payer, 'USD', 'PLN', '1')
    expect((await convert(payer, never)).body['code']).toBe('insufficient_funds')
    expect([await available(payer, 'EUR'), await available(payer, 'PLN')]).toEqual(['99.99', '0.00'])
  })

  test("at another customer's quote, or none, answers as if there were none", async () => {
    const { id } = await quote(ewa, 'EUR', 'PLN', '1')
    const other = await customer(nameless(), { EUR: '1.00' })
    expect(await convert(other, id)).toMatchObject({ status: 404, body: { code: 'not_found' } })
    expect(await convert(other, randomUUID())).toMatchObject({ status: 404, body: { code: 'not_found' } })
    expect((await convert(ewa, id)).status).toBe(201)
  })

  test.each([
    ['up to its last millisecond', 30_000, 'ok'],
    ['and not a millisecond later', 30_001, 'quote_expired'],
  ])('can be made %s', async (_, afterMs, expected) => {
    const { id } = await quote(ewa, 'EUR', 'PLN', '1')
    clock.advance(afterMs)
    expect(codesOf([await convert(ewa, id)])).toEqual([expected])
  })

  test('of an asset frozen after the quote is refused', async () => {
    const payer = await customer(nameless(), { BHD: '1.000' })
    const { id } = await quote(payer, 'BHD', 'EUR', '1')
    await freezeAsset(ownerDb, 48, clock.now())
    expect((await convert(payer, id)).body['code']).toBe('asset_frozen')
    await freezeAsset(ownerDb, 48, null)
  })

  test('with the same key answers the first body byte for byte, even after the quote expired and was cleared away', async () => {
    const { id } = await quote(ewa, 'EUR', 'PLN', '1')
    const first = await convert(ewa, id, 'replayed')
    for (const laterMs of [0, 60_000, 2 * 24 * 3_600_000]) {
      clock.advance(laterMs)
      await sweepQuotes(fixture.db, clock.now())
      const again = await convert(ewa, id, 'replayed')
      expect(again.text).toBe(first.text)
      expect(again.headers['idempotency-replayed']).toBe('true')
    }
    expect((await convert(ewa, id)).body['code']).toBe('not_found')
    expect((await convert(ewa, randomUUID(), 'replayed')).body['code']).toBe('idempotency_key_reused')
  })

  test('with another key says that the quote was used', async () => {
    const { id } = await quote(ewa, 'EUR', 'PLN', '1')
    const answers = [await convert(ewa, id, 'use-1'), await convert(ewa, id, 'use-2')]
    expect(codesOf(answers)).toEqual(['ok', 'quote_used'])
    const other = await quote(ewa, 'EUR', 'PLN', '1')
    expect((await convert(ewa, other.id, 'use-1')).body['code']).toBe('idempotency_key_reused')
  })

  test('of one quote a hundred times at once happens once', async () => {
    const payer = await customer(nameless(), { EUR: '1000.00' })
    const { id } = await quote(payer, 'EUR', 'PLN', '10')
    const answers = await Promise.all(Array.from({ length: 100 }, () => convert(payer, id)))
    const codes = codesOf(answers)
    expect(codes.filter((code) => code === 'ok')).toHaveLength(1)
    expect(codes.filter((code) => code === 'quote_used')).toHaveLength(99)
    expect(await available(payer, 'EUR')).toBe('990.00')
  })

  test('with one key a hundred times at once happens once, and every answer is the same', async () => {
    const payer = await customer(nameless(), { EUR: '1000.00' })
    const { id } = await quote(payer, 'EUR', 'PLN', '10')
    const answers = await Promise.all(Array.from({ length: 100 }, () => convert(payer, id, 'race')))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(await available(payer, 'EUR')).toBe('990.00')
  })

  test('there and back, whichever sides are fixed, leaves less than there was', async () => {
    for (const [asset, amount] of [
      ['PLN', '10.00'],
      ['JPY', '100'],
      ['BTC', '0.00010000'],
      ['BHD', '0.010'],
    ] as const) {
      const payer = await customer(nameless(), { EUR: '100.00' })
      const { body: there } = await askQuote(payer, { from: 'EUR', to: asset, toAmount: amount })
      expect((await convert(payer, String(there['id']))).status).toBe(201)
      const back = await quote(payer, asset, 'EUR', amount)
      expect((await convert(payer, back.id)).status).toBe(201)
      expect(cents(await available(payer, 'EUR'))).toBeLessThan(10_000n)
    }
  })
})

describe('what the house risks is bounded', () => {
  test('by live quotes: used and expired ones make room again', async () => {
    serve({ liveQuotesMax: 3 })
    const asker = await customer(nameless(), { EUR: '100.00' })
    const first = await quote(asker, 'EUR', 'PLN', '1')
    await quote(asker, 'EUR', 'JPY', '1')
    clock.advance(10_000)
    await quote(asker, 'PLN', 'EUR', '1')
    const { status, body, headers } = await askQuote(asker, { from: 'EUR', to: 'PLN', fromAmount: '1' })
    expect([status, body['code'], headers['retry-after']]).toEqual([429, 'too_many_quotes', '20'])
    await convert(asker, first.id)
    await quote(asker, 'EUR', 'PLN', '1')
    clock.advance(20_001)
    await quote(asker, 'EUR', 'PLN', '1')
  })

  test('by live quotes, asked for a hundred at once', async () => {
    serve({ liveQuotesMax: 5 })
    const asker = await customer(nameless())
    const pairs = ['PLN', 'JPY', 'USD', 'BHD']
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        askQuote(asker, { from: 'EUR', to: pairs[index % 4], fromAmount: '1' }),
      ),
    )
    expect(codesOf(answers).filter((code) => code === 'ok')).toHaveLength(5)
    expect(new Set(codesOf(answers))).toEqual(new Set(['ok', 'too_many_quotes']))
  })

  test('by customer: open and used quotes count, lapsed ones do not, the other way and a new rate start afresh', async () => {
    serve({ exposureCustomerMinor: 10_000n })
    const dealer = await customer(nameless(), { EUR: '1000.00' })
    const used = await quote(dealer, 'EUR', 'PLN', '60')
    await convert(dealer, used.id)
    const lapsing = await quote(dealer, 'EUR', 'PLN', '40')
    expect(codesOf([await askQuote(dealer, { from: 'EUR', to: 'PLN', fromAmount: '1' })])).toEqual([
      'exposure_limit',
    ])
    expect(Number(lapsing.from.amount)).toBe(40)
    await quote(dealer, 'PLN', 'EUR', '400')
    await quote(dealer, 'EUR', 'JPY', '100')
    await quote(ewa, 'EUR', 'PLN', '100')

    clock.advance(91_000)
    await quote(dealer, 'EUR', 'PLN', '40')
    expect(codesOf([await askQuote(dealer, { from: 'EUR', to: 'PLN', fromAmount: '1' })])).toEqual([
      'exposure_limit',
    ])
    expect(await dealt(dealer)).toEqual([{ dealt_minor: '5994' }])

    await fixture.publishRates(RATES)
    await quote(dealer, 'EUR', 'PLN', '100')
  })

  test('overall: a hundred customers at once cannot pass the cap together', async () => {
    serve({ exposureOverallMinor: 10_000n, feeBps: 0 })
    const dealers = await Promise.all(Array.from({ length: 20 }, () => customer(nameless())))
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        askQuote(dealers[index % 20] ?? ewa, { from: 'EUR', to: 'PLN', fromAmount: '9' }),
      ),
    )
    expect(codesOf(answers).filter((code) => code === 'ok')).toHaveLength(11)
    expect(new Set(codesOf(answers))).toEqual(new Set(['ok', 'exposure_limit']))
  })

  test('counted in euro cents at mid, rounded up, whatever is paid', async () => {
    serve({ exposureCustomerMinor: 101n, feeBps: 0 })
    const dealer = await customer(nameless())
    // 160 JPY / 158.77 = 1.0077… EUR, which is 101 cents; 161 JPY are 102.
    expect(codesOf([await askQuote(dealer, { from: 'JPY', to: 'PLN', fromAmount: '161' })])).toEqual([
      'exposure_limit',
    ])
    await quote(dealer, 'JPY', 'PLN', '160')
  })
})

test('the database itself refuses a quote at mid or better', async () => {
  const { id } = await quote(ewa, 'EUR', 'PLN', '100')
  const better = `update exchange.quotes set to_minor = 42677 where id = $1`
  await expect(ownerDb.query(better, [id])).rejects.toThrow('quotes_below_mid')
  await ownerDb.query(`update exchange.quotes set to_minor = 42676 where id = $1`, [id])
})

test('old quotes are cleared away a day after they expired, and not before', async () => {
  const { id } = await quote(ewa, 'EUR', 'PLN', '1')
  const isKept = async () =>
    (await ownerDb.query('select from exchange.quotes where id = $1', [id])).rowCount === 1
  clock.advance(24 * 3_600_000)
  await sweepQuotes(fixture.db, clock.now())
  expect(await isKept()).toBe(true)
  clock.advance(30_001)
  await sweepQuotes(fixture.db, clock.now())
  expect(await isKept()).toBe(false)
})

function cents(text: string): bigint {
  const parsed = parseAmount(text.replace('-', ''), 2)
  if (!parsed.ok) throw new Error(`${text} is not an amount`)
  expect(formatAmount(parsed.minor, 2)).toBe(text.replace('-', ''))
  return text.startsWith('-') ? -parsed.minor : parsed.minor
}

async function dealt(by: Customer) {
  const { rows } = await ownerDb.query(`select dealt_minor from exchange.exposures where wallet_id = $1`, [
    by.walletId,
  ])
  return rows
}

/** What history reads: see README.md. */
async function expectDetail(of: Customer, quoteId: string): Promise<void> {
  const { rows } = await ownerDb.query<{ detail: unknown; consumes: string }>(
    `select detail, consumes from ledger.journals where scope = $1 and kind = 4`,
    [of.walletId],
  )
  const snapshots = await ownerDb.query<{ id: bigint }>(
    'select max(id) as id from market_data.rate_snapshots',
  )
  expect(rows).toEqual([
    {
      consumes: `quote:${quoteId}`,
      detail: {
        quoteId,
        rate: '4.254812400',
        mid: '4.271900000',
        midRatio: { numerator: '42719', denominator: '10000' },
        marginBps: 40,
        baseBps: 40,
        weekendBps: 0,
        ageBps: 0,
        feeMinor: '10',
        rateSource: 'test',
        rateAsOf: clock.now().toISOString(),
        rateSnapshots: [`${snapshots.rows[0]?.id}`],
        // 9990 · 42719/10000 · 9960/10000 − 42505 = 0.575876
        rounding: { numerator: '143969', denominator: '250000' },
        quotedAt: clock.now().toISOString(),
      },
    },
  ])
}
