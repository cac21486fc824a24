import type { Database, Tx } from '#db'
import {
  apartBps,
  findJumps,
  readDraft,
  type Jump,
  type Reference,
  type SaneSnapshot,
} from './judge-draft.ts'
import { heldValue } from './held-value.ts'
import { lockProvider, recordFailure, recordHistoryLoaded, recordSuccess } from './provider-queries.ts'
import type { RateProvider, RateSnapshotDraft } from './providers/rate-provider.ts'
import {
  codeSigmas,
  insertPastSnapshots,
  insertQuarantine,
  insertRates,
  insertSnapshot,
  newestSnapshots,
  recordDivergences,
  resolveQuarantine,
  waitingQuarantine,
  type Divergence,
  type HeldSnapshot,
} from './queries.ts'

export interface IngestDeps {
  readonly db: Database
  readonly clock: () => Date
  /** All that are configured, in the operator's order: they vouch for each other. */
  readonly providers: readonly RateProvider[]
}

export type IngestOutcome =
  | { readonly outcome: 'stored'; readonly snapshotId: bigint; readonly divergences: number }
  /** The same snapshot as before: nothing is new, and nothing is wrong. */
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'refused'; readonly reason: string; readonly code: string | null }
  | { readonly outcome: 'quarantined'; readonly jumps: readonly Jump[] }

/**
 * The one door through which rates come in, simulated ones too. One database transaction per draft: either all
 * of it is stored, or nothing of it and a line that says why. The last good snapshot stays what it was.
 */
export function ingestRates(deps: IngestDeps, draft: RateSnapshotDraft): Promise<IngestOutcome> {
  const now = deps.clock()
  const provider = deps.providers.find(({ name }) => name === draft.provider)
  if (provider === undefined) throw new Error(`rates of ${draft.provider}, which is not configured`)
  return deps.db.transaction(async (tx) => {
    await lockProvider(tx, provider.name, provider.configuredAs)
    const held = await newestSnapshots(
      tx,
      deps.providers.map(({ name }) => name),
    )
    const read = readDraft(draft, held.get(provider.name) ?? null, now)
    if (!read.ok) return refuse(tx, provider.name, read, now)
    if (isHeld(read.snapshot, held.get(provider.name))) {
      await resolveQuarantine(tx, provider.name, 'dropped', now)
      await recordSuccess(tx, provider.name, draft.asOf, now)
      return { outcome: 'unchanged' }
    }
    return judge(tx, {
      provider,
      snapshot: read.snapshot,
      held,
      others: comparable(deps, provider, held),
      now,
    })
  })
}

interface Case {
  readonly provider: RateProvider
  readonly snapshot: SaneSnapshot
  readonly held: ReadonlyMap<string, HeldSnapshot>
  /** Snapshots of other providers that may vouch for this one, in the operator's order. */
  readonly others: readonly HeldSnapshot[]
  readonly now: Date
}

/** A reference rate is still worth comparing with over a long weekend. */
const COMPARABLE_HOURS = 96

/** Made-up prices say nothing about real ones, nor real ones about them. */
function comparable(
  deps: IngestDeps,
  provider: RateProvider,
  held: ReadonlyMap<string, HeldSnapshot>,
): HeldSnapshot[] {
  if (provider.simulated) return []
  return deps.providers.flatMap(({ name, simulated }) => {
    const snapshot = name === provider.name || simulated ? undefined : held.get(name)
    const recent = snapshot && hoursBetween(snapshot.asOf, deps.clock()) <= COMPARABLE_HOURS
    return recent ? [snapshot] : []
  })
}

