import type { Rate } from '@kantor/contract/api'
import type { KnownRate } from './latest-rates.ts'

/** A rate as lists show it. */
export function presentRate(counter: string, rate: KnownRate): Rate {
  const { mid, asOf, fetchedAt, source, ageSeconds, stale } = rate
  return {
    counter,
    mid,
    asOf: asOf.toISOString(),
    fetchedAt: fetchedAt.toISOString(),
    source,
    ageSeconds,
    stale,
  }
}
