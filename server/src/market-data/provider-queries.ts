import type { Queryable, Tx } from '#db'

/** What is known of one provider, as all processes share it. */
export interface ProviderRecord {
  readonly provider: string
  readonly nextPollAt: Date | null
  readonly lastAttemptAt: Date | null
  readonly lastSuccessAt: Date | null
  readonly lastAsOf: Date | null
  readonly failuresInARow: number
  readonly error: { readonly code: string; readonly sentence: string; readonly at: Date } | null
  readonly counts: {
    readonly polls: bigint
    readonly failed: bigint
    readonly refused: bigint
    readonly quarantined: bigint
  }
  readonly quota: Quota | null
  readonly historyLoadedAt: Date | null
}

/** A month's budget of requests. */
export interface Quota {
  readonly limit: number
  readonly remaining: number
  readonly resetsAt: Date
}

type ProviderRow = {
  provider: string
  next_poll_at: Date | null
  last_attempt_at: Date | null
  last_success_at: Date | null
  last_as_of: Date | null
  failures_in_a_row: number
  last_error_code: string | null
  last_error: string | null
  last_error_at: Date | null
  polls: bigint
  failed: bigint
  refused: bigint
  quarantined: bigint
  quota_limit: number | null
  quota_remaining: number | null
  quota_resets_at: Date | null
  history_loaded_at: Date | null
}

const COLUMNS = `provider, next_poll_at, last_attempt_at, last_success_at, last_as_of, failures_in_a_row,
  last_error_code, last_error, last_error_at, polls, failed, refused, quarantined,
  quota_limit, quota_remaining, quota_resets_at, history_loaded_at`

export async function providerRecords(q: Queryable): Promise<Map<string, ProviderRecord>> {
  const { rows } = await q.query<ProviderRow>(`select ${COLUMNS} from market_data.providers`)
  return new Map(rows.map((row) => [row.provider, recordOf(row)]))
}

/**
 * The provider's row, locked, made if it is new, and forgotten what another address or key had taught.
 * All that is decided about a provider happens under this lock, so that processes take turns.
 */
export async function lockProvider(tx: Tx, provider: string, configuredAs: string): Promise<ProviderRecord> {
  await tx.query(
    `insert into market_data.providers (provider, configured_as) values ($1, $2) on conflict do nothing`,
    [provider, configuredAs],
  )
  await tx.query(
    `update market_data.providers
        set configured_as = $2, next_poll_at = null, last_attempt_at = null, failures_in_a_row = 0,
            quota_limit = null, quota_remaining = null, quota_resets_at = null, history_loaded_at = null,
            last_error_code = null, last_error = null, last_error_at = null
      where provider = $1 and configured_as <> $2`,
    [provider, configuredAs],
  )
  const { rows } = await tx.query<ProviderRow>(
    `select ${COLUMNS} from market_data.providers where provider = $1 for update`,
    [provider],
  )
  const [row] = rows
  if (row === undefined) throw new Error(`no row for the provider ${provider}`)
  return recordOf(row)
}

function recordOf(row: ProviderRow): ProviderRecord {
  const { quota_limit: limit, quota_remaining: remaining, quota_resets_at: resetsAt } = row
  return {
    provider: row.provider,
    nextPollAt: row.next_poll_at,
    lastAttemptAt: row.last_attempt_at,
    lastSuccessAt: row.last_success_at,
    lastAsOf: row.last_as_of,
    failuresInARow: row.failures_in_a_row,
    error:
      row.last_error_code === null || row.last_error_at === null
        ? null
        : { code: row.last_error_code, sentence: row.last_error ?? '', at: row.last_error_at },
    counts: { polls: row.polls, failed: row.failed, refused: row.refused, quarantined: row.quarantined },
    quota: limit === null || remaining === null || resetsAt === null ? null : { limit, remaining, resetsAt },
    historyLoadedAt: row.history_loaded_at,
  }
}

/** Writes down that the provider is about to be asked, and what that leaves of its budget. */
export async function recordAttempt(
  tx: Tx,
  provider: string,
  attempt: { at: Date; nextPollAt: Date; quota: Quota | null },
): Promise<void> {
  await tx.query(
    `update market_data.providers
        set last_attempt_at = $2, next_poll_at = $3, polls = polls + 1,
            quota_limit = $4, quota_remaining = $5, quota_resets_at = $6
      where provider = $1`,
    [
      provider,
      attempt.at,
      attempt.nextPollAt,
      attempt.quota?.limit ?? null,
      attempt.quota?.remaining ?? null,
      attempt.quota?.resetsAt ?? null,
    ],
  )
}

export async function recordPlan(
  tx: Tx,
  provider: string,
  plan: { nextPollAt: Date; quota: Quota | null },
): Promise<void> {
  await tx.query(
    `update market_data.providers
        set next_poll_at = $2, quota_limit = $3, quota_remaining = $4, quota_resets_at = $5
      where provider = $1`,
    [
      provider,
      plan.nextPollAt,
      plan.quota?.limit ?? null,
      plan.quota?.remaining ?? null,
      plan.quota?.resetsAt ?? null,
    ],
  )
}

export async function recordSuccess(tx: Tx, provider: string, asOf: Date, at: Date): Promise<void> {
  await tx.query(
    `update market_data.providers
        set last_success_at = $3, last_as_of = $2, failures_in_a_row = 0
      where provider = $1`,
    [provider, asOf, at],
  )
}

/** `counted` names the column that a page shows it under. */
export async function recordFailure(
  tx: Tx,
  provider: string,
  failure: { code: string; sentence: string; at: Date; counted: 'failed' | 'refused' | 'quarantined' },
): Promise<void> {
  await tx.query(
    `update market_data.providers
        set last_error_code = $2, last_error = $3, last_error_at = $4,
            failures_in_a_row = failures_in_a_row + 1,
            failed = failed + ($5 = 'failed')::int,
            refused = refused + ($5 = 'refused')::int,
            quarantined = quarantined + ($5 = 'quarantined')::int
      where provider = $1`,
    [provider, failure.code, failure.sentence, failure.at, failure.counted],
  )
}

export async function recordHistoryLoaded(tx: Tx, provider: string, at: Date): Promise<void> {
  await tx.query('update market_data.providers set history_loaded_at = $2 where provider = $1', [
    provider,
    at,
  ])
}
