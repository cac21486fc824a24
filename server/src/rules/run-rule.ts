import { hash } from 'node:crypto'
import { Problem } from '@kantor/contract/errors'
import type { ErrorCode } from '@kantor/contract/errors'
import { meansTryAgain } from '#db'
import type { Database, Queryable, Tx } from '#db'
import { afterPassingRefusal, afterRun, isMissed, rearmed, stateOf } from './after-run.ts'
import type { Ending } from './after-run.ts'
import { insertExecution, lockAsRead, updateRule } from './queries.ts'
import type { AnyRuleKind, Prepared, Rule, RunName, TellOwner } from './rule.ts'

const REQUEST_HASH_BYTES = 16

export interface RunDeps {
  readonly db: Database
  readonly clock: () => Date
  /** Whether this wallet's owner may not move value out. */
  readonly isFrozen: (q: Queryable, walletId: bigint) => Promise<boolean>
  readonly tell: TellOwner
  readonly log: { warn(fields: object, message: string): void }
}

/** `moved`: its row is another now. `taken`: somebody else was at it. `notYet`: it is not due after all. */
export type RunResult = 'moved' | 'taken' | 'notYet'

/**
 * Executes a due rule once, whoever else tries. What it needs is read before; then one tx locks the rule as it was
 * read, does what there is to do, and writes down how the run ended with what follows. A crash leaves all of that or
 * nothing; the row's version tells the second comer that it is done.
 *
 * Locks: the rule's row (never waited for), then the kind's own order: accounts ascending, its rows, the chain head.
 * Nobody who holds any of these asks for a rule. The execution is written after the posting, since it names the
 * journal: one round trip more on the chain head, of the four that an execution takes.
 */
export async function runRule(deps: RunDeps, kind: AnyRuleKind, rule: Rule): Promise<RunResult> {
  try {
    const now = deps.clock()
    if (isMissed(rule, kind.timing(rule.definition), kind.lateness, now)) {
      return await endRun(deps, kind, rule, { outcome: 'missed' })
    }
    const prepared = await kind.prepare(rule, now)
    if (prepared.outcome === 'notYet') return 'notYet'
    if (prepared.outcome === 'rearm') return await rearm(deps, rule, prepared)
    return await execute(deps, kind, rule, prepared)
  } catch (error) {
    if (error instanceof Problem) return refuse(deps, kind, rule, error.code)
    if (meansTryAgain(error)) throw error
    deps.log.warn({ err: error, rule: rule.id, kind: kind.name }, 'a rule could not be executed')
    return refuse(deps, kind, rule, 'internal_error')
  }
}

async function execute(
  deps: RunDeps,
  kind: AnyRuleKind,
  rule: Rule,
  prepared: Extract<Prepared, { outcome: 'ready' }>,
): Promise<RunResult> {
  return deps.db.transaction(async (tx) => {
    if ((await lockAsRead(tx, rule)) === null) return 'taken'
    if (kind.movesValue && (await deps.isFrozen(tx, rule.walletId))) throw new Problem('account_frozen')
    const done = await prepared.execute(tx, nameOf(kind, rule))
    await writeDown(deps, tx, kind, rule, { outcome: 'done', done })
    return 'moved'
  })
}

function nameOf(kind: AnyRuleKind, rule: Rule): RunName {
  const run = rule.run + 1
  const key = `rule ${rule.id} run ${run}`
  const requestHash = hash('sha256', key, 'buffer').subarray(0, REQUEST_HASH_BYTES)
  return { ruleId: rule.id, kind: kind.name, run, plannedFor: rule.plannedFor, key, requestHash }
}

/** A refusal is written down in a tx of its own: that of the run was undone with all that it had begun. */
async function refuse(deps: RunDeps, kind: AnyRuleKind, rule: Rule, reason: ErrorCode): Promise<RunResult> {
  const now = deps.clock()
  const later = afterPassingRefusal(rule, kind.timing(rule.definition), reason, now)
  if (later === null) return endRun(deps, kind, rule, { outcome: 'refused', reason })
  return deps.db.transaction(async (tx) => {
    if ((await lockAsRead(tx, rule)) === null) return 'taken'
    await updateRule(tx, rule.id, later, now)
    return 'moved'
  })
}

const PUT_ASIDE_MS = 15 * 60_000

/** For a rule whose run can neither be done nor refused: looked at again in a while, without a try having ended. */
export function putAside(deps: RunDeps, rule: Rule): Promise<RunResult> {
  const now = deps.clock()
  const wakeAt = new Date(now.getTime() + PUT_ASIDE_MS)
  return deps.db.transaction(async (tx) => {
    if ((await lockAsRead(tx, rule)) === null) return 'taken'
    const later = { ...stateOf(rule), triedAt: now, triedReason: 'internal_error', wakeAt }
    await updateRule(tx, rule.id, later, now)
    return 'moved'
  })
}

function endRun(deps: RunDeps, kind: AnyRuleKind, rule: Rule, ending: Ending): Promise<RunResult> {
  return deps.db.transaction(async (tx) => {
    if ((await lockAsRead(tx, rule)) === null) return 'taken'
    await writeDown(deps, tx, kind, rule, ending)
    return 'moved'
  })
}

function rearm(
  deps: RunDeps,
  rule: Rule,
  { trigger }: Extract<Prepared, { outcome: 'rearm' }>,
): Promise<RunResult> {
  return deps.db.transaction(async (tx) => {
    if ((await lockAsRead(tx, rule)) === null) return 'taken'
    await updateRule(tx, rule.id, rearmed(rule, trigger), deps.clock())
    return 'moved'
  })
}

async function writeDown(
  deps: RunDeps,
  tx: Tx,
  kind: AnyRuleKind,
  rule: Rule,
  ending: Ending,
): Promise<void> {
  const endedAt = deps.clock()
  const run = rule.run + 1
  const journalId = ending.outcome === 'done' ? ending.done.journalId : null
  const reason = reasonOf(ending)
  const next = afterRun(rule, kind.timing(rule.definition), ending)
  const { plannedFor, tries } = rule
  const { outcome } = ending
  // Sent together: the tx may hold the ledger's chain head, so nobody should wait for two round trips.
  await allOf([
    insertExecution(tx, rule.id, { run, plannedFor, endedAt, outcome, reason, tries, journalId }),
    updateRule(tx, rule.id, next, endedAt),
  ])
  if (reason === null) return
  const ended = next.state !== 'active'
  await deps.tell(tx, { walletId: rule.walletId, kind: kind.name, ruleId: rule.id, run, reason, ended })
}

/** Waits for all, so that none is still under way when the tx is undone; the first failure is the one to tell of. */
async function allOf(statements: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(statements)) {
    if (result.status === 'rejected') throw result.reason
  }
}

function reasonOf(ending: Ending): ErrorCode | null {
  if (ending.outcome === 'done') return null
  return ending.outcome === 'refused' ? ending.reason : 'run_missed'
}
