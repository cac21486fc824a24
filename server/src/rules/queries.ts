import type { RuleStatus } from '@kantor/contract/api'
import type { Queryable, Tx } from '#db'
import type { NextState } from './after-run.ts'
import type { Rule } from './rule.ts'

export type RuleRow = {
  id: string
  wallet_id: bigint
  kind: string
  definition: unknown
  state: RuleStatus
  reason: string | null
  run: number
  tries: number
  tried_at: Date | null
  tried_reason: string | null
  planned_for: Date | null
  wake_at: Date | null
  topic: string | null
  at_or_above: string | null
  at_or_below: string | null
  expires_at: Date | null
  version: number
  created_at: Date
}

export const COLUMNS = `id, wallet_id, kind, definition, state, reason, run, tries, tried_at, tried_reason, planned_for, wake_at,
  topic, at_or_above, at_or_below, expires_at, version, created_at`

export function ruleOf(row: RuleRow): Rule {
  const { topic, at_or_above: atOrAbove, at_or_below: atOrBelow } = row
  return {
    id: row.id,
    walletId: row.wallet_id,
    kind: row.kind,
    definition: row.definition,
    state: row.state,
    reason: row.reason,
    run: row.run,
    tries: row.tries,
    triedAt: row.tried_at,
    triedReason: row.tried_reason,
    plannedFor: row.planned_for,
    wakeAt: row.wake_at,
    trigger: topic === null ? null : { topic, atOrAbove, atOrBelow },
    expiresAt: row.expires_at,
    version: row.version,
    createdAt: row.created_at,
  }
}

/** By the clock: what is due now, the longest due first. */
export async function readDue(
  q: Queryable,
  { kinds, now, limit }: { kinds: readonly string[]; now: Date; limit: number },
): Promise<Rule[]> {
  const { rows } = await q.query<RuleRow>({
    name: 'rules.due',
    text: `select ${COLUMNS} from rules.rules
            where state = 'active' and topic is null and wake_at <= $1 and kind = any ($2::text[])
            order by wake_at, id limit $3`,
    values: [now, kinds, limit],
  })
  return rows.map(ruleOf)
}

/** What active rules wait for, each once. Skips from one topic to the next, however many rules share one. */
export async function readTopics(q: Queryable, limit: number): Promise<string[]> {
  const { rows } = await q.query<{ topic: string }>({
    name: 'rules.topics',
    text: `with recursive topics as (
             (select topic from rules.rules where state = 'active' and topic is not null order by topic limit 1)
             union all
             select (select rules.topic from rules.rules
                      where state = 'active' and rules.topic > topics.topic order by rules.topic limit 1)
               from topics where topics.topic is not null)
           select topic from topics where topic is not null limit $1`,
    values: [limit],
  })
  return rows.map(({ topic }) => topic)
}

/** A value that has come in, as bounds that certainly hold it. */
export interface TopicValue {
  readonly topic: string
  /** Rounded down and up, as decimal text. */
  readonly low: string
  readonly high: string
}

/** Rules whose value has got there, or may have, in the order of their ids from one on. */
export async function readReached(
  q: Queryable,
  values: readonly TopicValue[],
  given: { kinds: readonly string[]; now: Date; afterId: string | null; limit: number },
): Promise<Rule[]> {
  const { rows } = await q.query<RuleRow>({
    name: 'rules.reached',
    text: `select ${COLUMNS.replace('topic', 'rules.topic')} from rules.rules
             join unnest($1::text[], $2::numeric[], $3::numeric[]) as seen (topic, low, high) on seen.topic = rules.topic
            where state = 'active' and rules.topic is not null and (at_or_above <= high or at_or_below >= low)
              and (wake_at is null or wake_at <= $4) and ($5::uuid is null or id > $5) and kind = any ($6::text[])
            order by id limit $7`,
    values: [
      values.map(({ topic }) => topic),
      values.map(({ low }) => low),
      values.map(({ high }) => high),
      given.now,
      given.afterId,
      given.kinds,
      given.limit,
    ],
  })
  return rows.map(ruleOf)
}

