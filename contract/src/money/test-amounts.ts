import * as fc from 'fast-check'
import type { Rate } from './rate.ts'
import { rateOf } from './rate.ts'

/** What the property tests draw from: biased to the edges where money is lost. */

const INT8_GREATEST = 9_223_372_036_854_775_807n

const POWERS = [...Array(19).keys()].map((power) => 10n ** BigInt(power))
const EDGES = [0n, 1n, 2n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 62n, INT8_GREATEST, ...POWERS]
  .flatMap((edge) => [edge - 1n, edge, edge + 1n])
  .filter((edge) => edge >= 0n && edge <= INT8_GREATEST)

export const scales = fc.integer({ min: 0, max: 9 })

/** 0 to the greatest int8, a third of them at an edge, a third of everyday size. */
export const amounts: fc.Arbitrary<bigint> = fc.oneof(
  fc.constantFrom(...EDGES),
  fc.bigInt({ min: 0n, max: 100_000n }),
  fc.bigInt({ min: 0n, max: INT8_GREATEST }),
)

export const positiveAmounts = amounts.filter((amount) => amount > 0n)

/** Positive exact rates: parity, powers of ten and their neighbours, everyday decimals, odd ratios. */
export const rates: fc.Arbitrary<Rate> = fc.oneof(
  fc.constant(rateOf(1n, 1n)),
  fc
    .tuple(fc.constantFrom(...POWERS), fc.constantFrom(-1n, 0n, 1n), fc.boolean())
    .filter(([power, step]) => power + step > 0n)
    .map(([power, step, turned]) => (turned ? rateOf(power, power + step) : rateOf(power + step, 1n))),
  fc.bigInt({ min: 1n, max: 10n ** 12n }).map((digits) => rateOf(digits, 1_000_000n)),
  fc
    .tuple(fc.bigInt({ min: 1n, max: 10n ** 18n }), fc.bigInt({ min: 1n, max: 10n ** 18n }))
    .map(([numerator, denominator]) => rateOf(numerator, denominator)),
)
