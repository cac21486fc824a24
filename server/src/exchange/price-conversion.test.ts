import { compareRates, convertDown, INT8_MAX, invertRate, parseRate, rateOf } from '@kantor/contract/money'
import type { Rate } from '@kantor/contract/money'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { priceConversion } from './price-conversion.ts'
import type { FixedSide, Price, PriceTerms } from './price-conversion.ts'

const rate = (text: string): Rate => {
  const result = parseRate(text)
  if (!result.ok) throw new Error(result.reason)
  return result.rate
}
const terms = (mid: string, change: Partial<PriceTerms> = {}): PriceTerms => ({
  fromScale: 2,
  toScale: 2,
  mid: rate(mid),
  marginBps: 50n,
  feeBps: 10n,
  feeMinimumMinor: 0n,
  ...change,
})
const priceOf = (given: PriceTerms, fixed: FixedSide): Price | null => {
  const result = priceConversion(given, fixed)
  return result.ok ? result.price : null
}

describe('a conversion is priced by hand-checked figures', () => {
  it.each([
    // 100.00 EUR at 4.00: fee 0.10; 99.90 · 4.00 · 0.995 = 397.602 → 397.60
    ['fixed payment', terms('4'), { side: 'from', minor: 10_000n }, [10_000n, 10n, 39_760n, '1/5']],
    // 400.00 PLN: net ⌈400 / 3.98⌉ = 100.51 (100.5025…), fee ⌈100.51 · 10/9990⌉ = 0.11; 100.51 · 3.98 = 400.0298
    ['fixed receipt', terms('4'), { side: 'to', minor: 40_000n }, [10_062n, 11n, 40_000n, '149/50']],
    // 10000 JPY to EUR at 0.006: fee 10; 9990 · 0.006 · 0.995 = 59.6403
    [
      'no decimals paid',
      terms('0.006', { fromScale: 0 }),
      { side: 'from', minor: 10_000n },
      [10_000n, 10n, 5_964n, '3/100'],
    ],
    // The least amount of a coarse asset still pays a whole unit of fee, and so nothing is left.
    ['the fee eats it all', terms('0.006', { fromScale: 0 }), { side: 'from', minor: 1n }, null],
    // 1 satoshi costs more than a cent: 0.01 EUR net, 0.01 fee. 0.01 EUR buys 9.95 satoshi of 10 at mid; 8.95 kept.
    [
      'a receipt far below the paid unit',
      terms('0.00001', { toScale: 8 }),
      { side: 'to', minor: 1n },
      [2n, 1n, 1n, '179/20'],
    ],
    ['a receipt that rounds to zero', terms('0.0001'), { side: 'from', minor: 100n }, null],
    [
      'the minimum fee',
      terms('4', { feeMinimumMinor: 25n }),
      { side: 'from', minor: 10_000n },
      [10_000n, 25n, 39_700n, '1/2'],
    ],
    ['no fee', terms('4', { feeBps: 0n }), { side: 'from', minor: 10_000n }, [10_000n, 0n, 39_800n, '0/1']],
  ] as const)('%s', (_, given, fixed, expected) => {
    const price = priceOf(given, fixed)
    const shown =
      price === null
        ? null
        : [
            price.fromMinor,
            price.feeMinor,
            price.toMinor,
            `${price.rounding.numerator}/${price.rounding.denominator}`,
          ]
    expect(shown).toEqual(expected)
  })

  it('an amount past what an account holds is refused, on either side', () => {
    expect(priceConversion(terms('1000000'), { side: 'from', minor: INT8_MAX })).toEqual({
      ok: false,
      reason: 'amount_too_large',
    })
    expect(priceConversion(terms('0.000001'), { side: 'to', minor: INT8_MAX })).toEqual({
      ok: false,
      reason: 'amount_too_large',
    })
    expect(priceConversion(terms('0.9999'), { side: 'to', minor: INT8_MAX - 1n })).toEqual({
      ok: false,
      reason: 'amount_too_large',
    })
  })

  it('a margin of nothing, or of everything, is never priced', () => {
    for (const marginBps of [-1n, 0n, 10_000n]) {
      expect(() => priceConversion(terms('4', { marginBps }), { side: 'from', minor: 100n })).toThrow(
        RangeError,
      )
    }
  })
})

const SEED = Number(process.env['KANTOR_SEED'] ?? Date.now())
const check = (property: fc.IProperty<unknown[]>, numRuns: number) =>
  fc.assert(property, { seed: SEED, numRuns })

const anyScale = fc.integer({ min: 0, max: 9 })
const anyRate = fc
  .tuple(fc.bigInt(1n, 10n ** 12n), fc.bigInt(1n, 10n ** 12n))
  .map(([numerator, denominator]) => rateOf(numerator, denominator))
