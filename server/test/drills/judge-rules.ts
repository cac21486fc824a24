import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Queryable } from '#db'
import type { Answered } from './answer-log.ts'
import { isRuleKind } from './commands.ts'
import { nameOf } from './invocations.ts'
import { minorOf, walletOf, type Names } from './names.ts'

interface StoredRule {
  readonly id: string
  readonly wallet: bigint
  readonly key: string
  readonly kind: string
  readonly definition: Readonly<Record<string, unknown>>
  readonly reply: unknown
}

/** I4 and I5 of rules: each that was acknowledged is kept once and as it was said, no other is. */
export async function judgeRuleAnswers(
  q: Queryable,
  names: Names,
  some: readonly Answered[],
): Promise<string[]> {
  const { rows } = await q.query<StoredRule>(
    `select id, wallet_id as wallet, request_key as key, kind, definition, first_reply as reply from rules.rules
      where request_key = any ($1::text[])`,
    [some.filter(({ kind }) => isRuleKind(kind)).map(({ key }) => key)],
  )
  const byKey = Map.groupBy(rows, ({ wallet, key }) => `${wallet} ${key}`)
  return some
    .filter(({ kind }) => isRuleKind(kind))
    .flatMap((answered) => {
      const kept = byKey.get(`${walletOf(names, answered.handle)} ${answered.key}`) ?? []
      return judgeKept(names, answered, kept).map((fault) => `${nameOf(answered)} ${fault}`)
    })
}

function judgeKept(names: Names, { kind, outcome, code, id, body }: Answered, kept: readonly StoredRule[]) {
  if (outcome === 'refused') return kept.length === 0 ? [] : [`was refused (${code}) and is kept (I5)`]
  const [rule] = kept
  if (rule === undefined || kept.length > 1) return [`was acknowledged and is kept ${kept.length} times (I4)`]
  const said = JSON.parse(body) as Said
  const isSame = rule.id === id && rule.kind === kind && isDeepStrictEqual(rule.reply, said)
  return isSame && isAsSaid(names, rule, said) ? [] : ['is kept otherwise than it was acknowledged (I4)']
}

interface Said {
  readonly asset?: string
  readonly amount?: string
  readonly to?: { readonly handle: string } | string
  readonly schedule?: unknown
  readonly [member: string]: unknown
}

/** What a rule goes by is what its owner was shown. */
function isAsSaid(names: Names, { kind, definition }: StoredRule, said: Said): boolean {
  if (kind === 'standing-order') {
    const asset = names.assetOf.get(said.asset ?? '')
    if (asset === undefined || typeof said.to !== 'object') return false
    const kept = { ...definition, amount: minorOf(String(definition['amount']), asset.scale) }
    return isDeepStrictEqual(kept, {
      payeeWalletId: `${walletOf(names, said.to.handle)}`,
      assetId: Number(asset.id),
      amount: minorOf(said.amount ?? '', asset.scale),
      note: said['note'],
      schedule: said.schedule,
    })
  }
  const members = kind === 'price-alert' ? ['pair', 'direction', 'value', 'repeat'] : Object.keys(definition)
  return members.every((member) => isDeepStrictEqual(definition[member], said[member]))
}

const DONE_WITHIN_MS = 240_000
const LOOK_EVERY_MS = 250

/**
 * While workers are there and nothing disturbs them: whatever is due by now has ended, or was tried and says why it is
 * tried again. By a value, that is what any rate there is meets.
 */
export async function judgeDue(q: Queryable, now: Date): Promise<string[]> {
  const deadline = Date.now() + DONE_WITHIN_MS
  for (;;) {
    const { rows } = await q.query<{ one: string }>(
      `select concat_ws(' ', kind, id, 'was due at', coalesce(planned_for, created_at)) as one from rules.rules
        where state = 'active' and wake_at <= $1 and planned_for <= $1 and tries = 0
           or state = 'active' and kind = 'conversion-order' and created_at <= $1 and tries = 0
              and (at_or_above <= 0.0001 or at_or_below >= 10000)
        limit 5`,
      [now],
    )
    if (rows.length === 0) return []
    if (Date.now() > deadline) return rows.map(({ one }) => `rule ${one} and has had no run`)
    await sleep(LOOK_EVERY_MS)
  }
}

const RULES: Readonly<Record<string, string>> = {
  'an alert that was due told nobody': `
    select concat_ws(' ', rule_id, executions.run) as one from rules.executions join rules.rules on rules.id = rule_id
     where kind = 'price-alert' and outcome = 'done' and not exists (
       select from notifications.notices where notices.wallet_id = rules.wallet_id and notices.kind = 'price_alert'
          and dedupe_key = concat('rule ', rule_id, ' run ', executions.run)) limit 5`,
  'an alert was told of that was not due': `
    select concat_ws(' ', dedupe_key) as one from notifications.notices where kind = 'price_alert' and not exists (
       select from rules.executions where outcome = 'done' and dedupe_key = concat('rule ', rule_id, ' run ', run)) limit 5`,
  'an alert was told at a price that is not there': `
    select concat_ws(' ', dedupe_key, detail) as one from notifications.notices where kind = 'price_alert'
       and case detail ->> 'direction' when 'above' then (detail ->> 'price')::numeric < (detail ->> 'threshold')::numeric
           else (detail ->> 'price')::numeric > (detail ->> 'threshold')::numeric end limit 5`,
  'a run was refused or missed and its owner was not told': `
    select concat_ws(' ', rule_id, executions.run) as one from rules.executions join rules.rules on rules.id = rule_id
     where outcome <> 'done' and not exists (
       select from notifications.notices where notices.wallet_id = rules.wallet_id and notices.kind = 'rule_failed'
          and dedupe_key = concat('rule ', rule_id, ' run ', executions.run, ' failed')
          and detail ->> 'code' = executions.reason) limit 5`,
  'a rule was executed beyond a limit that no rate meets': `
    select concat_ws(' ', rule_id, executions.run) as one from rules.executions join rules.rules on rules.id = rule_id
     where kind = 'conversion-order' and outcome = 'done' and (at_or_above >= 100000 or at_or_below <= 0.00001) limit 5`,
}

/** Owners are told of what they do not see otherwise, once each; nothing is done that was not due. */
export async function judgeRuleNews(q: Queryable): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(RULES).map(async ([what, statement]) => {
      const { rows } = await q.query<{ one: string }>(statement)
      return rows.map(({ one }) => `${what}: ${one}`)
    }),
  )
  return found.flat()
}

/** How the runs ended so far. */
export async function countRuns(q: Queryable): Promise<Record<'done' | 'refused' | 'missed', number>> {
  const { rows } = await q.query<{ outcome: 'done' | 'refused' | 'missed'; count: bigint }>(
    'select outcome, count(*) as count from rules.executions group by outcome',
  )
  const counts = { done: 0, refused: 0, missed: 0 }
  for (const { outcome, count } of rows) counts[outcome] = Number(count)
  return counts
}
