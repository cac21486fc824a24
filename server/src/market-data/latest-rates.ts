import { currencyByCode, crossRate, formatRate, rateOf, type Rate } from '@kantor/contract/money'
import type { Queryable } from '#db'
import { ageLimitSeconds, type AgeLimits } from './age-limits.ts'
import { heldValue } from './held-value.ts'
import type { RateProvider } from './providers/rate-provider.ts'
import { newestSnapshotId, newestSnapshots } from './queries.ts'

/** One side of a rate: the stored value it was computed from. EUR has none, being what all are against. */
export interface RateLeg {
  readonly snapshotId: bigint
  readonly code: string
}

/** 1 base = rate counter, exactly, with all that must be said of it. */
export interface KnownRate {
  readonly unknown: false
  readonly rate: Rate
  /** For show: 10 significant digits, rounded half to even. Never computed with. */
  readonly mid: string
  readonly asOf: Date
  readonly fetchedAt: Date
  /** The provider's name; `none` for a currency against itself. */
  readonly source: string
  readonly kind: 'hourly' | 'daily'
  readonly simulated: boolean
  readonly ageSeconds: number
  readonly ageLimitSeconds: number
  /** Older than its limit: fit to be shown with its age, not to deal at. */
  readonly stale: boolean
  /** At most two, always of one snapshot: legs of different moments would make a price that never was. */
  readonly legs: readonly RateLeg[]
}

/** A missing rate is unknown: never 1, never 0. */
export type PairRate = KnownRate | { readonly unknown: true }