/**
 * Locks a rule as it was read; null when another process holds it, or has moved it on since: whoever comes second
 * has nothing left to do.
 */
export async function lockAsRead(
  tx: Tx,
  { id, version }: Pick<Rule, 'id' | 'version'>,
): Promise<Rule | null> {
  const { rows } = await tx.query<RuleRow>({
    name: 'rules.lock_as_read',
    text: `select ${COLUMNS} from rules.rules where id = $1 and version = $2 and state = 'active' for update skip locked`,
    values: [id, version],
  })
  const [row] = rows
  return row === undefined ? null : ruleOf(row)
}

export async function updateRule(tx: Tx, id: string, next: NextState, now: Date): Promise<void> {
  const { trigger } = next
  await tx.query({
    name: 'rules.update',
    text: `update rules.rules
              set state = $2, reason = $3, run = $4, tries = $5, tried_at = $6, tried_reason = $7, planned_for = $8,
                  wake_at = $9, topic = $10, at_or_above = $11, at_or_below = $12, version = version + 1, changed_at = $13
            where id = $1`,
    values: [
      id,
      next.state,
      next.reason,
      next.run,
      next.tries,
      next.triedAt,
      next.triedReason,
      next.plannedFor,
      next.wakeAt,
      trigger?.topic ?? null,
      trigger?.atOrAbove ?? null,
      trigger?.atOrBelow ?? null,
      now,
    ],
  })
}

export interface Execution {
  readonly run: number
  readonly plannedFor: Date | null
  readonly endedAt: Date
  readonly outcome: 'done' | 'refused' | 'missed'
  readonly reason: string | null
  readonly tries: number
  readonly journalId: string | null
}

export async function insertExecution(tx: Tx, ruleId: string, execution: Execution): Promise<void> {
  const { run, plannedFor, endedAt, outcome, reason, tries, journalId } = execution
  await tx.query({
    name: 'rules.insert_execution',
    text: `insert into rules.executions (rule_id, run, planned_for, ended_at, outcome, reason, tries, journal_id)
           values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [ruleId, run, plannedFor, endedAt, outcome, reason, tries, journalId],
  })
}

type ExecutionRow = {
  run: number
  planned_for: Date | null
  ended_at: Date
  outcome: Execution['outcome']
  reason: string | null
  tries: number
  journal_id: string | null
}

/** How the runs of a rule ended, the last first. */
export async function readExecutions(
  q: Queryable,
  ruleId: string,
  { below, limit }: { below: number | null; limit: number },
): Promise<Execution[]> {
  const { rows } = await q.query<ExecutionRow>({
    name: 'rules.executions',
    text: `select run, planned_for, ended_at, outcome, reason, tries, journal_id from rules.executions
            where rule_id = $1 and ($2::int is null or run < $2) order by run desc limit $3`,
    values: [ruleId, below, limit],
  })
  return rows.map((row) => ({
    run: row.run,
    plannedFor: row.planned_for,
    endedAt: row.ended_at,
    outcome: row.outcome,
    reason: row.reason,
    tries: row.tries,
    journalId: row.journal_id,
  }))
}

/** Ends rules whose time is over, oldest first, except those that are being executed at this moment. */
export async function expireRules(tx: Tx, now: Date, limit: number): Promise<Rule[]> {
  const { rows } = await tx.query<RuleRow>({
    name: 'rules.expire',
    text: `update rules.rules set state = 'expired', reason = null, wake_at = null, version = version + 1, changed_at = $1
            where id in (
              select id from rules.rules where expires_at <= $1 and state in ('active', 'paused')
               order by expires_at limit $2 for update skip locked)
        returning ${COLUMNS}`,
    values: [now, limit],
  })
  return rows.map(ruleOf)
}
