import { divideDown, divideUp } from './rounding.ts'

/**
 * A fee of so many basis points (1/10000) of an amount, in the amount's minor units, rounded up: for the
 * house. Any positive amount at any positive rate costs at least one minor unit.
 * @throws RangeError for a negative amount or bps
 */
export function feeUp(amountMinor: bigint, bps: bigint): bigint {
  requireNotNegative(amountMinor, bps)
  return divideUp(amountMinor * bps, 10_000n)
}

/**
 * So many basis points of an amount, rounded down: for what is taken from the house's side or withheld from a
 * customer (a tax withheld, a rebate), where the remainder stays with the amount's owner.
 * @throws RangeError for a negative amount or bps
 */
export function bpsDown(amountMinor: bigint, bps: bigint): bigint {
  requireNotNegative(amountMinor, bps)
  return divideDown(amountMinor * bps, 10_000n)
}

function requireNotNegative(amountMinor: bigint, bps: bigint): void {
  if (amountMinor < 0n || bps < 0n) throw new RangeError('a share in basis points takes amounts and bps ≥ 0')
}
