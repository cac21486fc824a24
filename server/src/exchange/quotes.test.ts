import { freezeAsset } from '#ledger'
import type { Customer } from '#test/money-fixture'
import { beforeAll, describe, expect, test } from 'vitest'
import { exchangeFixture, RATES } from './exchange-fixture.ts'

const fixture = await exchangeFixture()
const { askQuote, clock, customer, dealBy, ownerDb, quote } = fixture

let ewa: Customer
beforeAll(async () => {
  ewa = await customer('ewa')
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
      quotedAt: clock.now().toISOString(),
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
    dealBy({ feeMinimumMinor: 100n, feeBps: 0, pairs: { 'JPY/EUR': { baseBps: 7 } } })
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
    dealBy({ marginBpsMax: 60 })
    clock.advance(3_600_000)
    const { body } = await askQuote(ewa, { from: 'EUR', to: 'PLN', fromAmount: '1.00' })
    expect([body['code'], body['ageSeconds']]).toEqual(['rates_stale', 3_600])
  })
})

test('the database itself refuses a quote at mid or better', async () => {
  const { id } = await quote(ewa, 'EUR', 'PLN', '100')
  const better = `update exchange.quotes set to_minor = 42677 where id = $1`
  await expect(ownerDb.query(better, [id])).rejects.toThrow('quotes_below_mid')
  await ownerDb.query(`update exchange.quotes set to_minor = 42676 where id = $1`, [id])
})