const anyAmount = fc.oneof(fc.bigInt(1n, 1_000n), fc.bigInt(1n, 10n ** 9n), fc.bigInt(1n, 10n ** 15n))
const anyTerms = fc.record({
  fromScale: anyScale,
  toScale: anyScale,
  mid: anyRate,
  marginBps: fc.oneof(fc.constant(1n), fc.bigInt(1n, 2_000n)),
  feeBps: fc.oneof(fc.constant(0n), fc.bigInt(0n, 500n)),
  feeMinimumMinor: fc.oneof(fc.constant(0n), fc.bigInt(0n, 100n)),
})
const anySide = fc.constantFrom('from' as const, 'to' as const)

describe('the properties of every price', () => {
  it('what is received, exchanged back at once by any side fixed, is less than what was paid', () => {
    const back = (given: PriceTerms): PriceTerms => ({
      ...given,
      fromScale: given.toScale,
      toScale: given.fromScale,
      mid: invertRate(given.mid),
    })
    check(
      fc.property(anyTerms, anySide, anyAmount, anyAmount, (given, side, minor, otherMinor) => {
        const out = priceOf(given, { side, minor })
        if (out === null) return
        const home = priceOf(back(given), { side: 'from', minor: out.toMinor })
        if (home !== null) expect(home.toMinor).toBeLessThan(out.fromMinor)
        // The other way to come home: ask for a round amount, and pay for it with what was received.
        const asked = priceOf(back(given), { side: 'to', minor: otherMinor })
        if (asked !== null && asked.fromMinor <= out.toMinor)
          expect(asked.toMinor).toBeLessThan(out.fromMinor)
        // Asking for all that was paid costs more than what was received.
        const whole = priceOf(back(given), { side: 'to', minor: out.fromMinor })
        if (whole !== null) expect(whole.fromMinor).toBeGreaterThan(out.toMinor)
      }),
      20_000,
    )
  })

  it('no cycle over several assets ends with more than it began with, not even with the least margin and no fee', () => {
    const anyAssets = fc.array(fc.record({ scale: anyScale, perBase: anyRate }), {
      minLength: 2,
      maxLength: 6,
    })
    check(
      fc.property(anyAssets, anyAmount, (assets, minor) => {
        let held = minor
        for (const [index, asset] of assets.entries()) {
          const next = assets[(index + 1) % assets.length] ?? asset
          const mid = rateOf(
            next.perBase.numerator * asset.perBase.denominator,
            next.perBase.denominator * asset.perBase.numerator,
          )
          const given = {
            fromScale: asset.scale,
            toScale: next.scale,
            mid,
            marginBps: 1n,
            feeBps: 0n,
            feeMinimumMinor: 0n,
          }
          const step = priceOf(given, { side: 'from', minor: held })
          if (step === null) return
          held = step.toMinor
        }
        expect(held).toBeLessThan(minor)
      }),
      20_000,
    )
  })

  it('the parts add up: from = net + fee, and net at the rate = to + rounding, exactly', () => {
    check(
      fc.property(anyTerms, anySide, anyAmount, (given, side, minor) => {
        const price = priceOf(given, { side, minor })
        if (price === null) return
        expect(price.fromMinor).toBe(price.netMinor + price.feeMinor)
        expect(side === 'from' ? price.fromMinor : price.toMinor).toBe(minor)
        expect(compareRates(price.rate, given.mid)).toBe(-1)
        const { numerator, denominator } = price.rounding
        const net = price.netMinor * price.rate.numerator * 10n ** BigInt(given.toScale) * denominator
        const shares =
          (price.toMinor * denominator + numerator) * price.rate.denominator * 10n ** BigInt(given.fromScale)
        expect(net).toBe(shares)
        if (side === 'from') expect(numerator).toBeLessThan(denominator)
      }),
      10_000,
    )
  })

  it('a fixed receipt asks for the least net payment, and its total, fixed instead, has the same fee', () => {
    check(
      fc.property(anyTerms, anyAmount, (given, minor) => {
        const price = priceOf(given, { side: 'to', minor })
        if (price === null) return
        const less = convertDown(price.netMinor - 1n, given.fromScale, given.toScale, price.rate)
        expect(less.ok ? less.minor : 0n).toBeLessThan(minor)
        const paid = priceConversion(given, { side: 'from', minor: price.fromMinor })
        if (paid.ok) {
          expect(paid.price.feeMinor).toBe(price.feeMinor)
          expect(paid.price.toMinor).toBeGreaterThanOrEqual(minor)
        } else {
          // One coarse unit paid may be worth more than an account of a fine one can hold.
          expect(paid.reason).toBe('amount_too_large')
        }
      }),
      10_000,
    )
  })
})
