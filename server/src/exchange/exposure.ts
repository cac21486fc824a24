import { currencyByCode, worthDown } from '@kantor/contract/money'
import type { Tx } from '#db'
import type { KnownRate, RateBook } from '#market-data'
import { addDealt, lockPairs, readPairExposure, settleQuotes } from './queries.ts'
import type { DealtPair } from './queries.ts'
import type { ExchangeSettings } from './settings.ts'

/** What fees and exposure are counted in: the base of all stored rates, so that one leg less can be missing. */
export const REFERENCE = 'EUR'
export const REFERENCE_SCALE = currencyByCode(REFERENCE)?.scale ?? 2

/**
 * How long after its expiry a quote may still turn out to be used: a posting that was judged in time may commit
 * later, but not after the database's statement and lock time-outs have passed.
 */
export const SETTLE_AFTER_SECONDS = 60

/** Which snapshot a rate is of, whichever way round it is read. */
export function rateVersionOf({ legs }: Pick<KnownRate, 'legs'>): string {
  return [...new Set(legs.map(({ snapshotId }) => `${snapshotId}`))].join('+')
}

/** In euro cents at mid, rounded up, so that no number of small amounts slips below the caps; null: unknown. */
export function exposureOf(
  rates: RateBook,
  from: { readonly code: string; readonly scale: number },
  minor: bigint,
): bigint | null {
  const rate = rates.rate(from.code, REFERENCE)
  return rate.unknown ? null : -worthDown(-minor, from.scale, REFERENCE_SCALE, rate.rate)
}

/** A pair with a customer that may convert it. */
export interface Converter extends DealtPair {
  readonly walletId: bigint
}

/** What may still be converted within the caps, while the pairs are locked by a tx. */
export interface ConversionRoom {
  /** @returns false, and takes nothing, where it is more than there is room for */
  take(converter: Converter, exposureMinor: bigint): boolean
  /** Counts what was taken, in the same tx as its postings. */
  store(tx: Tx): Promise<void>
}

const NOTHING_CONVERTS: ConversionRoom = { take: () => false, store: () => Promise.resolve() }

/**
 * For conversions that no quote was offered for, such as those within a trade: they count in the same caps. Locks the
 * pairs until the tx ends, after the accounts and the caller's rows; quotes of those pairs wait meanwhile.
 */
export async function lockConversionRoom(
  tx: Tx,
  converters: readonly Converter[],
  settings: Pick<ExchangeSettings, 'exposureCustomerMinor' | 'exposureOverallMinor'>,
  now: Date,
): Promise<ConversionRoom> {
  if (converters.length === 0) return NOTHING_CONVERTS
  const pairs = [...new Map(converters.map((one) => [keyOf(one), one])).values()]
  await lockPairs(tx, pairs)
  const left = new Map<string, bigint>()
  for (const pair of pairs) {
    await settleQuotes(tx, pair, new Date(now.getTime() - SETTLE_AFTER_SECONDS * 1_000), now)
    const walletIds = converters.filter((one) => keyOf(one) === keyOf(pair)).map(({ walletId }) => walletId)
    const held = await readPairExposure(tx, pair, walletIds)
    left.set(keyOf(pair), settings.exposureOverallMinor - held.overall)
    for (const walletId of walletIds)
      left.set(
        ownKeyOf({ ...pair, walletId }),
        settings.exposureCustomerMinor - (held.own.get(walletId) ?? 0n),
      )
  }
  return roomOf(left, now)
}

function roomOf(left: Map<string, bigint>, now: Date): ConversionRoom {
  const taken: { readonly converter: Converter; readonly minor: bigint }[] = []
  return {
    take: (converter, exposureMinor) => {
      const [all, own] = [left.get(keyOf(converter)), left.get(ownKeyOf(converter))]
      if (all === undefined || own === undefined) throw new Error('a pair is converted that was not locked')
      if (exposureMinor > all || exposureMinor > own) return false
      left.set(keyOf(converter), all - exposureMinor)
      left.set(ownKeyOf(converter), own - exposureMinor)
      taken.push({ converter, minor: exposureMinor })
      return true
    },
    store: async (tx) => {
      for (const { converter, minor } of taken) await addDealt(tx, converter, minor, now)
    },
  }
}

const keyOf = ({ fromAssetId, toAssetId, rateVersion }: DealtPair): string =>
  `${fromAssetId}/${toAssetId}/${rateVersion}`
const ownKeyOf = (converter: Converter): string => `${keyOf(converter)} ${converter.walletId}`
