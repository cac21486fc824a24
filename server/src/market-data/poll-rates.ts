import { ingestHistory, ingestRates, type IngestDeps, type IngestOutcome } from './ingest-rates.ts'
import { learnQuota, pacedSeconds, planAfterFailure, planPoll } from './plan-poll.ts'
import { lockProvider, recordAttempt, recordFailure, recordPlan } from './provider-queries.ts'
import {
  ProviderError,
  type QuotaNews,
  type RateProvider,
  type RateSnapshotDraft,
} from './providers/rate-provider.ts'

export interface PollDeps extends IngestDeps {
  readonly log: PollLog
}

export interface PollLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export type PollOutcome =
  | IngestOutcome
  /** Not due yet, or the month's budget is spent. */
  | { readonly outcome: 'waiting'; readonly nextPollAt: Date }
  | { readonly outcome: 'failed'; readonly code: string; readonly sentence: string }

/**
 * Asks every provider that is due, in the operator's order. Who is due is decided in the database, so running
 * it twice or in two processes at once asks nobody twice. One provider's failure does not touch the next.
 */
export async function pollRates(deps: PollDeps, signal: AbortSignal): Promise<Map<string, PollOutcome>> {
  const outcomes = new Map<string, PollOutcome>()
  for (const provider of deps.providers) {
    if (signal.aborted) break
    const outcome = await pollProvider(deps, provider, signal)
    outcomes.set(provider.name, outcome)
    if (outcome.outcome === 'stored') deps.log.info({ provider: provider.name }, 'rates stored')
    if (['failed', 'refused', 'quarantined'].includes(outcome.outcome)) {
      deps.log.warn({ provider: provider.name, ...outcome }, 'rates not taken')
    }
  }
  return outcomes
}

async function pollProvider(
  deps: PollDeps,
  provider: RateProvider,
  signal: AbortSignal,
): Promise<PollOutcome> {
  const claim = await claimPoll(deps, provider)
  if (!claim.due) return { outcome: 'waiting', nextPollAt: claim.nextPollAt }
  let draft: RateSnapshotDraft
  try {
    draft = await provider.latest(signal)
  } catch (error) {
    return failed(deps, provider, error)
  }
  await learn(deps, provider, draft.quota)
  const outcome = await ingestRates(deps, draft)
  if (outcome.outcome === 'stored' || outcome.outcome === 'unchanged') {
    await loadHistoryOnce(deps, provider, signal)
  }
  return outcome
}

/** Takes the right to ask, and one request off the budget, under the provider's lock. */
function claimPoll(deps: PollDeps, provider: RateProvider): Promise<{ due: boolean; nextPollAt: Date }> {
  const now = deps.clock()
  return deps.db.transaction(async (tx) => {
    const record = await lockProvider(tx, provider.name, provider.configuredAs)
    const plan = planPoll(record, provider, now)
    if (plan.due) await recordAttempt(tx, provider.name, { ...plan, at: now })
    return plan
  })
}

async function learn(deps: PollDeps, provider: RateProvider, news: QuotaNews | undefined): Promise<void> {
  if (news === undefined) return
  const now = deps.clock()
  await deps.db.transaction(async (tx) => {
    const record = await lockProvider(tx, provider.name, provider.configuredAs)
    const quota = learnQuota(record.quota, news)
    const seconds = pacedSeconds(provider.intervalSeconds, quota, now)
    await recordPlan(tx, provider.name, { nextPollAt: new Date(now.getTime() + seconds * 1000), quota })
  })
}

async function failed(deps: PollDeps, provider: RateProvider, error: unknown): Promise<PollOutcome> {
  // Anything else is our own mistake: it fails the job, loudly, and is not put down to the provider.
  if (!(error instanceof ProviderError)) throw error
  const now = deps.clock()
  await deps.db.transaction(async (tx) => {
    const record = await lockProvider(tx, provider.name, provider.configuredAs)
    const state = { ...record, quota: learnQuota(record.quota, error.quota) }
    await recordPlan(tx, provider.name, planAfterFailure(error, state, provider, now))
    await recordFailure(tx, provider.name, {
      code: error.code,
      sentence: error.message,
      at: now,
      counted: error.kind === 'bad_answer' ? 'refused' : 'failed',
    })
  })
  return { outcome: 'failed', code: error.code, sentence: error.message }
}

/** A metered provider's past costs a request: asked for only while there is plenty. */
const PLENTY_OF_REQUESTS = 20

/** Right after the first stored poll, so that charts and σ do not begin empty. Tried once per configuration. */
async function loadHistoryOnce(deps: PollDeps, provider: RateProvider, signal: AbortSignal): Promise<void> {
  const { history } = provider
  if (history === undefined || !(await claimHistory(deps, provider))) return
  let drafts: RateSnapshotDraft[] = []
  try {
    drafts = await history(signal)
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    deps.log.warn({ provider: provider.name, code: error.code }, 'no history from this provider')
    if (error.kind === 'transient') return
  }
  const { stored } = await ingestHistory(deps, provider, drafts)
  deps.log.info({ provider: provider.name, snapshots: stored }, 'history of rates stored')
}

function claimHistory(deps: PollDeps, provider: RateProvider): Promise<boolean> {
  return deps.db.transaction(async (tx) => {
    const { historyLoadedAt, quota, nextPollAt } = await lockProvider(
      tx,
      provider.name,
      provider.configuredAs,
    )
    if (historyLoadedAt !== null) return false
    if (quota === null) return true
    if (quota.remaining < PLENTY_OF_REQUESTS || nextPollAt === null) return false
    await recordPlan(tx, provider.name, { nextPollAt, quota: { ...quota, remaining: quota.remaining - 1 } })
    return true
  })
}