async function judge(tx: Tx, given: Case): Promise<IngestOutcome> {
  const { provider, snapshot, now } = given
  const sigmas = (codes: string[]) => codeSigmas(tx, provider.name, codes, now)
  const jumps = await findJumps(snapshot, references(given), sigmas)
  const believed = jumps.length === 0 || (await agreed(tx, given, jumps, sigmas))
  const stored = { provider: provider.name, asOf: snapshot.asOf, fetchedAt: now, rates: snapshot.rates }
  if (!believed) {
    await quarantine(tx, stored, jumps)
    return { outcome: 'quarantined', jumps }
  }
  await resolveQuarantine(tx, provider.name, jumps.length > 0 ? 'agreed' : 'dropped', now)
  const snapshotId = await insertSnapshot(tx, stored)
  const divergences = await findDivergences(tx, given)
  await recordDivergences(tx, provider.name, divergences, now)
  await recordSuccess(tx, provider.name, snapshot.asOf, now)
  return { outcome: 'stored', snapshotId, divergences: divergences.length }
}

/** What each code is compared with: this provider's last value, or where it has none, another's. */
function references({ provider, held, others }: Case): Map<string, Reference> {
  const found = new Map<string, Reference>()
  const own = held.get(provider.name)
  for (const source of own === undefined ? others : [own, ...others]) {
    for (const [code, rate] of source.rates) {
      if (!found.has(code)) found.set(code, { value: heldValue(rate), asOf: source.asOf })
    }
  }
  return found
}

const AGREE_BPS = 150
/** A daily feed repeats its table all day: an hour later it has had the time to correct it. */
const SECOND_LOOK_HOURS = 55 / 60

/** True when every jump is borne out by another provider, or by a second, independent poll of this one. */
async function agreed(
  tx: Tx,
  given: Case,
  jumps: readonly Jump[],
  sigmas: (codes: string[]) => Promise<ReadonlyMap<string, number>>,
): Promise<boolean> {
  const offered = new Map(given.snapshot.rates.map((rate) => [rate.code, rate.value]))
  const vouchedFor = ({ code }: Jump) =>
    given.others.some((other) => {
      const [value, said] = [offered.get(code), other.rates.get(code)]
      return value !== undefined && said !== undefined && apartBps(value, heldValue(said)) <= AGREE_BPS
    })
  const open = jumps.filter((jump) => !vouchedFor(jump))
  if (open.length === 0) return true
  const waiting = await waitingQuarantine(tx, given.provider.name)
  if (waiting === null) return false
  const independent =
    given.snapshot.asOf > waiting.asOf || hoursBetween(waiting.fetchedAt, given.now) >= SECOND_LOOK_HOURS
  const first = new Map(
    waiting.rates.map((rate) => [rate.code, { value: heldValue(rate), asOf: waiting.asOf }] as const),
  )
  const apart = await findJumps(given.snapshot, first, sigmas)
  const openCodes = new Set(open.map(({ code }) => code))
  const confirmed =
    open.every(({ code }) => first.has(code)) && !apart.some(({ code }) => openCodes.has(code))
  return independent && confirmed
}

async function quarantine(
  tx: Tx,
  snapshot: { provider: string; asOf: Date; fetchedAt: Date; rates: SaneSnapshot['rates'] },
  jumps: readonly Jump[],
): Promise<void> {
  const waiting = await waitingQuarantine(tx, snapshot.provider)
  // The same snapshot served again keeps its first hour, or asking often would put off its second look for ever.
  if (waiting?.asOf.getTime() !== snapshot.asOf.getTime()) {
    await resolveQuarantine(tx, snapshot.provider, 'dropped', snapshot.fetchedAt)
    await insertQuarantine(tx, snapshot, jumps)
  }
  const worst = jumps.toSorted((left, right) => right.moveBps - left.moveBps)[0]
  await recordFailure(tx, snapshot.provider, {
    code: 'jump',
    sentence:
      `${worst?.code} moved by ${((worst?.moveBps ?? 0) / 100).toFixed(1)} % at once` +
      `${jumps.length > 1 ? `, and ${jumps.length - 1} more jumped` : ''}. Kept aside until a second poll or provider agrees.`,
    at: snapshot.fetchedAt,
    counted: 'quarantined',
  })
}

async function refuse(
  tx: Tx,
  provider: string,
  refusal: { reason: string; code: string | null },
  at: Date,
): Promise<IngestOutcome> {
  const about = refusal.code === null ? '' : ` (${refusal.code})`
  const sentence = `The answer was refused: ${refusal.reason.replaceAll('_', ' ')}${about}. The last good rates are kept.`
  await recordFailure(tx, provider, { code: refusal.reason, sentence, at, counted: 'refused' })
  return { outcome: 'refused', reason: refusal.reason, code: refusal.code }
}

