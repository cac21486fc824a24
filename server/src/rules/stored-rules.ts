import type { Queryable, Tx } from '#db'
import type { NextState } from './after-run.ts'
import { COLUMNS, ruleOf } from './queries.ts'
import type { RuleRow } from './queries.ts'
import type { Rule } from './rule.ts'

/** Of the advisory locks with two numbers, the exchange has the first ones 1 and 2. */
const LOCK_OF_OWNERS = 3

/** Makes those who create rules for one wallet wait for each other: what they count stays true until they commit. */
export async function lockOwner(tx: Tx, walletId: bigint): Promise<void> {
  await tx.query({
    name: 'rules.lock_owner',
    text: 'select pg_advisory_xact_lock($1, hashint8($2))',
    values: [LOCK_OF_OWNERS, walletId],
  })
}

export async function countOpen(q: Queryable, walletId: bigint, kind: string): Promise<number> {
  const { rows } = await q.query<{ count: bigint }>({
    name: 'rules.count_open',
    text: `select count(*) as count from rules.rules
            where wallet_id = $1 and kind = $2 and state in ('active', 'paused')`,
    values: [walletId, kind],
  })
  return Number(rows[0]?.count ?? 0)
}

export interface FirstReply {
  readonly requestHash: Buffer
  readonly reply: unknown
}

/** What this key was answered, or null. */
export async function readFirstReply(
  q: Queryable,
  walletId: bigint,
  key: string,
): Promise<FirstReply | null> {
  const { rows } = await q.query<{ request_hash: Buffer; first_reply: unknown }>({
    name: 'rules.first_reply',
    text: 'select request_hash, first_reply from rules.rules where wallet_id = $1 and request_key = $2',
    values: [walletId, key],
  })
  const [row] = rows
  return row === undefined ? null : { requestHash: row.request_hash, reply: row.first_reply }
}

export async function insertRule(
  tx: Tx,
  rule: Rule,
  request: { readonly key: string; readonly hash: Buffer; readonly reply: unknown },
): Promise<void> {
  const { trigger } = rule
  await tx.query({
    name: 'rules.insert',
    text: `insert into rules.rules (id, wallet_id, kind, definition, planned_for, wake_at, topic, at_or_above, at_or_below,
             expires_at, created_at, changed_at, request_key, request_hash, first_reply)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13, $14)`,
    values: [
      rule.id,
      rule.walletId,
      rule.kind,
      JSON.stringify(rule.definition),
      rule.plannedFor,
      rule.wakeAt,
      trigger?.topic ?? null,
      trigger?.atOrAbove ?? null,
      trigger?.atOrBelow ?? null,
      rule.expiresAt,
      rule.createdAt,
      request.key,
      request.hash,
      JSON.stringify(request.reply),
    ],
  })
}

/** The customer's own rule of this kind; another's is as good as missing. */
export async function readRule(
  q: Queryable,
  { walletId, kind, id }: { walletId: bigint; kind: string; id: string },
): Promise<Rule | null> {
  const { rows } = await q.query<RuleRow>({
    name: 'rules.rule',
    text: `select ${COLUMNS} from rules.rules where id = $1 and wallet_id = $2 and kind = $3`,
    values: [id, walletId, kind],
  })
  const [row] = rows
  return row === undefined ? null : ruleOf(row)
}

/** Newest first. */
export async function listRules(
  q: Queryable,
  given: {
    walletId: bigint
    kind: string
    status: 'open' | 'ended' | null
    before: string | null
    limit: number
  },
): Promise<Rule[]> {
  const { rows } = await q.query<RuleRow>({
    name: 'rules.list',
    text: `select ${COLUMNS} from rules.rules
            where wallet_id = $1 and kind = $2 and ($4::uuid is null or id < $4)
              and ($3::text is null or (state in ('active', 'paused')) = ($3 = 'open'))
            order by id desc limit $5`,
    values: [given.walletId, given.kind, given.status, given.before, given.limit],
  })
  return rows.map(ruleOf)
}

/** The date of the last run that ended by the clock. */
export async function lastPlanned(q: Queryable, ruleId: string): Promise<Date | null> {
  const { rows } = await q.query<{ planned_for: Date | null }>({
    name: 'rules.last_planned',
    text: 'select planned_for from rules.executions where rule_id = $1 order by run desc limit 1',
    values: [ruleId],
  })
  return rows[0]?.planned_for ?? null
}

/** What its owner changed. False when the rule has moved on since it was read. */
export async function replaceRule(
  tx: Tx,
  { id, version }: Pick<Rule, 'id' | 'version'>,
  next: NextState & { readonly definition: unknown; readonly expiresAt: Date | null },
  now: Date,
): Promise<boolean> {
  const { trigger } = next
  const { rowCount } = await tx.query({
    name: 'rules.replace',
    text: `update rules.rules
              set definition = $3, state = $4, reason = $5, tries = $6, tried_at = $7, tried_reason = $8,
                  planned_for = $9, wake_at = $10, topic = $11, at_or_above = $12, at_or_below = $13, expires_at = $14,
                  version = version + 1, changed_at = $15
            where id = $1 and version = $2 and state in ('active', 'paused')`,
    values: [
      id,
      version,
      JSON.stringify(next.definition),
      next.state,
      next.reason,
      next.tries,
      next.triedAt,
      next.triedReason,
      next.plannedFor,
      next.wakeAt,
      trigger?.topic ?? null,
      trigger?.atOrAbove ?? null,
      trigger?.atOrBelow ?? null,
      next.expiresAt,
      now,
    ],
  })
  return rowCount === 1
}
