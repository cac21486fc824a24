import type { Customer } from '#test/money-fixture'
import { describe, expect, test } from 'vitest'
import { codesOf, exchangeFixture, RATES } from './exchange-fixture.ts'

const fixture = await exchangeFixture()
const { askQuote, clock, convert, dealBy, ownerDb, quote, somebody } = fixture

/** Makes each insert of a quote take a while, so that whoever may count before it is in has counted. */
async function whileInsertsDawdle<T>(work: () => Promise<T>): Promise<T> {
  await ownerDb.query(`create function exchange.dawdle() returns trigger language plpgsql as
    $$ begin perform pg_sleep(0.2); return new; end $$`)
  await ownerDb.query(`create trigger dawdle before insert on exchange.quotes
    for each row execute function exchange.dawdle()`)
  try {
    return await work()
  } finally {
    await ownerDb.query('drop function exchange.dawdle cascade')
  }
}

describe('what the house risks is bounded', () => {
  test('by live quotes: used and expired ones make room again', async () => {
    dealBy({ liveQuotesMax: 3 })
    const asker = await somebody({ EUR: '100.00' })
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

  test('by live quotes, asked for at once for every pair there is', async () => {
    dealBy({ liveQuotesMax: 1 })
    const asker = await somebody()
    const codes = ['EUR', ...Object.keys(RATES)]
    const pairs = codes.flatMap((from) => codes.filter((to) => to !== from).map((to) => ({ from, to })))
    const answers = await whileInsertsDawdle(() =>
      Promise.all(pairs.map((pair) => askQuote(asker, { ...pair, fromAmount: '10' }))),
    )
    expect(codesOf(answers).filter((code) => code === 'ok')).toHaveLength(1)
    expect(new Set(codesOf(answers))).toEqual(new Set(['ok', 'too_many_quotes']))
  })

  test('by customer: open and used quotes count, lapsed ones do not, the other way and a new rate start afresh', async () => {
    dealBy({ exposureCustomerMinor: 10_000n })
    const dealer = await somebody({ EUR: '1000.00' })
    const used = await quote(dealer, 'EUR', 'PLN', '60')
    await convert(dealer, used.id)
    const lapsing = await quote(dealer, 'EUR', 'PLN', '40')
    expect(codesOf([await askQuote(dealer, { from: 'EUR', to: 'PLN', fromAmount: '1' })])).toEqual([
      'exposure_limit',
    ])
    expect(Number(lapsing.from.amount)).toBe(40)
    await quote(dealer, 'PLN', 'EUR', '400')
    await quote(dealer, 'EUR', 'JPY', '100')
    await quote(await somebody(), 'EUR', 'PLN', '100')

    clock.advance(91_000)
    await quote(dealer, 'EUR', 'PLN', '40')
    expect(codesOf([await askQuote(dealer, { from: 'EUR', to: 'PLN', fromAmount: '1' })])).toEqual([
      'exposure_limit',
    ])
    expect(await dealt(dealer)).toEqual([{ dealt_minor: '5994' }])

    await fixture.publishRates(RATES)
    await quote(dealer, 'EUR', 'PLN', '100')
  })

  test('overall: fifty customers at once cannot pass the cap together', async () => {
    dealBy({ exposureOverallMinor: 1_000n, feeBps: 0 })
    const dealers = await Promise.all(Array.from({ length: 50 }, () => somebody()))
    const answers = await whileInsertsDawdle(() =>
      Promise.all(dealers.map((dealer) => askQuote(dealer, { from: 'EUR', to: 'PLN', fromAmount: '9' }))),
    )
    expect(codesOf(answers).filter((code) => code === 'ok')).toHaveLength(1)
    expect(new Set(codesOf(answers))).toEqual(new Set(['ok', 'exposure_limit']))
  })

  test('overall: what others dealt at this rate counts on after their quotes are settled', async () => {
    dealBy({ exposureOverallMinor: 10_000n, feeBps: 0 })
    const first = await somebody({ EUR: '100.00' })
    const second = await somebody()
    await convert(first, (await quote(first, 'EUR', 'PLN', '60')).id)
    for (let times = 0; times < 2; times += 1) {
      clock.advance(91_000)
      const answers = [
        await askQuote(second, { from: 'EUR', to: 'PLN', fromAmount: '40.01' }),
        await askQuote(second, { from: 'EUR', to: 'PLN', fromAmount: '40' }),
      ]
      expect(codesOf(answers)).toEqual(['exposure_limit', 'ok'])
    }
  })

  test('counted in euro cents at mid, rounded up, whatever is paid', async () => {
    dealBy({ exposureCustomerMinor: 101n, feeBps: 0 })
    const dealer = await somebody()
    // 160 JPY / 158.77 = 1.0077… EUR, which is 101 cents; 161 JPY are 102.
    expect(codesOf([await askQuote(dealer, { from: 'JPY', to: 'PLN', fromAmount: '161' })])).toEqual([
      'exposure_limit',
    ])
    await quote(dealer, 'JPY', 'PLN', '160')
  })
})

async function dealt(by: Customer) {
  const { rows } = await ownerDb.query(`select dealt_minor from exchange.exposures where wallet_id = $1`, [
    by.walletId,
  ])
  return rows
}
