import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ConvertResult } from './convert.ts'
import { convertDown, costUp, worthDown } from './convert.ts'
import type { Rate } from './rate.ts'
import { applyBps, crossRate, invertRate, parseRate, rateOf } from './rate.ts'
import { divideHalfEven } from './rounding.ts'
import { amounts, positiveAmounts, rates, scales } from './test-amounts.ts'
import { isLess, longDivision, product, sum, tenTo } from './test-oracle.ts'

const GREATEST = 9_223_372_036_854_775_807n

function rateFrom(text: string): Rate {
  const read = parseRate(text)
  if (!read.ok) throw new Error(`${text} is no rate`)
  return read.rate
}

function minorOf(result: ConvertResult): bigint {
  return result.ok ? result.minor : 0n
}

describe('convertDown', () => {
  test.each([
    // amount, from, to, rate, received, what rounding kept
    ['100.00 EUR → PLN', 10_000n, 2, 2, '4.2512', 42_512n, '0/1'],
    ['0.01 EUR → PLN', 1n, 2, 2, '4.2512', 4n, '157/625'],
    ['10.00 EUR → JPY', 1_000n, 2, 0, '128.867736', 1_288n, '8467/12500'],
    ['1 JPY → EUR', 1n, 0, 2, '0.0078', 0n, ''],
    ['1000 JPY → BHD', 1_000n, 0, 3, '0.0025', 2_500n, '0/1'],
    ['1.00 EUR → BTC', 100n, 2, 8, '1.78e-4', 17_800n, '0/1'],
    ['0.00000001 BTC → EUR', 1n, 8, 2, '50000', 0n, ''],
    ['1.000000001 shares → USD', 1_000_000_001n, 9, 2, '150.50', 15_050n, '301/20000000'],
    ['nothing', 0n, 2, 2, '1', 0n, ''],
    ['all there is, at parity', GREATEST, 2, 2, '1', GREATEST, '0/1'],
  ])('%s', (_name, amount, from, to, rate, received, kept) => {
    const result = convertDown(amount, from, to, rateFrom(rate))
    if (received === 0n) expect(result).toEqual({ ok: false, reason: 'zero' })
    else {
      const [numerator, denominator] = kept.split('/').map(BigInt)
      expect(result).toEqual({ ok: true, minor: received, remainder: { numerator, denominator } })
    }
  })

  test('refuses what no account could hold, and not one unit less', () => {
    expect(convertDown(GREATEST, 0, 1, rateOf(1n, 1n))).toEqual({ ok: false, reason: 'too_large' })
    expect(convertDown(GREATEST, 2, 2, rateOf(GREATEST, GREATEST - 1n))).toEqual({
      ok: false,
      reason: 'too_large',
    })
    expect(convertDown(1n, 0, 0, rateOf(GREATEST, 1n)).ok).toBe(true)
    expect(convertDown(1n, 0, 0, rateOf(GREATEST + 1n, 1n))).toEqual({ ok: false, reason: 'too_large' })
  })

  test('agrees with long division by hand, remainder included', () => {
    fc.assert(
      fc.property(amounts, scales, scales, rates, (amount, from, to, rate) => {
        const dividend = product(product(amount.toString(), rate.numerator.toString()), tenTo(to))
        const divisor = product(rate.denominator.toString(), tenTo(from))
        const { quotient, rest } = longDivision(dividend, divisor)
        const result = convertDown(amount, from, to, rate)
        if (quotient === '0') expect(result).toEqual({ ok: false, reason: 'zero' })
        else if (isLess(GREATEST.toString(), quotient))
          expect(result).toEqual({ ok: false, reason: 'too_large' })
        else {
          if (!result.ok) throw new Error(result.reason)
          expect(result.minor.toString()).toBe(quotient)
          const { numerator, denominator } = result.remainder
          expect(product(numerator.toString(), divisor)).toBe(product(denominator.toString(), rest))
          expect(isLess(numerator.toString(), denominator.toString())).toBe(true)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('costUp', () => {
  test.each([
    // received, scale paid, scale received, rate paid→received, cost, what rounding kept
    ['42.52 PLN from EUR', 4_252n, 2, 2, '4.2512', 1_001n, '2157/2657'],
    ['1 JPY from EUR', 1n, 2, 0, '128.867736', 1n, '3608467/16108467'],
    ['0.00000001 BTC from EUR', 1n, 2, 8, '1.78e-4', 1n, '177/178'],
    ['exactly', 42_512n, 2, 2, '4.2512', 10_000n, '0/1'],
  ])('%s', (_name, received, from, to, rate, cost, kept) => {
    const [numerator, denominator] = kept.split('/').map(BigInt)
    expect(costUp(received, from, to, rateFrom(rate))).toEqual({
      ok: true,
      minor: cost,
      remainder: { numerator, denominator },
    })
  })

  test('a receipt of nothing is refused, and so is a cost that no account could hold', () => {
    expect(costUp(0n, 2, 2, rateOf(1n, 1n))).toEqual({ ok: false, reason: 'zero' })
    expect(costUp(GREATEST, 1, 0, rateOf(1n, 1n))).toEqual({ ok: false, reason: 'too_large' })
  })

  test('agrees with long division by hand, remainder included', () => {
    fc.assert(
      fc.property(positiveAmounts, scales, scales, rates, (received, from, to, rate) => {
        const dividend = product(product(received.toString(), rate.denominator.toString()), tenTo(from))
        const divisor = product(rate.numerator.toString(), tenTo(to))
        const { quotient, rest } = longDivision(dividend, divisor)
        const cost = rest === '0' ? quotient : sum(quotient, '1')
        const result = costUp(received, from, to, rate)
        if (isLess(GREATEST.toString(), cost)) expect(result).toEqual({ ok: false, reason: 'too_large' })
        else {
          if (!result.ok) throw new Error(result.reason)
          expect(result.minor.toString()).toBe(cost)
          const { numerator, denominator } = result.remainder
          // cost − kept = exact, multiplied out: kept·divisor + dividend = cost·divisor.
          const keptTimesDivisor = longDivision(
            product(numerator.toString(), divisor),
            denominator.toString(),
          )
          expect(keptTimesDivisor.rest).toBe('0')
          expect(sum(keptTimesDivisor.quotient, dividend)).toBe(product(cost, divisor))
          expect(isLess(numerator.toString(), denominator.toString())).toBe(true)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('pays for at least what was asked, and one unit less would not', () => {
    fc.assert(
      fc.property(positiveAmounts, scales, scales, rates, (received, from, to, rate) => {
        const cost = costUp(received, from, to, rate)
        fc.pre(cost.ok)
        const got = convertDown(minorOf(cost), from, to, rate)
        expect(got.ok ? got.minor >= received : got.reason === 'too_large').toBe(true)
        const less = convertDown(minorOf(cost) - 1n, from, to, rate)
        expect(less.ok ? less.minor < received : less.reason === 'zero').toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  test('what an amount buys never costs more than that amount', () => {
    fc.assert(
      fc.property(positiveAmounts, scales, scales, rates, (amount, from, to, rate) => {
        const received = convertDown(amount, from, to, rate)
        fc.pre(received.ok)
        const cost = costUp(minorOf(received), from, to, rate)
        expect(cost.ok && cost.minor <= amount).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('worthDown', () => {
  test.each([
    [10_000n, 2, 2, '4.2512', 42_512n],
    [1n, 8, 2, '50000', 0n],
    [0n, 2, 2, '4', 0n],
    [-1n, 8, 2, '50000', -1n],
    [-10_000n, 2, 0, '1.5', -150n],
  ])('of %s (scale %i → %i at %s) is %s', (amount, from, to, rate, worth) => {
    expect(worthDown(amount, from, to, rateFrom(rate))).toBe(worth)
  })
})

test.each([-1, 19, 0.5])('a scale of %d is a broken caller', (scale) => {
  for (const convert of [convertDown, costUp, worthDown]) {
    expect(() => convert(1n, scale, 2, rateOf(1n, 1n))).toThrow(RangeError)
    expect(() => convert(1n, 2, scale, rateOf(1n, 1n))).toThrow(RangeError)
  }
})

test('a negative amount is a broken caller', () => {
  expect(() => convertDown(-1n, 2, 2, rateOf(1n, 1n))).toThrow(RangeError)
  expect(() => costUp(-1n, 2, 2, rateOf(1n, 1n))).toThrow(RangeError)
})

interface Leg {
  readonly scale: number
  readonly baseTo: Rate
}

const legs: fc.Arbitrary<Leg[]> = fc.array(fc.record({ scale: scales, baseTo: rates }), {
  minLength: 2,
  maxLength: 6,
})

describe('nobody can profit from rounding', () => {
  test('no cycle over 2 to 6 assets of scales 0 to 9 returns more than it took, at zero spread', () => {
    let completed = 0
    fc.assert(
      fc.property(positiveAmounts, legs, (start, cycle) => {
        let amount = start
        for (const [at, from] of cycle.entries()) {
          const to = cycle[(at + 1) % cycle.length] ?? from
          const received = convertDown(amount, from.scale, to.scale, crossRate(from.baseTo, to.baseTo))
          if (!received.ok) return
          amount = received.minor
        }
        completed += 1
        expect(amount <= start).toBe(true)
      }),
      { numRuns: 10_000 },
    )
    // A generator that made every cycle stop half-way would prove nothing.
    expect(completed).toBeGreaterThan(1_000)
  })

  test('no mix of selling amounts and buying fixed receipts makes a wallet worth more at mid, leg by leg', () => {
    const moves = fc.array(
      fc.record({
        from: fc.nat(),
        to: fc.nat(),
        buys: fc.boolean(),
        share: fc.bigInt({ min: 1n, max: 100n }),
      }),
      { minLength: 1, maxLength: 12 },
    )
    fc.assert(
      fc.property(positiveAmounts, legs, moves, fc.constantFrom(0n, 1n, 50n), (start, assets, plan, bps) => {
        const holdings = assets.map((_, at) => (at === 0 ? start : 0n))
        for (const { from, to, buys, share } of plan) {
          const [source, target] = [from % assets.length, to % assets.length]
          const [paid, received] = [assets[source], assets[target]]
          const held = holdings[source] ?? 0n
          if (paid === undefined || received === undefined || source === target || held === 0n) continue
          const rate = applyBps(crossRate(paid.baseTo, received.baseTo), bps, 'down')
          const trade = tradeOf(held, share, buys, paid.scale, received.scale, rate)
          // An account holds no more than an int8: the ledger refuses what would overflow it.
          if (trade === null || (holdings[target] ?? 0n) + trade.gets > GREATEST) continue
          const worthGiven = worthInBase(trade.gives, paid)
          const worthGotten = worthInBase(trade.gets, received)
          expect(
            worthGotten.numerator * worthGiven.denominator <= worthGiven.numerator * worthGotten.denominator,
          ).toBe(true)
          holdings[source] = held - trade.gives
          holdings[target] = (holdings[target] ?? 0n) + trade.gets
        }
      }),
      { numRuns: 4_000 },
    )
  })

  test('the same round trips rounded half to even do profit, so these tests can fail', () => {
    const counts = { trips: 0, halfEven: 0, ours: 0 }
    for (const text of ['0.3', '0.7', '1.3', '1.45', '3.7', '4.2512', '128.867736']) {
      const [rate, back] = [rateFrom(text), invertRate(rateFrom(text))]
      for (let amount = 1n; amount <= 200n; amount += 1n) {
        counts.trips += 1
        const there = divideHalfEven(amount * rate.numerator, rate.denominator)
        if (divideHalfEven(there * back.numerator, back.denominator) > amount) counts.halfEven += 1
        const received = convertDown(amount, 2, 2, rate)
        if (minorOf(convertDown(minorOf(received), 2, 2, back)) > amount) counts.ours += 1
      }
    }
    expect(counts.halfEven).toBeGreaterThan(50)
    expect(counts.ours).toBe(0)
  })
})

/** Sells a share of what is held, or buys the fixed receipt that this share would give and pays its cost. */
function tradeOf(
  held: bigint,
  share: bigint,
  buys: boolean,
  paidScale: number,
  receivedScale: number,
  rate: Rate,
): { gives: bigint; gets: bigint } | null {
  const offered = (held * share) / 100n
  const received = convertDown(offered, paidScale, receivedScale, rate)
  if (!received.ok) return null
  if (!buys) return { gives: offered, gets: received.minor }
  const cost = costUp(received.minor, paidScale, receivedScale, rate)
  if (!cost.ok || cost.minor > held) throw new Error('a receipt within reach was refused')
  return { gives: cost.minor, gets: received.minor }
}

/** Exact worth in major units of the base: minor ÷ 10^scale ÷ (base→asset). */
function worthInBase(minor: bigint, { scale, baseTo }: Leg): { numerator: bigint; denominator: bigint } {
  return { numerator: minor * baseTo.denominator, denominator: 10n ** BigInt(scale) * baseTo.numerator }
}
