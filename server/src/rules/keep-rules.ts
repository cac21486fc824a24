import { isDeepStrictEqual } from 'node:util'
import { Problem } from '@kantor/contract/errors'
import type { RuleStateBody } from '@kantor/contract/api'
import type { Database } from '#db'
import { stateOf } from './after-run.ts'
import type { NextState } from './after-run.ts'
import type { AnyRuleKind, Rule, Timing } from './rule.ts'
import { nextRunAfter } from './schedule.ts'
import {
  countOpen,
  insertRule,
  lastPlanned,
  lockOwner,
  readFirstReply,
  readRule,
  replaceRule,
} from './stored-rules.ts'

export interface KeepDeps {
  readonly db: Database
  readonly clock: () => Date
  /** A UUIDv7. */
  readonly newId: () => string
}

/** Open ones of one kind and wallet: more than a person keeps in mind, and a bound on what one can make us do. */
export const OPEN_RULES_MAX = 100
const CHANGES_TRIED_MAX = 5

export interface NewRule {
  readonly walletId: bigint
  readonly kind: AnyRuleKind
  readonly key: string
  readonly requestHash: Buffer
  /** What the request asks for, judged. Not called for a request that was answered before. */
  define(): Promise<unknown>
  show(rule: Rule): Promise<unknown>
}

/**
 * Keeps a new rule, or answers what the same request was answered before.
 * @throws Problem idempotency_key_reused, schedule_over, too_many_rules and those of `define`
 */
export async function createRule(
  deps: KeepDeps,
  wanted: NewRule,
): Promise<{ body: unknown; replayed: boolean }> {
  const known = await readFirstReply(deps.db, wanted.walletId, wanted.key)
  if (known !== null) return replayed(wanted, known)
  const rule = newRule(deps, wanted, await wanted.define())
  const reply = await wanted.show(rule)
  return deps.db.transaction(async (tx) => {
    await lockOwner(tx, wanted.walletId)
    const meanwhile = await readFirstReply(tx, wanted.walletId, wanted.key)
    if (meanwhile !== null) return replayed(wanted, meanwhile)
    const open = await countOpen(tx, wanted.walletId, wanted.kind.name)
    if (open >= OPEN_RULES_MAX) throw new Problem('too_many_rules')
    await insertRule(tx, rule, { key: wanted.key, hash: wanted.requestHash, reply })
    return { body: reply, replayed: false }
  })
}

function replayed(
  { requestHash }: NewRule,
  known: { requestHash: Buffer; reply: unknown },
): { body: unknown; replayed: boolean } {
  if (!known.requestHash.equals(requestHash)) throw new Problem('idempotency_key_reused')
  return { body: known.reply, replayed: true }
}

function newRule(deps: KeepDeps, { walletId, kind }: NewRule, definition: unknown): Rule {
  const createdAt = deps.clock()
  const timing = kind.timing(definition)
  const due = requireDue(timing, createdAt, 0)
  return {
    id: deps.newId(),
    walletId,
    kind: kind.name,
    definition,
    state: 'active',
    reason: null,
    run: 0,
    tries: 0,
    triedAt: null,
    triedReason: null,
    ...due,
    expiresAt: expiryOf(timing),
    version: 1,
    createdAt,
  }
}

const expiryOf = (timing: Timing): Date | null => ('trigger' in timing ? timing.expiresAt : null)

/** @throws Problem schedule_over */
function requireDue(
  timing: Timing,
  after: Date,
  runsSoFar: number,
): Pick<Rule, 'plannedFor' | 'wakeAt' | 'trigger'> {
  if ('trigger' in timing) {
    if (timing.expiresAt !== null && timing.expiresAt <= after) throw new Problem('schedule_over')
    return { plannedFor: null, wakeAt: null, trigger: timing.trigger }
  }
  const next = nextRunAfter(timing.schedule, after, runsSoFar)
  if (next === null) throw new Problem('schedule_over')
  return { plannedFor: next, wakeAt: next, trigger: null }
}

/** What its owner wants changed: another definition, on or off. */
export interface RuleChange {
  readonly status: 'active' | 'paused' | undefined
  /** Called again when the rule moved on meanwhile. */
  define(rule: Rule): Promise<unknown>
}

/**
 * Changes a rule that has not ended. A run that is being executed at this moment ends first.
 * @throws Problem not_found, rule_ended, schedule_over, busy and those of `define`
 */