/** The latest rates, in memory. Reading it costs no query. */
export interface RateBook {
  rate(base: string, counter: string): PairRate
  /** Whether what is shown comes from the simulated market; before the first rate, whether it will. */
  simulated(): boolean
  /** Looks for something newer at once. `start` does it every second. */
  refresh(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

export interface RateBookDeps {
  readonly db: Queryable
  /** In order of preference. */
  readonly providers: readonly RateProvider[]
  readonly clock: () => Date
  readonly ageLimits: AgeLimits
  readonly log: { warn(fields: object, message: string): void }
  /** How long another process's poll may go unseen. Default 1000. */
  readonly refreshMs?: number
}

interface LatestSnapshot {
  readonly id: bigint
  readonly provider: RateProvider
  readonly asOf: Date
  readonly fetchedAt: Date
  readonly values: ReadonlyMap<string, Rate>
  /** Crosses that were asked for since it was loaded: a list of rates is 170 of them, and each costs a division. */
  readonly crosses: Map<string, { rate: Rate; mid: string }>
}

const ONE = rateOf(1n, 1n)
const MID_DIGITS = 10

/**
 * Each process asks PostgreSQL every second whether there is a newer snapshot (one index look-up, no LISTEN,
 * which a pooler would break) and then reads the newest of each provider. If that fails, the book keeps what
 * it has and ages: rates turn stale by the clock, so an old book cannot pass for a new one.
 */
export function createRateBook(deps: RateBookDeps): RateBook {
  let latest: LatestSnapshot[] = []
  let newestId: bigint | null = null
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> | null = null

  const load = async () => {
    const id = await newestSnapshotId(deps.db)
    if (id === newestId) return
    const names = deps.providers.map(({ name }) => name)
    const held = await newestSnapshots(deps.db, names)
    latest = deps.providers.flatMap((provider) => {
      const snapshot = held.get(provider.name)
      if (snapshot === undefined) return []
      const values = new Map([...snapshot.rates].map(([code, rate]) => [code, heldValue(rate)] as const))
      const { id, asOf, fetchedAt } = snapshot
      return [{ id, provider, asOf, fetchedAt, values: values.set('EUR', ONE), crosses: new Map() }]
    })
    newestId = id
  }
  // One at a time: a slow answer must not overwrite that of a later question.
  const refresh = () => (running ??= load().finally(() => (running = null)))
  const tick = () => {
    refresh()
      .catch((error: unknown) => deps.log.warn({ err: error }, 'the rate book could not be refreshed'))
      .finally(() => {
        if (timer !== null) timer = setTimeout(tick, deps.refreshMs ?? 1000).unref()
      })
  }
  return {
    refresh,
    rate: (base, counter) => findRate(deps, latest, base, counter),
    simulated: () =>
      candidates(latest, 'EUR', 'EUR')[0]?.provider.simulated ?? deps.providers[0]?.simulated ?? false,
    async start() {
      await refresh()
      timer = setTimeout(tick, deps.refreshMs ?? 1000).unref()
    },
    async stop() {
      if (timer !== null) clearTimeout(timer)
      timer = null
      await running?.catch(() => {})
    },
  }
}

/**
 * The first provider of the list whose snapshot has both currencies and is fresh; else the newest of the stale
 * ones, marked so. A pair that no single snapshot has is unknown.
 */
function findRate(
  deps: RateBookDeps,
  latest: readonly LatestSnapshot[],
  base: string,
  counter: string,
): PairRate {
  const now = deps.clock()
  if (base === counter) return itself(base, now, latest)
  const known = candidates(latest, base, counter).flatMap((snapshot) =>
    rateOfPair(deps, snapshot, base, counter, now),
  )
  const fresh = known.find(({ stale }) => !stale)
  const newest = known.toSorted((left, right) => right.asOf.getTime() - left.asOf.getTime())[0]
  return fresh ?? newest ?? { unknown: true }
}

/**
 * Made-up prices never stand in for real ones: once any real provider has given a pair, be it long ago, a
 * stale real rate is shown as stale rather than replaced by a fresh simulated one that somebody could deal at.
 */
function candidates(
  latest: readonly LatestSnapshot[],
  base: string,
  counter: string,
): readonly LatestSnapshot[] {
  const having = latest.filter(({ values }) => values.has(base) && values.has(counter))
  const real = having.filter(({ provider }) => !provider.simulated)
  return real.length > 0 ? real : having
}

function rateOfPair(
  deps: RateBookDeps,
  snapshot: LatestSnapshot,
  base: string,
  counter: string,
  now: Date,
): KnownRate[] {
  const cross = crossOf(snapshot, base, counter)
  if (cross === null) return []
  const { provider, asOf, fetchedAt } = snapshot
  const ageSeconds = Math.max(0, Math.floor((now.getTime() - asOf.getTime()) / 1000))
  const limit = ageLimitSeconds(deps.ageLimits, provider.kind)
  return [
    {
      unknown: false,
      ...cross,
      asOf,
      fetchedAt,
      source: provider.name,
      kind: provider.kind,
      simulated: provider.simulated,
      ageSeconds,
      ageLimitSeconds: limit,
      stale: ageSeconds > limit,
      legs: [base, counter]
        .filter((code) => code !== 'EUR')
        .map((code) => ({ snapshotId: snapshot.id, code })),
    },
  ]
}

function crossOf(
  snapshot: LatestSnapshot,
  base: string,
  counter: string,
): { rate: Rate; mid: string } | null {
  const pair = `${base}/${counter}`
  const known = snapshot.crosses.get(pair)
  if (known !== undefined) return known
  const [baseValue, counterValue] = [snapshot.values.get(base), snapshot.values.get(counter)]
  if (baseValue === undefined || counterValue === undefined) return null
  const rate = crossRate(baseValue, counterValue)
  const cross = { rate, mid: formatRate(rate, MID_DIGITS, 'halfEven') }
  snapshot.crosses.set(pair, cross)
  return cross
}

/** A currency against itself needs no provider, also before the first one has answered, but must be one that we know. */
function itself(code: string, now: Date, latest: readonly LatestSnapshot[]): PairRate {
  const isKnown = currencyByCode(code) !== undefined || latest.some(({ values }) => values.has(code))
  if (!isKnown) return { unknown: true }
  return {
    unknown: false,
    rate: ONE,
    mid: '1',
    asOf: now,
    fetchedAt: now,
    source: 'none',
    kind: 'hourly',
    simulated: false,
    ageSeconds: 0,
    ageLimitSeconds: 0,
    stale: false,
    legs: [],
  }
}
