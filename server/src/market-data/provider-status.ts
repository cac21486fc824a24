import type { Queryable } from '#db'
import { ageLimitSeconds, type AgeLimits } from './age-limits.ts'
import type { Jump } from './judge-draft.ts'
import { pacedSeconds } from './plan-poll.ts'
import { providerRecords, type ProviderRecord, type Quota } from './provider-queries.ts'
import type { RateProvider } from './providers/rate-provider.ts'

/** How one provider is doing, as the back office shows it. */
export interface ProviderStatus {
  readonly name: string
  readonly kind: 'hourly' | 'daily'
  readonly simulated: boolean
  readonly lastSuccessAt: Date | null
  readonly lastAsOf: Date | null
  /** Of the prices held, since the moment they are of. */
  readonly ageSeconds: number | null
  readonly stale: boolean
  readonly nextPollAt: Date | null
  readonly intervalSeconds: number
  /** The last thing that went wrong, though it may be over: compare `at` with `lastSuccessAt`. */
  readonly error: ProviderRecord['error']
  readonly failuresInARow: number
  readonly counts: ProviderRecord['counts']
  readonly quota: Quota | null
  /** The state in one sentence, for people. */
  readonly sentence: string
}

/** All configured providers in the operator's order, also those that were never asked. */
export async function providerStatuses(
  q: Queryable,
  deps: {
    readonly providers: readonly RateProvider[]
    readonly clock: () => Date
    readonly ageLimits: AgeLimits
  },
): Promise<ProviderStatus[]> {
  const records = await providerRecords(q)
  const now = deps.clock()
  return deps.providers.map((provider) => {
    const record = records.get(provider.name)
    const intervalSeconds = pacedSeconds(provider.intervalSeconds, record?.quota ?? null, now)
    const ageSeconds =
      record?.lastAsOf == null
        ? null
        : Math.max(0, Math.floor((now.getTime() - record.lastAsOf.getTime()) / 1000))
    return {
      name: provider.name,
      kind: provider.kind,
      simulated: provider.simulated,
      lastSuccessAt: record?.lastSuccessAt ?? null,
      lastAsOf: record?.lastAsOf ?? null,
      ageSeconds,
      stale: ageSeconds === null || ageSeconds > ageLimitSeconds(deps.ageLimits, provider.kind),
      nextPollAt: record?.nextPollAt ?? null,
      intervalSeconds,
      error: record?.error ?? null,
      failuresInARow: record?.failuresInARow ?? 0,
      counts: record?.counts ?? { polls: 0n, failed: 0n, refused: 0n, quarantined: 0n },
      quota: record?.quota ?? null,
      sentence: sentenceOf(provider, record, intervalSeconds),
    }
  })
}

/** A currency on which two providers disagree by more than spread and time explain. */
export interface DivergenceAlarm {
  readonly code: string
  readonly provider: string
  readonly otherProvider: string
  readonly apartBps: number
  readonly limitBps: number
  readonly times: bigint
  readonly lastAt: Date
}

/** A snapshot that jumped too far and waits for something to agree with it. */
export interface WaitingSnapshot {
  readonly provider: string
  readonly asOf: Date
  readonly fetchedAt: Date
  readonly jumps: readonly Jump[]
}

const ALARMS_MAX = 200

/** What an operator should look at: the newest disagreements, and all that is kept aside. */
export async function marketAlarms(
  q: Queryable,
): Promise<{ divergences: DivergenceAlarm[]; waiting: WaitingSnapshot[] }> {
  const divergences = await q.query<DivergenceAlarm>(
    `select code, provider, other_provider as "otherProvider", apart_bps as "apartBps", limit_bps as "limitBps",
            times, last_at as "lastAt"
       from market_data.divergences order by last_at desc limit $1`,
    [ALARMS_MAX],
  )
  const waiting = await q.query<WaitingSnapshot>(
    `select provider, as_of as "asOf", fetched_at as "fetchedAt", jumps
       from market_data.quarantine where outcome = 'waiting' order by provider`,
  )
  return { divergences: divergences.rows, waiting: waiting.rows }
}

function sentenceOf(
  provider: RateProvider,
  record: ProviderRecord | undefined,
  intervalSeconds: number,
): string {
  if (record === undefined) return 'Not asked yet.'
  const { quota, error } = record
  const trouble = record.failuresInARow > 0 && error !== null ? ` ${error.sentence}` : ''
  const every = `Asked every ${spell(intervalSeconds)}`
  if (quota === null) return `${every}.${trouble}`
  const until = quota.resetsAt.toISOString().slice(0, 10)
  if (quota.remaining === 0) {
    return `The month's ${quota.limit} requests are spent; tried once a day until ${until}. Other providers fill the gap.${trouble}`
  }
  const budget = `${quota.remaining} of ${quota.limit} requests are left until ${until}`
  return intervalSeconds > provider.intervalSeconds
    ? `${every} instead of every ${spell(provider.intervalSeconds)}, so that the month's quota lasts: ${budget}. Other providers fill the gaps.${trouble}`
    : `${every}; ${budget}.${trouble}`
}

function spell(seconds: number): string {
  const minutes = Math.round(seconds / 60)
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60]
  if (hours === 0) return `${rest} min`
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`
}
