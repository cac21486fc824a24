import { randomUUID } from 'node:crypto'
import { freezeAsset } from '#ledger'
import { DEFAULT_AGE_LIMITS } from '#market-data'
import type { Customer } from '#test/money-fixture'
import { beforeAll, describe, expect, test } from 'vitest'
import { cents, codesOf, exchangeFixture } from './exchange-fixture.ts'
import { sweepQuotes } from './sweep-quotes.ts'

const fixture = await exchangeFixture()
const { askQuote, available, clock, convert, customer, dealBy, ownerDb, quote, somebody } = fixture

let ewa: Customer
beforeAll(async () => {
  ewa = await customer('ewa', { EUR: '10000.00' })
})

describe('a conversion', () => {
  test('moves both amounts and the fee, each on its own posting, and keeps what explains them', async () => {
    const payer = await somebody({ EUR: '100.00' })
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
    dealBy({ feeBps: 0 })
    const payer = await somebody({ EUR: '1.00' })
    const { body } = await convert(payer, (await quote(payer, 'EUR', 'JPY', '1.00')).id)
    expect(body['fee']).toEqual({ asset: 'EUR', amount: '0.00' })
  })

  test('is refused without the money, and the quote stays usable', async () => {
    const payer = await somebody({ EUR: '99.99' })
    const { id } = await quote(payer, 'EUR', 'PLN', '100')
    expect((await convert(payer, id)).body['code']).toBe('insufficient_funds')
    const { id: never } = await quote(payer, 'USD', 'PLN', '1')
    expect((await convert(payer, never)).body['code']).toBe('insufficient_funds')
    expect([await available(payer, 'EUR'), await available(payer, 'PLN')]).toEqual(['99.99', '0.00'])
  })

  test("at another customer's quote, or none, answers as if there were none", async () => {
    const { id } = await quote(ewa, 'EUR', 'PLN', '1')
    const other = await somebody({ EUR: '1.00' })
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
    const payer = await somebody({ BHD: '1.000' })
    const { id } = await quote(payer, 'BHD', 'EUR', '1')
    await freezeAsset(ownerDb, 48, clock.now())
    expect((await convert(payer, id)).body['code']).toBe('asset_frozen')
    await freezeAsset(ownerDb, 48, null)
  })

  test('with the same key answers the first body byte for byte, even after the quote expired and was cleared away', async () => {
    const { id } = await quote(ewa, 'EUR', 'PLN', '1')
    const first = await convert(ewa, id, 'replayed')
    for (const laterMs of [0, 60_000, 7 * 24 * 3_600_000]) {
      clock.advance(laterMs)
      await sweep()
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
    const payer = await somebody({ EUR: '1000.00' })
    const { id } = await quote(payer, 'EUR', 'PLN', '10')
    const answers = await Promise.all(Array.from({ length: 100 }, () => convert(payer, id)))
    const codes = codesOf(answers)
    expect(codes.filter((code) => code === 'ok')).toHaveLength(1)
    expect(codes.filter((code) => code === 'quote_used')).toHaveLength(99)
    expect(await available(payer, 'EUR')).toBe('990.00')
  })

  test('with one key a hundred times at once happens once, and every answer is the same', async () => {
    const payer = await somebody({ EUR: '1000.00' })
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
      const payer = await somebody({ EUR: '100.00' })
      const { body: there } = await askQuote(payer, { from: 'EUR', to: asset, toAmount: amount })
      expect((await convert(payer, String(there['id']))).status).toBe(201)
      const back = await quote(payer, asset, 'EUR', amount)
      expect((await convert(payer, back.id)).status).toBe(201)
      expect(cents(await available(payer, 'EUR'))).toBeLessThan(10_000n)
    }
  })
})

test('quotes and what was dealt are cleared away a day after the oldest rate that may be dealt at, and not before', async () => {
  const payer = await somebody({ EUR: '10.00' })
  const { id } = await quote(payer, 'EUR', 'PLN', '1')
  await convert(payer, id)
  clock.advance(91_000)
  // Makes what was dealt be counted.
  await quote(payer, 'EUR', 'PLN', '1')
  const kept = async () => {
    const quotes = await ownerDb.query('select from exchange.quotes where id = $1', [id])
    const dealt = await ownerDb.query('select from exchange.exposures where wallet_id = $1', [payer.walletId])
    return [quotes.rowCount, dealt.rowCount]
  }
  clock.advance((DEFAULT_AGE_LIMITS.dailySeconds + 24 * 3_600) * 1_000 - 91_000)
  await sweep()
  expect(await kept()).toEqual([1, 1])
  clock.advance(91_001)
  await sweep()
  expect(await kept()).toEqual([0, 0])
})

function sweep(): Promise<void> {
  return sweepQuotes(fixture.db, clock.now(), DEFAULT_AGE_LIMITS)
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