/** What two honest feeds may be apart for their spread alone. */
const SPREAD_BPS = 100
const DIVERGENCE_SIGMAS = 5
const SIGMA_ASSUMED_BPS = 20

/** Codes on which another provider says something else than spread and the time between the two explain. */
async function findDivergences(tx: Tx, { provider, snapshot, others, now }: Case): Promise<Divergence[]> {
  const far = others.flatMap((other) =>
    snapshot.rates.flatMap(({ code, value }) => {
      const said = other.rates.get(code)
      const apart = said === undefined ? 0 : apartBps(heldValue(said), value)
      return apart > SPREAD_BPS ? [{ code, other, apart }] : []
    }),
  )
  if (far.length === 0) return []
  const sigmas = await codeSigmas(tx, provider.name, [...new Set(far.map(({ code }) => code))], now)
  return far.flatMap(({ code, other, apart }) => {
    const hours = hoursBetween(other.asOf, snapshot.asOf)
    const limitBps =
      SPREAD_BPS + DIVERGENCE_SIGMAS * (sigmas.get(code) ?? SIGMA_ASSUMED_BPS) * Math.sqrt(hours)
    return apart > limitBps ? [{ code, otherProvider: other.provider, apartBps: apart, limitBps }] : []
  })
}

/**
 * Stores a provider's past, all of it or nothing: only what is older than its newest judged snapshot, and not
 * held yet. The same rules of sanity hold, but for jumps: the past has no second poll to wait for.
 */
export function ingestHistory(
  deps: IngestDeps,
  provider: RateProvider,
  drafts: readonly RateSnapshotDraft[],
): Promise<{ stored: number }> {
  const now = deps.clock()
  return deps.db.transaction(async (tx) => {
    await lockProvider(tx, provider.name, provider.configuredAs)
    await recordHistoryLoaded(tx, provider.name, now)
    const snapshots: SaneSnapshot[] = []
    for (const draft of drafts) {
      const read = readDraft(draft, null, now)
      if (!read.ok) {
        await refuse(tx, provider.name, read, now)
        return { stored: 0 }
      }
      snapshots.push(read.snapshot)
    }
    return { stored: await storePast(tx, provider.name, snapshots, now) }
  })
}

const RATES_PER_STATEMENT = 20_000

async function storePast(tx: Tx, provider: string, snapshots: SaneSnapshot[], now: Date): Promise<number> {
  const moments = [...new Set(snapshots.map(({ asOf }) => asOf.getTime()))].map((time) => new Date(time))
  const ids = await insertPastSnapshots(tx, provider, moments, now)
  const stored = new Set<number>()
  let rates: Parameters<typeof insertRates>[1][number][] = []
  for (const { asOf, rates: ofSnapshot } of snapshots) {
    const id = ids.get(asOf.getTime())
    if (id === undefined || stored.has(asOf.getTime())) continue
    stored.add(asOf.getTime())
    rates.push(...ofSnapshot.map(({ code, rate, per }) => ({ snapshotId: id, code, rate, per })))
    if (rates.length >= RATES_PER_STATEMENT) {
      await insertRates(tx, rates)
      rates = []
    }
  }
  await insertRates(tx, rates)
  return stored.size
}

function isHeld(snapshot: SaneSnapshot, held: HeldSnapshot | undefined): boolean {
  if (held === undefined || held.asOf.getTime() !== snapshot.asOf.getTime()) return false
  return (
    held.rates.size === snapshot.rates.length &&
    snapshot.rates.every(({ code, value }) => {
      const rate = held.rates.get(code)
      const known = rate === undefined ? undefined : heldValue(rate)
      return known?.numerator === value.numerator && known.denominator === value.denominator
    })
  )
}

function hoursBetween(first: Date, second: Date): number {
  return Math.abs(second.getTime() - first.getTime()) / 3_600_000
}