export async function changeRule(
  deps: KeepDeps,
  kind: AnyRuleKind,
  whose: { walletId: bigint; id: string },
  change: RuleChange,
): Promise<Rule> {
  for (let attempt = 1; attempt <= CHANGES_TRIED_MAX; attempt += 1) {
    const rule = await requireRule(deps, kind, whose)
    if (rule.state !== 'active' && rule.state !== 'paused') throw new Problem('rule_ended')
    const definition = await change.define(rule)
    const next = await nextOf(deps, kind, rule, { definition, state: change.status ?? rule.state })
    const now = deps.clock()
    const isDone = await deps.db.transaction((tx) => replaceRule(tx, rule, next, now))
    if (isDone) return requireRule(deps, kind, whose)
  }
  throw new Problem('busy', { retryAfterSeconds: 1 })
}

async function nextOf(
  deps: KeepDeps,
  kind: AnyRuleKind,
  rule: Rule,
  wanted: { definition: unknown; state: 'active' | 'paused' },
): Promise<NextState & { definition: unknown; expiresAt: Date | null }> {
  const timing = kind.timing(wanted.definition)
  const kept = { ...stateOf(rule), definition: wanted.definition, expiresAt: expiryOf(timing) }
  const now = deps.clock()
  const untried = { tries: 0, triedAt: null, triedReason: null }
  if (wanted.state === 'paused') {
    const reason = rule.state === 'paused' ? rule.reason : null
    const trigger = 'trigger' in timing ? timing.trigger : null
    return { ...kept, ...untried, state: 'paused', reason, trigger, plannedFor: null, wakeAt: null }
  }
  const isSameTiming = isDeepStrictEqual(timing, kind.timing(rule.definition))
  if (rule.state === 'active' && isSameTiming) {
    // A run that was refused this morning is tried at once with what was changed, not forgotten.
    return rule.tries > 0 ? { ...kept, wakeAt: now } : kept
  }
  // A date that has had its run never gets another, also when clocks were put back since.
  const last = await lastPlanned(deps.db, rule.id)
  const after = last !== null && last > now ? last : now
  return { ...kept, ...untried, state: 'active', reason: null, ...requireDue(timing, after, rule.run) }
}

/** @throws Problem not_found, rule_ended */
export async function cancelRule(
  deps: KeepDeps,
  kind: AnyRuleKind,
  whose: { walletId: bigint; id: string },
): Promise<Rule> {
  for (let attempt = 1; attempt <= CHANGES_TRIED_MAX; attempt += 1) {
    const rule = await requireRule(deps, kind, whose)
    if (rule.state !== 'active' && rule.state !== 'paused') throw new Problem('rule_ended')
    const { definition, expiresAt } = rule
    const over = { ...stateOf(rule), reason: null, tries: 0, triedAt: null, triedReason: null }
    const next = {
      ...over,
      definition,
      expiresAt,
      plannedFor: null,
      wakeAt: null,
      state: 'cancelled' as const,
    }
    const now = deps.clock()
    if (await deps.db.transaction((tx) => replaceRule(tx, rule, next, now))) return { ...rule, ...next }
  }
  throw new Problem('busy', { retryAfterSeconds: 1 })
}

/** @throws Problem not_found, also for another customer's rule */
export async function requireRule(
  deps: Pick<KeepDeps, 'db'>,
  kind: Pick<AnyRuleKind, 'name'>,
  { walletId, id }: { walletId: bigint; id: string },
): Promise<Rule> {
  const rule = await readRule(deps.db, { walletId, kind: kind.name, id: id.toLowerCase() })
  if (rule === null) throw new Problem('not_found')
  return rule
}

/** What every rule says of itself. */
export function ruleStateBody(rule: Rule): RuleStateBody {
  const { triedAt, triedReason, wakeAt } = rule
  const isOpen = rule.state === 'active'
  return {
    id: rule.id,
    status: rule.state,
    reason: rule.reason,
    createdAt: rule.createdAt.toISOString(),
    nextRunAt: isOpen ? (rule.plannedFor?.toISOString() ?? null) : null,
    lastTry:
      !isOpen || triedAt === null || triedReason === null || wakeAt === null
        ? null
        : { at: triedAt.toISOString(), reason: triedReason, nextTryAt: wakeAt.toISOString() },
    runs: rule.run,
  }
}
